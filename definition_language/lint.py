"""Finds the faults of a definition that SageMaker would report when it creates or executes the pipeline.

Each check takes a definition as SageMaker takes it and yields sentences that begin with the place:
``MakeFolds: Arguments.ProcessingResources.ClusterConfig: ...``. Nothing is asked of a network.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from definition_language.algorithm_checks import algorithm_faults
from definition_language.caching import cache_faults
from definition_language.constraints import faults
from definition_language.documents import STEP_NAME, all_steps, form_faults, known_references, own_arguments, type_of
from definition_language.durations import DurationError, parse_duration
from definition_language.expressions import is_expression
from definition_language.models import service_model
from definition_language.processing_paths import local_path_faults
from definition_language.reference_checks import reference_faults, used_parameters
from definition_language.sentences import sentence
from definition_language.steps import STEP_REQUESTS, Document, References, argument_faults, text_faults
from definition_language.text import number_of
from definition_language.training_jobs import training_job_faults
from definition_language.values import foreseen

_CHECKED_ELSEWHERE = frozenset({"Callback", "Condition", "Fail", "Lambda"})

_OTHER_TYPES = frozenset(
    {
        *("AutoML", "ClarifyCheck", "Cleanup", "EMR", "EMRServerless", "Endpoint", "EndpointConfig"),
        *("ForEach", "InferenceComponent", "Job", "Lineage", "QualityCheck"),
    }
)
"""Types of steps of the SageMaker Python SDK 3 whose arguments botocore does not describe."""

_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "String": (str,),
    "Integer": (int,),
    "Float": (int, float),
    "Boolean": (bool,),
}


@dataclass(frozen=True)
class Report:
    """The result of a check of a definition.

    Attributes:
        faults: errors that SageMaker would refuse, or that would fail or have no effect in an execution.
        remarks: hints for the definition's author.
    """

    faults: list[str]
    remarks: list[str]


def check(document: Any) -> Report:
    """Check a definition from any author.

    Args:
        document: the definition's JSON.
    """
    found = list(form_faults(document))
    if found:
        return Report(found, [])
    references = known_references(document)
    found += [*_parameter_faults(document), *_name_faults(document), *reference_faults(document)]
    for step in all_steps(document):
        found += [f"{step['Name']}: {fault}" for fault in _step_faults(step, references)]
    return Report(list(dict.fromkeys(found)), list(_remarks(document)))


def unused_parameters(definition: Document) -> list[str]:
    """Return the names of parameters that no expression refers to."""
    declared = {parameter["Name"] for parameter in definition.get("Parameters") or []}
    return sorted(declared - used_parameters(definition))


def _remarks(definition: Document) -> Iterator[str]:
    for name in unused_parameters(definition):
        yield f"parameter {name} is declared and not used"
    for step in all_steps(definition):
        if step["Type"] in _OTHER_TYPES:
            yield f"{step['Name']}: the arguments of a {step['Type']} step are not checked"
    yield from _condition_remarks(definition)


def _condition_remarks(definition: Document) -> Iterator[str]:
    """Yield what AWS's documentation or its users say that SageMaker refuses. It was not seen on AWS.

    Sources: "Condition step" in https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-steps-types.html ,
    Limitations; https://github.com/aws/sagemaker-python-sdk/issues/3565
    """
    conditions = [step for step in all_steps(definition) if step["Type"] == "Condition"]
    names = {step["Name"] for step in conditions}
    for outer in conditions:
        arguments = outer.get("Arguments") or {}
        for inner in [*(arguments.get("IfSteps") or []), *(arguments.get("ElseSteps") or [])]:
            if inner["Name"] in names:
                place = f"{inner['Name']}: a condition step within {outer['Name']}"
                yield f"{place}: AWS documents that this is not supported"
    for step in all_steps(definition):
        depends_on = step.get("DependsOn")
        for name in depends_on if isinstance(depends_on, list) else []:
            if isinstance(name, str) and name in names:
                yield f"{step['Name']}: it depends on the condition step {name}, which users report that AWS refuses"


def _parameter_faults(definition: Document) -> Iterator[str]:
    parameters = definition.get("Parameters") or []
    shape = service_model("sagemaker").shape_for("PipelineParameterName")
    for name, count in Counter(parameter["Name"] for parameter in parameters).items():
        if count > 1:
            yield f"parameter {name} is declared {count} times"
        yield from (sentence(fault, f"parameter {name}") for fault in faults(shape, name))
    for name in sorted(used_parameters(definition) - {parameter["Name"] for parameter in parameters}):
        yield f"parameter {name} is used and not declared"
    for parameter in parameters:
        yield from _default_faults(parameter)


def _default_faults(parameter: Document) -> Iterator[str]:
    default, choices = parameter.get("DefaultValue"), parameter.get("EnumValues")
    if default is None:
        return
    kind = type_of(parameter)
    if not isinstance(default, _PYTHON_TYPES[kind]) or (isinstance(default, bool) and kind != "Boolean"):
        yield f"parameter {parameter['Name']}: its default {default!r} is not of type {kind}"
    elif choices and default not in choices:
        yield f"parameter {parameter['Name']}: its default {default!r} is not one of {choices}"


def _name_faults(definition: Document) -> Iterator[str]:
    names = [step["Name"] for step in all_steps(definition)]
    for name in names:
        if not STEP_NAME.fullmatch(name):
            yield f"{name}: a step's name has letters, digits and hyphens or underscores between them, at most 64"
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{name}: two steps have this name"


def _step_faults(step: Document, references: References) -> Iterator[str]:
    if step["Type"] not in STEP_REQUESTS and step["Type"] not in _CHECKED_ELSEWHERE | _OTHER_TYPES:
        yield f"there is no step of type {step['Type']!r}"
    for member, fault in text_faults(step.get("DisplayName"), step.get("Description")):
        yield sentence(fault, member)
    if step["Type"] == "Callback":
        shape = service_model("sagemaker").shape_for("String256")
        yield from (sentence(fault, "SqsQueueUrl") for fault in faults(shape, step.get("SqsQueueUrl")))
    for join in nested_joins(own_arguments(step)):
        yield f"a Std:Join is nested in a Std:Join, which AWS does not document: write one with all values: {join}"
    found = list(argument_faults(step["Type"], step.get("Arguments", {}), references.kinds_of))
    yield from (sentence(fault, "Arguments") for fault in found)
    if found:
        return
    if step["Type"] == "Tuning" and not is_expression(step["Arguments"]["HyperParameterTuningJobConfig"]):
        yield from _grid_faults(step["Arguments"])
    if step["Type"] == "Processing":
        known = foreseen(step["Arguments"], references.kinds_of)
        yield from (f"Arguments.{fault}" for fault in local_path_faults(known))
    if step["Type"] in ("Training", "Tuning"):
        yield from (f"Arguments: {fault}" for fault in algorithm_faults(step["Type"], step["Arguments"]))
        for definition in _training_jobs(step["Type"], step["Arguments"]):
            yield from (f"Arguments: {fault}" for fault in training_job_faults(definition))
    caching = step.get("CacheConfig")
    if isinstance(caching, dict) and caching.get("Enabled") is True:
        yield from _expiry_faults(caching)
        yield from cache_faults(step)


def _training_jobs(step_type: str, arguments: Document) -> list[Document]:
    """Return the training jobs that a Training or Tuning step describes."""
    several = arguments.get("TrainingJobDefinitions")
    tuned = [arguments.get("TrainingJobDefinition"), *(several if isinstance(several, list) else [])]
    described = [arguments] if step_type == "Training" else tuned
    return [each for each in described if isinstance(each, dict) and not is_expression(each)]


def _expiry_faults(caching: Document) -> Iterator[str]:
    expiry = caching.get("ExpireAfter")
    if not isinstance(expiry, str):
        yield "CacheConfig: ExpireAfter is missing: the greatest age of a run that is used again, for example 'P30D'"
        return
    try:
        parse_duration(expiry)
    except DurationError as error:
        yield f"CacheConfig: ExpireAfter: {error}"


def nested_joins(value: Any, *, within_join: bool = False) -> Iterator[Any]:
    """Return every ``Std:Join`` that is nested in another one."""
    if isinstance(value, dict):
        is_join = set(value) == {"Std:Join"}
        if is_join and within_join:
            yield value
        for item in value.values():
            yield from nested_joins(item, within_join=within_join or is_join)
    elif isinstance(value, list):
        for item in value:
            yield from nested_joins(item, within_join=within_join)


def _grid_faults(arguments: Document) -> Iterator[str]:
    config = arguments["HyperParameterTuningJobConfig"]
    definitions = _training_jobs("Tuning", arguments)
    ranges = [config.get("ParameterRanges"), *(part.get("HyperParameterRanges") for part in definitions)]
    given = [part for part in ranges if part]
    # The value of an expression is not known before an execution.
    if config.get("Strategy") != "Grid" or _holds_expression([given, config.get("ResourceLimits")]):
        return
    if any(part.get("ContinuousParameterRanges") or part.get("IntegerParameterRanges") for part in given):
        yield "a grid takes categorical ranges only"
    points = sum(
        math.prod(len(item["Values"]) for item in part.get("CategoricalParameterRanges") or []) for part in given
    )
    jobs = config["ResourceLimits"].get("MaxNumberOfTrainingJobs")
    if jobs != points:
        yield f"MaxNumberOfTrainingJobs is {jobs} and the grid has {number_of(points, 'point')}"


def _holds_expression(value: Any) -> bool:
    if is_expression(value):
        return True
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(_holds_expression(item) for item in items)
