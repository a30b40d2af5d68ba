"""Faults of a definition that the SDK lets pass and that SageMaker would only find while it executes.

Each check takes a definition as SageMaker takes it, not the SDK's objects, and yields sentences that begin with the
place: ``MakeFolds: Arguments.ProcessingResources.ClusterConfig: ...``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from pipeline.lint_shapes import argument_faults

Definition = dict[str, Any]
Step = dict[str, Any]

_STEP_NAME = re.compile(r"[A-Za-z0-9](-*[A-Za-z0-9]){0,63}")
_REFERENCE = re.compile(r"(Parameters|Steps|Execution)\.([A-Za-z0-9-]+)")


def lint(definition: Definition) -> list[str]:
    """All faults of a definition; an empty list for a good one."""
    faults = [*_parameter_faults(definition), *_name_faults(definition), *_reference_faults(definition)]
    for step in all_steps(definition):
        faults += [f"{step['Name']}: {fault}" for fault in _step_faults(step)]
    return faults


def all_steps(definition: Definition) -> list[Step]:
    """Every step, those in the branches of conditions too, in the order of the definition."""

    def walk(steps: list[Step]) -> Iterator[Step]:
        for step in steps:
            yield step
            if step["Type"] == "Condition":
                yield from walk(step["Arguments"]["IfSteps"])
                yield from walk(step["Arguments"]["ElseSteps"])

    return list(walk(definition["Steps"]))


def references(value: Any) -> Iterator[str]:
    """Every ``Get`` within a value, for example ``Steps.MakeFolds.ProcessingJobName``."""
    if isinstance(value, dict):
        if set(value) == {"Get"}:
            yield value["Get"]
        else:
            for item in value.values():
                yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def nested_joins(value: Any, *, within_join: bool = False) -> Iterator[Any]:
    """Every ``Std:Join`` that is part of another one."""
    if isinstance(value, dict):
        is_join = set(value) == {"Std:Join"}
        if is_join and within_join:
            yield value
        for item in value.values():
            yield from nested_joins(item, within_join=within_join or is_join)
    elif isinstance(value, list):
        for item in value:
            yield from nested_joins(item, within_join=within_join)


def _parameter_faults(definition: Definition) -> Iterator[str]:
    declared = {parameter["Name"] for parameter in definition["Parameters"]}
    found = [_REFERENCE.match(get) for get in references(definition["Steps"])]
    used = {match[2] for match in found if match is not None and match[1] == "Parameters"}
    for name in sorted(used - declared):
        yield f"parameter {name} is used and not declared"
    for name in sorted(declared - used):
        yield f"parameter {name} is declared and not used: it would do nothing in the form"
    for parameter in definition["Parameters"]:
        choices, default = parameter.get("EnumValues"), parameter.get("DefaultValue")
        if choices and default not in choices:
            yield f"parameter {parameter['Name']}: its default {default!r} is not one of {choices}"


def _name_faults(definition: Definition) -> Iterator[str]:
    names = [step["Name"] for step in all_steps(definition)]
    for name in names:
        if not _STEP_NAME.fullmatch(name):
            yield f"{name}: a step's name has letters, digits and hyphens between them, 64 at the most"
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{name}: two steps have this name"


def _reference_faults(definition: Definition) -> Iterator[str]:
    steps = {step["Name"]: step for step in all_steps(definition)}
    for step in steps.values():
        for get in references({"Arguments": _own_arguments(step), "DependsOn": step.get("DependsOn", [])}):
            match = _REFERENCE.match(get)
            if match is None:
                yield f"{step['Name']}: {get!r} refers to nothing that a definition has"
            elif match[1] == "Steps" and match[2] not in steps:
                yield f"{step['Name']}: {get!r} refers to a step that is not there"
            elif match[1] == "Steps" and ".PropertyFiles." in get:
                yield from _property_file_faults(step["Name"], get, steps[match[2]])


def _property_file_faults(name: str, get: str, source: Step) -> Iterator[str]:
    files = {file["PropertyFileName"]: file for file in source.get("PropertyFiles", [])}
    file = files.get(get.rpartition(".")[2])
    if file is None:
        yield f"{name}: {get!r}: {source['Name']} has no such property file"
        return
    outputs = source["Arguments"]["ProcessingOutputConfig"]["Outputs"]
    if file["OutputName"] not in [output["OutputName"] for output in outputs]:
        yield f"{source['Name']}: the property file's output {file['OutputName']!r} is not one of its outputs"


def _own_arguments(step: Step) -> Any:
    """Arguments without the steps that a condition holds, which are looked at by themselves."""
    arguments = step["Arguments"]
    return arguments["Conditions"] if step["Type"] == "Condition" else arguments


def _step_faults(step: Step) -> Iterator[str]:
    for join in nested_joins(_own_arguments(step)):
        yield f"a Std:Join within a Std:Join, which no documentation shows: write one with all values: {join}"
    yield from argument_faults(step["Type"], step["Arguments"])
    if step["Type"] == "Tuning":
        yield from _tuning_faults(step["Arguments"])
    if step.get("CacheConfig", {}).get("Enabled"):
        yield from _cache_faults(step)


def _tuning_faults(arguments: dict[str, Any]) -> Iterator[str]:
    config = arguments["HyperParameterTuningJobConfig"]
    ranges = config["ParameterRanges"]
    if config["Strategy"] != "Grid":
        return
    if ranges.get("ContinuousParameterRanges") or ranges.get("IntegerParameterRanges"):
        yield "a grid takes categorical ranges only"
    points = math.prod(len(part["Values"]) for part in ranges.get("CategoricalParameterRanges", []))
    jobs = config["ResourceLimits"].get("MaxNumberOfTrainingJobs")
    if jobs != points:
        yield f"MaxNumberOfTrainingJobs is {jobs} and the grid has {points} points"


def _cache_faults(step: Step) -> Iterator[str]:
    """What is part of the cache key must not differ between executions.

    Source: "Default cache key attributes" in the Amazon SageMaker AI Developer Guide, Caching pipeline steps.
    """
    arguments = step["Arguments"]
    training = arguments.get("TrainingJobDefinition", {})
    keyed = {
        "AppSpecification": arguments.get("AppSpecification"),
        "Environment": arguments.get("Environment"),
        "ProcessingInputs": arguments.get("ProcessingInputs"),
        "HyperParameterTuningJobConfig": arguments.get("HyperParameterTuningJobConfig"),
        "StaticHyperParameters": training.get("StaticHyperParameters"),
        "InputDataConfig": training.get("InputDataConfig"),
    }
    for place, value in keyed.items():
        for get in references(value):
            if get.startswith("Execution."):
                yield f"{place} holds {get}: no later execution would find the step in the cache"
