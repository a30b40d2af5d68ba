"""The arguments of a step against the input shape of the operation that it calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from local.pipelines.definition import Json, Scalar
from local.pipelines.expressions import as_text, is_expression
from local.sagemaker.validation import faults

_INTEGERS = ("integer", "long")
_FLOATS = ("float", "double")


def fit(shape: Shape, value: Json) -> Json:
    """Give scalars the types that the shape wants, as the service does with evaluated expressions.

    A number or a boolean becomes a text where a text is wanted, and the other way round where the text reads
    as one. Null members are left out. What does not fit stays as it is: the operation will say what is wrong.
    """
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        return {
            name: fit(shape.members[name], item) if name in shape.members else item
            for name, item in value.items()
            if item is not None
        }
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {name: fit(shape.value, item) for name, item in value.items() if item is not None}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [fit(shape.member, item) for item in value]
    if isinstance(value, Scalar):
        return _fit_scalar(shape.type_name, value)
    return value


def argument_faults(
    shape: StructureShape, arguments: dict[str, Json], optional: frozenset[str], refused: frozenset[str]
) -> Iterator[str]:
    """Everything wrong with arguments whose expressions are not evaluated yet; any type is theirs.

    Args:
        shape: the operation's input.
        arguments: the step's Arguments.
        optional: members that the shape requires and the pipeline gives by itself.
        refused: members that the shape has and a step may not give.
    """
    for name in sorted(refused & set(arguments)):
        yield f"Unknown Argument member '{name}'"
    allowed = {name: value for name, value in arguments.items() if name not in refused}
    yield from _structure_faults(shape, allowed, "", optional)


def _fit_scalar(kind: str, value: Scalar) -> Scalar:
    if kind == "string":
        return as_text(value)
    fitted: Scalar = value
    if kind == "boolean" and str(value).lower() in ("true", "false"):
        fitted = str(value).lower() == "true"
    elif kind in (*_INTEGERS, *_FLOATS) and not isinstance(value, bool):
        try:
            number = float(value)
        except ValueError:
            return value
        if kind in _FLOATS:
            fitted = number
        elif number.is_integer():
            fitted = int(number)
    return fitted


def _faults(shape: Shape, value: Json, path: str) -> Iterator[str]:
    if is_expression(value) or value is None:
        return
    if isinstance(shape, StructureShape | MapShape):
        if not isinstance(value, dict):
            yield f"{path}: Expecting start of Json Object"
        elif isinstance(shape, StructureShape):
            yield from _structure_faults(shape, value, path, frozenset())
        else:
            for name, item in value.items():
                yield from _faults(shape.value, item, f"{path}.{name}")
    elif isinstance(shape, ListShape):
        if not isinstance(value, list):
            yield f"{path}: Expecting start of Json Array"
        else:
            for index, item in enumerate(value):
                yield from _faults(shape.member, item, f"{path}[{index}]")
    else:
        yield from _scalar_faults(shape, value, path)


def _structure_faults(
    shape: StructureShape, value: dict[str, Json], path: str, optional: frozenset[str]
) -> Iterator[str]:
    prefix = f"{path}." if path else ""
    where = f"{path}: " if path else ""
    for name in shape.required_members:
        if value.get(name) is None and name not in optional:
            yield f"{where}Missing Argument member '{name}'"
    for name, item in value.items():
        if name in shape.members:
            yield from _faults(shape.members[name], item, prefix + name)
        else:
            yield f"{where}Unknown Argument member '{name}'"


def _scalar_faults(shape: Shape, value: Json, path: str) -> Iterator[str]:
    if not isinstance(value, Scalar):
        yield f"{path}: a {shape.type_name} is expected, not {type(value).__name__}"
        return
    fitted = _fit_scalar(shape.type_name, value)
    if not isinstance(fitted, _python_types(shape.type_name)):
        yield f"{path}: Value {value!r} is not of type {shape.type_name}"
    else:
        yield from faults(shape, fitted, path)


def _python_types(kind: str) -> Any:
    if kind in _INTEGERS:
        return int
    if kind in _FLOATS:
        return (int, float)
    return {"boolean": bool, "string": str}.get(kind, Scalar)
