"""Checks that the references of a definition exist: parameters, variables, steps, properties, property files."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any

from definition_language.documents import all_steps, branches, own_arguments
from definition_language.expressions import (
    EXECUTION_VARIABLES,
    ExpressionError,
    Reference,
    readable_references,
    references,
)
from definition_language.steps import STEP_REQUESTS, Document, property_shape


def used_parameters(definition: Document) -> set[str]:
    """Return the names of the parameters that expressions refer to."""
    places = [definition.get("PipelineExperimentConfig"), *map(own_arguments, all_steps(definition))]
    found = [reference for place in places for reference in readable_references(place)]
    return {reference.name for reference in found if reference.root == "Parameters"}


def reference_faults(definition: Document) -> Iterator[str]:
    """Yield the expressions of a definition that cannot have a value, and cycles of steps."""
    steps = {step["Name"]: step for step in all_steps(definition)}
    for step in steps.values():
        name = step["Name"]
        try:
            found = list(dict.fromkeys(references(own_arguments(step))))
        except ExpressionError as error:
            yield f"{name}: {error}"
            continue
        for reference in found:
            yield from (f"{name}: {fault}" for fault in _faults(reference, steps, definition))
        for other in step.get("DependsOn") or []:
            if str(other) not in steps:
                yield f"{name}: it depends on {other!r}, a step that does not exist"
        yield from _property_file_faults(step)
    yield from _cycle_faults(steps)


def _faults(reference: Reference, steps: dict[str, Document], definition: Document) -> Iterator[str]:
    get = str(reference)
    if reference.root == "Execution" and reference.name not in EXECUTION_VARIABLES:
        yield f"{get!r} is not a variable of an execution; the variables are {', '.join(EXECUTION_VARIABLES)}"
    elif reference.root == "PipelineExperimentConfig":
        if reference.name not in (definition.get("PipelineExperimentConfig") or {}):
            yield f"{get!r}: PipelineExperimentConfig has no such member"
    elif reference.root == "Steps" and reference.name not in steps:
        yield f"{get!r} refers to a step that does not exist"
    elif reference.root == "Steps":
        yield from _property_faults(reference, steps[reference.name])


def _property_faults(reference: Reference, source: Document) -> Iterator[str]:
    get, name, path = str(reference), source["Name"], reference.path
    if reference.property_file is not None:
        files = [file.get("PropertyFileName") for file in _objects(source.get("PropertyFiles"))]
        if reference.property_file not in files:
            yield f"{get!r}: {name} has no such property file"
    elif source["Type"] in ("Lambda", "Callback"):
        outputs = [output.get("OutputName") for output in _objects(source.get("OutputParameters"))]
        if len(path) != 2 or path[0] != "OutputParameters" or path[1] not in outputs:
            yield f"{get!r}: the output parameters of {name} are {', '.join(map(str, outputs)) or 'none'}"
    elif source["Type"] in STEP_REQUESTS and property_shape(source["Type"], path) is None:
        describe = STEP_REQUESTS[source["Type"]].describes[0]
        yield f"{get!r}: {describe} returns no member of that name"


def _property_file_faults(source: Document) -> Iterator[str]:
    if source["Type"] != "Processing":
        return
    config = source.get("Arguments", {}).get("ProcessingOutputConfig")
    outputs = [
        output.get("OutputName") for output in _objects(config.get("Outputs") if isinstance(config, dict) else [])
    ]
    for file in _objects(source.get("PropertyFiles")):
        if file.get("OutputName") not in outputs:
            yield f"{source['Name']}: the property file's output {file.get('OutputName')!r} is not one of its outputs"


def _cycle_faults(steps: dict[str, Document]) -> Iterator[str]:
    graph: dict[str, set[str]] = {}
    for name, step in steps.items():
        found = {reference.name for reference in readable_references(own_arguments(step)) if reference.root == "Steps"}
        graph[name] = graph.get(name, set()) | {other for other in found if other in steps}
        graph[name] |= {str(other) for other in step.get("DependsOn") or [] if str(other) in steps}
        for branch in branches(step):
            for inner in branch:
                graph.setdefault(inner["Name"], set()).add(name)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        yield f"steps wait for each other: {' -> '.join(reversed(error.args[1]))}"


def _objects(value: Any) -> list[Document]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
