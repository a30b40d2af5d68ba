"""Check and evaluate the conditions of a condition step."""

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
    """Find the faults of a condition and of its nested conditions.

    Args:
        condition: The condition, as it is in the definition.
        where: The condition's place, for messages.

    Yields:
        One message for each fault.
    """
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
            yield f"{where}: {member} must be a list that is not empty"
        elif member == "Conditions":
            for index, nested in enumerate(condition[member]):
                yield from condition_faults(nested, f"{where}.Conditions[{index}]")


def is_true(condition: dict[str, Json], scope: Scope) -> bool:
    """Return whether a condition is true.

    Raises:
        ExpressionError: An operand has no value, or the operands of an ordering are not numbers.
    """
    kind = condition["Type"]
    if kind == "Not":
        return not is_true(condition["Condition"], scope)
    if kind == "Or":
        return any(is_true(nested, scope) for nested in condition["Conditions"])
    if kind == "In":
        query = evaluate(condition["QueryValue"], scope)
        return any(_equal(query, evaluate(value, scope)) for value in condition["Values"])
    left, right = evaluate(condition["LeftValue"], scope), evaluate(condition["RightValue"], scope)
    if kind == "Equals":
        return _equal(left, right)
    if not (_is_number(left) and _is_number(right)):
        raise ExpressionError(
            f"{kind} compares numbers, not {as_text(left)!r} and {as_text(right)!r}: "
            "make both sides numbers; check the parameter's type or the value in the property file"
        )
    return _ORDERINGS[kind](left, right)


def _equal(left: Json, right: Json) -> bool:
    """Return whether two JSON values are equal. In JSON, true is not equal to 1; in Python, it is."""
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
