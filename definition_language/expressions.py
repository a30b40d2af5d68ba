"""Expressions of the definition language: ``Get``, ``Std:Join`` and ``Std:JsonGet``.

An expression is a JSON object with exactly one of these members. It may replace any value, at any depth.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from definition_language.paths import PathError, Token, follow, parse_path, show

Json = Any
"""A JSON value."""

Scalar = str | int | float | bool

FUNCTIONS = ("Get", "Std:Join", "Std:JsonGet")

EXECUTION_VARIABLES = (
    "CurrentDateTime",
    "PipelineArn",
    "PipelineExecutionArn",
    "PipelineExecutionId",
    "PipelineName",
    "ProcessingJobName",
    "StartDateTime",
    "TrainingJobName",
)


class ExpressionError(ValueError):
    """An expression is malformed or has no value in this execution."""


@dataclass(frozen=True)
class Reference:
    """The value that a ``Get`` refers to.

    Attributes:
        root: ``Parameters``, ``Execution``, ``PipelineExperimentConfig`` or ``Steps``.
        name: the parameter, variable or step.
        path: the property of the step; empty for other roots.
    """

    root: str
    name: str
    path: tuple[Token, ...] = ()

    @property
    def property_file(self) -> str | None:
        """The property file's name, if the reference is to a property file; None otherwise."""
        if self.root == "Steps" and len(self.path) == 2 and self.path[0] == "PropertyFiles":
            return str(self.path[1])
        return None

    def __str__(self) -> str:
        return ".".join(part for part in (self.root, self.name, show(self.path)) if part)


class Scope(Protocol):
    """The values of references in one step of one execution."""

    def value(self, reference: Reference) -> Json:
        """Return the value of a parameter, an execution variable or a step's property.

        Raises:
            ExpressionError: it has no value.
        """

    def json_file(self, location: Reference | str) -> Json:
        """Return the content of a property file, or of the JSON object at an S3 URI.

        Raises:
            ExpressionError: it cannot be read.
        """


def is_expression(value: Json) -> bool:
    """Return whether a value is an expression rather than plain JSON."""
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in FUNCTIONS


def references(value: Json) -> Iterator[Reference]:
    """Yield all references in the expressions of a value.

    Raises:
        ExpressionError: an expression is malformed.
    """
    if is_expression(value):
        function, operand = next(iter(value.items()))
        if function == "Get":
            yield _reference(operand)
        elif function == "Std:Join":
            yield from references(_join_operand(operand)[1])
        else:
            location, _ = _json_get_operand(operand)
            yield from references(location)
    elif isinstance(value, dict):
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def readable_references(value: Json) -> Iterator[Reference]:
    """Yield the references in the expressions of a value, up to the first malformed expression."""
    try:
        yield from references(value)
    except ExpressionError:
        return


def evaluate(value: Json, scope: Scope) -> Json:
    """Replace every expression in a value by its result.

    Raises:
        ExpressionError: an expression has no value.
    """
    if is_expression(value):
        function, operand = next(iter(value.items()))
        if function == "Get":
            return scope.value(_reference(operand))
        if function == "Std:Join":
            separator, parts = _join_operand(operand)
            return separator.join(as_text(evaluate(part, scope)) for part in parts)
        return _json_get(operand, scope)
    if isinstance(value, dict):
        return {name: evaluate(item, scope) for name, item in value.items()}
    if isinstance(value, list):
        return [evaluate(item, scope) for item in value]
    return value


def as_text(value: Json) -> str:
    """Return a scalar's text in a Join or in a string argument: ``1``, ``6.0``, ``true``.

    Raises:
        ExpressionError: the value is an object, a list or null.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, Scalar):
        return json.dumps(value)
    raise ExpressionError(f"a text, number or boolean is expected, not {_shortened(value)}")


def _json_get(operand: Json, scope: Scope) -> Json:
    location, path = _json_get_operand(operand)
    if is_expression(location) and "Get" in location:
        source: Reference | str = _reference(location["Get"])
    else:
        source = as_text(evaluate(location, scope))
    try:
        found = follow(scope.json_file(source), path)
    except PathError as error:
        raise ExpressionError(f"Std:JsonGet on {source}: {error}") from None
    if not isinstance(found, Scalar):
        raise ExpressionError(
            f"Std:JsonGet on {source}: {show(path)} is no text, number or boolean but {_shortened(found)}"
        )
    return found


def _reference(operand: Json) -> Reference:
    if not isinstance(operand, str):
        raise ExpressionError(f"Get takes a text, not {_shortened(operand)}")
    root, _, rest = operand.partition(".")
    if root == "Steps":
        name, _, path = rest.partition(".")
        if name and path:
            try:
                return Reference(root, name, parse_path(path))
            except PathError as error:
                raise ExpressionError(f"Get {operand!r}: {error}") from None
    elif root in ("Parameters", "Execution", "PipelineExperimentConfig") and rest:
        return Reference(root, rest)
    raise ExpressionError(
        f"Get {operand!r}: Parameters.<name>, Execution.<variable>, PipelineExperimentConfig.<member> or "
        "Steps.<step>.<property> is expected"
    )


def _join_operand(operand: Json) -> tuple[str, list[Json]]:
    if not isinstance(operand, dict) or set(operand) - {"On", "Values"}:
        raise ExpressionError(f"Std:Join takes On and Values, not {_shortened(operand)}")
    separator, parts = operand.get("On", ""), operand.get("Values")
    if not isinstance(separator, str) or not isinstance(parts, list):
        raise ExpressionError("Std:Join: On has to be a text and Values a list")
    return separator, parts


def _json_get_operand(operand: Json) -> tuple[Json, tuple[Token, ...]]:
    """Return the property file's Get or the S3 URI, and the path within the file."""
    members = set(operand) if isinstance(operand, dict) else set()
    if members not in ({"PropertyFile", "Path"}, {"S3Uri", "Path"}):
        raise ExpressionError(f"Std:JsonGet takes Path with PropertyFile or S3Uri, not {_shortened(operand)}")
    if not isinstance(operand["Path"], str):
        raise ExpressionError(f"Std:JsonGet: Path has to be a text, not {_shortened(operand['Path'])}")
    try:
        path = parse_path(operand["Path"])
    except PathError as error:
        raise ExpressionError(f"Std:JsonGet: {error}") from None
    if "S3Uri" in operand:
        return operand["S3Uri"], path
    file = operand["PropertyFile"]
    if not is_expression(file) or "Get" not in file or _reference(file["Get"]).property_file is None:
        raise ExpressionError(
            f"Std:JsonGet: PropertyFile has to be {{'Get': 'Steps.<step>.PropertyFiles.<name>'}}, "
            f"not {_shortened(file)}"
        )
    return file, path


def _shortened(value: Json) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "..."
