"""Checks of EventBridge's event patterns. Moto matches them, but it accepts patterns that EventBridge refuses.

Sources: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html and EventBridge's
own compiler, https://github.com/aws/event-ruler
"""

from __future__ import annotations

import ipaddress
from typing import Any

from local.core.errors import ServiceError
from local.core.json_text import JsonError, read_json

_WITHIN_ANYTHING_BUT = ("prefix", "suffix", "equals-ignore-case", "wildcard")
_LOWER_BOUNDS, _UPPER_BOUNDS = (">", ">="), ("<", "<=")


def check_pattern(text: str) -> None:
    """Check an event pattern.

    Raises:
        ServiceError: InvalidEventPatternException, in EventBridge's words.
    """
    try:
        pattern = read_json(text)
    except JsonError:
        raise _invalid("Invalid JSON") from None
    if not isinstance(pattern, dict):
        raise _invalid("Filter is not an object")
    _check_object(pattern)


def _check_object(pattern: dict[str, Any]) -> None:
    if not pattern:
        raise _invalid("Empty objects are not allowed")
    for key, value in pattern.items():
        if key == "$or":
            _check_alternatives(value)
        elif isinstance(value, dict):
            _check_object(value)
        elif not isinstance(value, list):
            raise _invalid(f'"{key}" must be an object or an array')
        elif not value:
            raise _invalid("Empty arrays are not allowed")
        else:
            for matcher in value:
                _check_matcher(matcher)


def _check_alternatives(value: Any) -> None:
    if not isinstance(value, list) or len(value) < 2 or not all(isinstance(each, dict) for each in value):
        raise _invalid("There must have at least 2 Objects in $or relationship.")
    for each in value:
        _check_object(each)


def _check_matcher(matcher: Any) -> None:
    if matcher is None or isinstance(matcher, str | int | float):
        return
    if not isinstance(matcher, dict):
        raise _invalid("Match value must be String, number, true, false, or null")
    if len(matcher) != 1:
        raise _invalid("Only one key allowed in match expression")
    ((operator, value),) = matcher.items()
    check = _CHECKS.get(operator)
    if check is None:
        raise _invalid(f"Unrecognized match type {operator}")
    check(operator, value)


def _check_affix(operator: str, value: Any) -> None:
    if isinstance(value, dict) and set(value) == {"equals-ignore-case"}:
        value = value["equals-ignore-case"]
    _check_text(operator, value)


def _check_text(operator: str, value: Any) -> None:
    if not isinstance(value, str):
        raise _invalid(f"{operator} match pattern must be a string")


def _check_wildcard(operator: str, value: Any) -> None:
    _check_text(operator, value)
    if "**" in value:
        raise _invalid(f"Consecutive wildcard characters at pos {value.index('**') + 1}")


def _check_exists(_: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise _invalid("exists match pattern must be either true or false.")


def _check_network(operator: str, value: Any) -> None:
    _check_text(operator, value)
    if "/" not in value:
        raise _invalid("Malformed CIDR, one '/' required")
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise _invalid(f"Nonstandard IP address: {value.partition('/')[0]}") from None


def _check_anything_but(_: str, value: Any) -> None:
    if isinstance(value, dict):
        if len(value) != 1:
            raise _invalid("Only one key allowed in match expression")
        ((operator, inner),) = value.items()
        if operator not in _WITHIN_ANYTHING_BUT:
            raise _invalid(f"Unsupported anything-but pattern: {operator}")
        check = _check_wildcard if operator == "wildcard" else _check_text
        for each in inner if isinstance(inner, list) and inner else [inner]:
            check(operator, each)
        return
    for each in value if isinstance(value, list) and value else [value]:
        if isinstance(each, bool) or not isinstance(each, str | int | float):
            raise _invalid("Value of anything-but must be an array or single string/number value.")


def _check_numeric(_: str, value: Any) -> None:
    if not isinstance(value, list):
        raise _invalid("Value of numeric must be an array.")
    if not value or not isinstance(value[0], str):
        raise _invalid(f"Invalid member in numeric match: {value[0] if value else ']'}")
    operator = value[0]
    if operator not in (*_LOWER_BOUNDS, *_UPPER_BOUNDS, "="):
        raise _invalid(f"Unrecognized numeric range operator: {operator}")
    first = _bound(operator, value[1:2])
    if len(value) == 2:
        return
    if operator not in _LOWER_BOUNDS:
        raise _invalid("Too many elements in numeric expression")
    if value[2] not in _UPPER_BOUNDS:
        raise _invalid(f"Bad numeric range operator: {value[2]}")
    if _bound(value[2], value[3:4]) <= first:
        raise _invalid("Bottom must be less than top")
    if len(value) > 4:
        raise _invalid("Too many terms in numeric range expression")


def _bound(operator: str, values: list[Any]) -> float:
    if not values or isinstance(values[0], bool) or not isinstance(values[0], int | float):
        raise _invalid(f"Value of {'equals' if operator == '=' else operator} must be numeric")
    return values[0]


_CHECKS = {
    "prefix": _check_affix,
    "suffix": _check_affix,
    "equals-ignore-case": _check_text,
    "wildcard": _check_wildcard,
    "exists": _check_exists,
    "cidr": _check_network,
    "anything-but": _check_anything_but,
    "numeric": _check_numeric,
}


def _invalid(reason: str) -> ServiceError:
    return ServiceError("InvalidEventPatternException", f"Event pattern is not valid. Reason: {reason}")
