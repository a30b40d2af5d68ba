"""Replaces expressions by what is known of their values before an execution: a text, kinds, or nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from definition_language.constraints import SCALARS, Unknown
from definition_language.expressions import Json, Scalar, as_text, is_expression

Kinds = frozenset[str] | None
"""The possible kinds of a value, as in ``Unknown``."""

PARAMETER_KINDS: Mapping[str, frozenset[str]] = {
    "String": frozenset({"string"}),
    "Integer": frozenset({"integer"}),
    "Float": frozenset({"float"}),
    "Boolean": frozenset({"boolean"}),
}
"""Types of parameters and of a Lambda or Callback step's outputs, and the kinds of their values.

SageMaker checks them when a pipeline is created: "Cannot assign property reference [Parameters.split_number] to
argument of type [String]". Source: https://github.com/aws/sagemaker-python-sdk/issues/4867
"""


def foreseen(value: Json, kinds_of: Callable[[str], Kinds]) -> Any:
    """Replace the expressions in a value by what is known of their results.

    A ``Std:Join`` of literals has its text; other expressions become ``Unknown``. Null members are left out, as they
    are by SageMaker.

    Args:
        value: a step's arguments or a part of them.
        kinds_of: returns the possible kinds of a ``Get``'s value.
    """
    if is_expression(value):
        return _foreseen_expression(value, kinds_of)
    if isinstance(value, dict):
        return {name: foreseen(item, kinds_of) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [foreseen(item, kinds_of) for item in value]
    return value


def _foreseen_expression(value: dict[str, Json], kinds_of: Callable[[str], Kinds]) -> str | Unknown:
    ((function, operand),) = value.items()
    shown = json.dumps(value)
    if function == "Get":
        return Unknown(kinds_of(operand) if isinstance(operand, str) else None, shown)
    if function == "Std:JsonGet":
        return Unknown(SCALARS, shown)
    separator, parts = (operand.get("On", ""), operand.get("Values")) if isinstance(operand, dict) else ("", None)
    known = [foreseen(part, kinds_of) for part in parts] if isinstance(parts, list) else [None]
    if isinstance(separator, str) and all(isinstance(part, Scalar) for part in known):
        return separator.join(as_text(part) for part in known)
    return Unknown(frozenset({"string"}), shown)
