"""Checks the form of a definition's JSON, and lists its steps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from definition_language.expressions import is_expression
from definition_language.steps import Document, References
from definition_language.values import PARAMETER_KINDS

OLDEST_VERSION = "2020-12-01"
STEP_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-_]{0,63}")


def all_steps(definition: Document) -> list[Document]:
    """Return every step in the order of the definition, including the steps in the branches of conditions."""

    def walk(steps: list[Document]) -> Iterator[Document]:
        for step in steps:
            yield step
            for branch in branches(step):
                yield from walk(branch)

    return list(walk(definition["Steps"]))


def branches(step: Document) -> list[list[Document]]:
    """Return the two branches of a condition step; empty for other steps."""
    if step["Type"] != "Condition":
        return []
    return [step["Arguments"].get(name) or [] for name in ("IfSteps", "ElseSteps")]


def own_arguments(step: Document) -> Any:
    """Return a step's arguments, without the branches of a condition step."""
    arguments = step.get("Arguments", {})
    return arguments.get("Conditions") if step["Type"] == "Condition" else arguments


def known_references(definition: Document) -> References:
    """Return the types of everything that a definition's references may name."""
    return References(
        {parameter["Name"]: type_of(parameter) for parameter in definition.get("Parameters") or []},
        {step["Name"]: (step["Type"], _output_types(step)) for step in all_steps(definition)},
    )


def type_of(parameter: Document) -> str:
    """Return a parameter's type, String by default.

    Source: StringParameter of https://aws-sagemaker-mlops.github.io/sagemaker-model-building-pipeline-definition-JSON-schema/
    """
    return str(parameter.get("Type", "String"))


def form_faults(document: Any) -> Iterator[str]:
    """Yield the faults in a document's form. Without any, the other functions can read it."""
    if not isinstance(document, dict):
        yield "a definition is a JSON object"
        return
    version = document.get("Version")
    if not isinstance(version, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", version):
        yield f"Version is {version!r}; it must be a date, for example {OLDEST_VERSION}"
    elif version < OLDEST_VERSION:
        yield f"Version {version} is older than {OLDEST_VERSION}"
    yield from _parameter_form_faults(document.get("Parameters"))
    if not document.get("Steps"):
        yield "Steps: a pipeline has at least one step"
    else:
        yield from _steps_form_faults(document["Steps"], "Steps")


def _parameter_form_faults(parameters: Any) -> Iterator[str]:
    if parameters is not None and not isinstance(parameters, list):
        yield "Parameters is a list"
        return
    for index, parameter in enumerate(parameters or []):
        if not isinstance(parameter, dict) or not isinstance(parameter.get("Name"), str):
            yield f"Parameters[{index}]: a parameter is an object with a Name"
        elif type_of(parameter) not in PARAMETER_KINDS:
            kinds = ", ".join(PARAMETER_KINDS)
            yield f"parameter {parameter['Name']}: its type is {parameter.get('Type')!r}, not one of {kinds}"
        elif not isinstance(parameter.get("EnumValues") or [], list):
            yield f"parameter {parameter['Name']}: EnumValues is a list"


def _steps_form_faults(steps: Any, where: str) -> Iterator[str]:
    if not isinstance(steps, list):
        yield f"{where} is a list"
        return
    for index, step in enumerate(steps):
        if not isinstance(step, dict) or not all(isinstance(step.get(name), str) for name in ("Name", "Type")):
            yield f"{where}[{index}]: a step is an object with a Name and a Type, which are texts"
            continue
        if not isinstance(step.get("Arguments", {}), dict) or is_expression(step.get("Arguments")):
            yield f"{step['Name']}: Arguments is an object"
            continue
        for name in ("DependsOn", "PropertyFiles", "OutputParameters"):
            if not isinstance(step.get(name) or [], list):
                yield f"{step['Name']}: {name} is a list"
        if step["Type"] == "Condition":
            for name in ("IfSteps", "ElseSteps"):
                yield from _steps_form_faults(step.get("Arguments", {}).get(name) or [], f"{step['Name']}.{name}")


def _output_types(step: Document) -> dict[str, str]:
    outputs = [item for item in step.get("OutputParameters") or [] if isinstance(item, dict)]
    return {str(item.get("OutputName")): str(item.get("OutputType")) for item in outputs}
