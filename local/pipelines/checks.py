"""Faults that one step alone does not show: names that lead nowhere, cycles, arguments no operation takes."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from botocore.model import ListShape, MapShape, Shape, StructureShape

from local.pipelines.arguments import argument_faults
from local.pipelines.definition import Definition, Step
from local.pipelines.expressions import (
    EXECUTION_VARIABLES,
    ExpressionError,
    Reference,
    references,
)
from local.pipelines.paths import Token, show
from local.pipelines.step_types import RESOURCE_STEPS

_OPTIONAL_MEMBERS = frozenset({"RoleArn", "ExecutionRoleArn"})
"""The pipeline's own role stands in where a step names none."""

_REFUSED_MEMBERS = {"RegisterModel": frozenset({"ModelPackageName", "ClientToken"})}


def definition_faults(definition: Definition) -> Iterator[str]:
    """Everything wrong with a definition whose steps were read without fault."""
    try:
        wanted = list(references(definition.experiment))
    except ExpressionError as error:
        yield f"PipelineExperimentConfig: {error}"
    else:
        for reference in wanted:
            if reference.root == "Steps":
                yield f"PipelineExperimentConfig: {reference} is not known before the steps run"
            else:
                yield from _reference_faults(definition, reference, "PipelineExperimentConfig")
    for step in definition.steps.values():
        yield from _step_faults(definition, step)
    yield from _cycle_faults(definition)


def _step_faults(definition: Definition, step: Step) -> Iterator[str]:
    where = f"Step '{step.name}'"
    for name in step.depends_on:
        if name not in definition.steps:
            yield f"{where}: DependsOn: there is no step '{name}'"
    for reference in dict.fromkeys(references(step.arguments)):
        yield from _reference_faults(definition, reference, where)
    kind = RESOURCE_STEPS.get(step.type)
    if kind is not None:
        refused = _REFUSED_MEMBERS.get(step.type, frozenset())
        optional = _OPTIONAL_MEMBERS | {kind.name_member}
        for fault in argument_faults(kind.input_shape, step.arguments, optional, refused):
            yield f"{where}: Model Validation failed: {fault}"
    if step.type == "Fail" and set(step.arguments) != {"ErrorMessage"}:
        yield f"{where}: a Fail step's Arguments have ErrorMessage and nothing else"
    yield from _output_faults(step, where)


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
            yield f"{where}: {reference}: execution variables are {', '.join(EXECUTION_VARIABLES)}"
    elif reference.root == "PipelineExperimentConfig":
        if reference.name not in definition.experiment:
            yield f"{where}: {reference}: PipelineExperimentConfig has no such member"
    elif reference.name not in definition.steps:
        yield f"{where}: {reference}: there is no step '{reference.name}'"
    else:
        yield from _property_faults(definition.steps[reference.name], reference, where)


def _property_faults(step: Step, reference: Reference, where: str) -> Iterator[str]:
    path = reference.path
    if reference.property_file is not None:
        if reference.property_file not in step.property_files:
            yield f"{where}: {reference}: step '{step.name}' has no property file '{reference.property_file}'"
    elif step.type == "Lambda":
        if len(path) != 2 or path[0] != "OutputParameters" or path[1] not in step.outputs:
            outputs = ", ".join(step.outputs) or "none"
            yield f"{where}: {reference}: the OutputParameters of Lambda step '{step.name}': {outputs}"
    elif step.type in ("Condition", "Fail"):
        known = {"Condition": "Outcome", "Fail": "ErrorMessage"}[step.type]
        if path != (known,):
            yield f"{where}: {reference}: a {step.type} step has the property {known} only"
    elif not any(_leads_somewhere(shape, path) for shape in RESOURCE_STEPS[step.type].property_shapes):
        describe = RESOURCE_STEPS[step.type].describe
        yield f"{where}: {reference}: {describe} answers with nothing at {show(path)}"


def _leads_somewhere(shape: Shape, path: tuple[Token, ...]) -> bool:
    if not path:
        return True
    token, rest = path[0], path[1:]
    if isinstance(shape, StructureShape):
        return token in shape.members and _leads_somewhere(shape.members[token], rest)
    if isinstance(shape, MapShape):
        return _leads_somewhere(shape.value, rest)
    return isinstance(shape, ListShape) and _leads_somewhere(shape.member, rest)


def _cycle_faults(definition: Definition) -> Iterator[str]:
    graph = {name: step.dependencies & set(definition.steps) for name, step in definition.steps.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        yield f"Cycle detected in the steps: {' -> '.join(reversed(error.args[1]))}"
