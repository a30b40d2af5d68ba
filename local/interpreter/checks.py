"""Check a parsed definition: its references, its step arguments, and cycles between its steps."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from definition_language.constraints import Constraint, Fault, Unknown, faults
from definition_language.expressions import (
    EXECUTION_VARIABLES,
    ExpressionError,
    Reference,
    references,
)
from definition_language.paths import show
from definition_language.sentences import place, sentence
from definition_language.steps import References, argument_faults, property_shape, text_faults
from local.aws.service_models import service_model
from local.aws.shapes import constraint_fault
from local.interpreter.definition import Definition, Step
from local.interpreter.step_types import RESOURCE_STEPS


def definition_faults(definition: Definition) -> Iterator[str]:
    """Find the faults of a definition that was parsed without faults.

    Yields:
        One message for each fault.
    """
    try:
        used = list(references(definition.experiment))
    except ExpressionError as error:
        yield f"PipelineExperimentConfig: {error}"
    else:
        for reference in used:
            if reference.root == "Steps":
                yield f"PipelineExperimentConfig: {reference} has no value before the steps run"
            else:
                yield from _reference_faults(definition, reference, "PipelineExperimentConfig")
    kinds = _reference_types(definition)
    for step in definition.steps.values():
        yield from _step_faults(definition, step, kinds)
    yield from _cycle_faults(definition)


def _step_faults(definition: Definition, step: Step, kinds: References) -> Iterator[str]:
    where = f"Step '{step.name}'"
    for name in step.depends_on:
        if name not in definition.steps:
            yield f"{where}: DependsOn: the pipeline has no step '{name}'"
    for reference in dict.fromkeys(references(step.arguments)):
        yield from _reference_faults(definition, reference, where)
    for fault in argument_faults(step.type, step.arguments, kinds.kinds_of):
        yield f"{where}: Model Validation failed: {_message(fault)}"
    for member, fault in text_faults(step.display_name, step.description):
        yield f"{where}: Model Validation failed: {sentence(fault, member)}"
    if step.type == "Fail" and set(step.arguments) != {"ErrorMessage"}:
        yield f"{where}: the only argument of a Fail step is ErrorMessage"
    if step.type == "Callback":
        shape = service_model().shape_for("String256")
        for fault in faults(shape, step.queue_url):
            yield f"{where}: Model Validation failed: {sentence(fault, 'SqsQueueUrl')}"
    yield from _output_faults(step, where)


def _reference_types(definition: Definition) -> References:
    return References(
        {parameter.name: parameter.type for parameter in definition.parameters.values()},
        {step.name: (step.type, step.outputs) for step in definition.steps.values()},
    )


def _message(fault: Fault) -> str:
    """Return the message for a fault of a step's arguments, in SageMaker's words."""
    parent = f"{place(fault.path[:-1], '')}: " if len(fault.path) > 1 else ""
    match fault.constraint:
        case Constraint.KNOWN:
            return f"{parent}Unknown Argument member '{fault.path[-1]}'"
        case Constraint.REQUIRED:
            return f"{parent}Missing Argument member '{fault.path[-1]}'"
        case Constraint.TYPE:
            return f"{place(fault.path, '')}: {_type_message(fault)}"
        case Constraint.ONE_OF_UNION:
            return sentence(fault, "")
        case _:
            return constraint_fault(fault)


def _type_message(fault: Fault) -> str:
    if isinstance(fault.value, Unknown):
        return f"Cannot assign {fault.value} to argument of type [{fault.expected}]"
    if fault.expected in ("structure", "map"):
        return "Expecting start of Json Object"
    if fault.expected == "list":
        return "Expecting start of Json Array"
    return f"Value {fault.value!r} is not of type {fault.expected}"


def _output_faults(step: Step, where: str) -> Iterator[str]:
    config = step.arguments.get("ProcessingOutputConfig")
    listed = config.get("Outputs") if isinstance(config, dict) else None
    outputs = [item.get("OutputName") for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    for name, file in step.property_files.items():
        if file.output_name not in outputs:
            yield f"{where}: PropertyFile '{name}': the step has no output '{file.output_name}'"


def _reference_faults(definition: Definition, reference: Reference, where: str) -> Iterator[str]:
    if reference.root == "Parameters":
        if reference.name not in definition.parameters:
            yield f"{where}: {reference}: the pipeline has no parameter '{reference.name}'"
    elif reference.root == "Execution":
        if reference.name not in EXECUTION_VARIABLES:
            yield f"{where}: {reference}: the execution variables are {', '.join(EXECUTION_VARIABLES)}"
    elif reference.root == "PipelineExperimentConfig":
        if reference.name not in definition.experiment:
            yield f"{where}: {reference}: PipelineExperimentConfig has no such member"
    elif reference.name not in definition.steps:
        yield f"{where}: {reference}: the pipeline has no step '{reference.name}'"
    else:
        yield from _property_faults(definition.steps[reference.name], reference, where)


def _property_faults(step: Step, reference: Reference, where: str) -> Iterator[str]:
    path = reference.path
    if reference.property_file is not None:
        if reference.property_file not in step.property_files:
            yield f"{where}: {reference}: step '{step.name}' has no property file '{reference.property_file}'"
    elif step.type in ("Lambda", "Callback"):
        if len(path) != 2 or path[0] != "OutputParameters" or path[1] not in step.outputs:
            outputs = ", ".join(step.outputs) or "none"
            yield f"{where}: {reference}: {step.type} step '{step.name}' has the OutputParameters: {outputs}"
    elif step.type in ("Condition", "Fail"):
        known = {"Condition": "Outcome", "Fail": "ErrorMessage"}[step.type]
        if path != (known,):
            yield f"{where}: {reference}: the only property of a {step.type} step is {known}"
    elif property_shape(step.type, path) is None:
        describe = RESOURCE_STEPS[step.type].describe
        yield f"{where}: {reference}: the response of {describe} has no member {show(path)}"


def _cycle_faults(definition: Definition) -> Iterator[str]:
    graph = {name: step.dependencies & set(definition.steps) for name, step in definition.steps.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        yield f"Cycle detected in the steps: {' -> '.join(reversed(error.args[1]))}"
