"""Conditions of a condition step."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

from definition_language.expressions import ExpressionError, Scope, as_text, evaluate
from local.interpreter.definition import Json

_ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}
_OPERANDS = {
    "Equals": {"LeftValue", "RightValue"},
    **{name: {"LeftValue", "RightValue"} for name in _ORDERINGS},
    "In": {"QueryValue", "Values"},
    "Not": {"Condition"},
    "Or": {"Conditions"},
}


def condition_faults(condition: Json, where: str) -> Iterator[str]:
    """What is malformed in a condition and the conditions within it."""
    if not isinstance(condition, dict) or condition.get("Type") not in list(_OPERANDS):
        kind = condition.get("Type") if isinstance(condition, dict) else condition
        yield f"{where}: unknown condition type {kind!r}; supported: {', '.join(_OPERANDS)}"
        return
    operands = set(condition) - {"Type"}
    wanted = _OPERANDS[condition["Type"]]
    if operands != wanted:
        yield f"{where}: {condition['Type']} takes {' and '.join(sorted(wanted))}, not {sorted(operands)}"
    elif condition["Type"] == "Not":
        yield from condition_faults(condition["Condition"], f"{where}.Condition")
    elif condition["Type"] in ("In", "Or"):
        member = "Values" if condition["Type"] == "In" else "Conditions"
        if not isinstance(condition[member], list) or not condition[member]:
            yield f"{where}: {member} has to be a list with something in it"
        elif member == "Conditions":
            for index, nested in enumerate(condition[member]):
                yield from condition_faults(nested, f"{where}.Conditions[{index}]")


def holds(condition: dict[str, Json], scope: Scope) -> bool:
    """Whether a condition is true.

    Raises:
        ExpressionError: an operand has no value, or two operands cannot be ordered.
    """
    kind = condition["Type"]
    if kind == "Not":
        return not holds(condition["Condition"], scope)
    if kind == "Or":
        return any(holds(nested, scope) for nested in condition["Conditions"])
    if kind == "In":
        query = evaluate(condition["QueryValue"], scope)
        return any(_equal(query, evaluate(value, scope)) for value in condition["Values"])
    left, right = evaluate(condition["LeftValue"], scope), evaluate(condition["RightValue"], scope)
    if kind == "Equals":
        return _equal(left, right)
    if not (_is_number(left) and _is_number(right)):
        raise ExpressionError(
            f"{kind} compares numbers, not {as_text(left)!r} and {as_text(right)!r}: "
            "give both sides as numbers (a parameter's type, a number in the property file)"
        )
    return _ORDERINGS[kind](left, right)


def _equal(left: Json, right: Json) -> bool:
    """Equality in which true is not 1, as in JSON and unlike in Python."""
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
