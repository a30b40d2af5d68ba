"""Convert a step's evaluated arguments to the types that its operation takes."""

from __future__ import annotations

from botocore.model import ListShape, MapShape, Shape, StructureShape

from definition_language.expressions import as_text
from local.interpreter.definition import Json, Scalar

_INTEGERS = ("integer", "long")
_FLOATS = ("float", "double")


def fit(shape: Shape, value: Json) -> Json:
    """Convert scalars to the types of a shape, as SageMaker does with evaluated expressions.

    A number or a boolean becomes a string where the shape has a string. A string becomes a number or a boolean where
    possible. Null members are left out. A value of another type stays as it is, because the operation reports the
    error.

    Args:
        shape: The shape of the operation's input, or of a part of it.
        value: The evaluated argument.
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
