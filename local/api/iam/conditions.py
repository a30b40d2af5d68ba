"""Evaluate the Condition elements of IAM policies.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_variables.html
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from local.core.errors import not_implemented

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_LITERALS = {"*": "\ue000", "?": "\ue001", "$": "$"}
"""The special variables. Private characters stand for the literal wildcards until the pattern is compiled."""


@dataclass
class Context:
    """The values of condition keys in a simulated request.

    Attributes:
        values: values by key; keys are lower case, because IAM ignores their case.
        missing: the keys that a policy asked for without a value, as the policy writes them.
    """

    values: Mapping[str, tuple[str, ...]]
    missing: dict[str, None] = field(default_factory=dict)

    def find(self, key: str) -> tuple[str, ...] | None:
        """Return a key's values; None, and note the key as missing, if the request has none."""
        found = self.values.get(key.lower())
        if found is None:
            self.missing[key] = None
        return found


def resolve_variables(text: str, context: Context) -> str | None:
    """Replace the variables of a policy's text, for example ``${aws:username}``.

    Returns:
        The text, or None if a variable has no value: then the text matches nothing.
    """
    unresolved = False

    def value(match: re.Match[str]) -> str:
        nonlocal unresolved
        name, _, default = (part.strip() for part in match[1].partition(","))
        if name in _LITERALS:
            return _LITERALS[name]
        found = context.find(name)
        if found is None and default:
            return default.strip("'")
        unresolved = unresolved or found is None or len(found) != 1
        return found[0] if found else ""

    resolved = _VARIABLE.sub(value, text)
    return None if unresolved else resolved


def matches(pattern: str, text: str, *, ignore_case: bool = False) -> bool:
    """Return whether a text matches a pattern with the wildcards ``*`` and ``?``."""
    return _compiled(pattern, ignore_case).fullmatch(text) is not None


@cache
def _compiled(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    parts = {"*": ".*", "?": ".", _LITERALS["*"]: r"\*", _LITERALS["?"]: r"\?"}
    written = "".join(parts.get(character) or re.escape(character) for character in pattern)
    return re.compile(written, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def _arn_matches(pattern: str, text: str) -> bool:
    """Compare ARNs: each of the six parts between colons for itself."""
    patterns, texts = pattern.split(":", 5), text.split(":", 5)
    return len(patterns) == len(texts) == 6 and all(map(matches, patterns, texts))


def _numeric(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    def apply(wanted: str, value: str) -> bool:
        try:
            return compare(float(value), float(wanted))
        except ValueError:
            return False

    return apply


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda wanted, value: _plain(wanted) == value,
    "StringEqualsIgnoreCase": lambda wanted, value: _plain(wanted).lower() == value.lower(),
    "StringLike": matches,
    "ArnEquals": _arn_matches,
    "ArnLike": _arn_matches,
    "Bool": lambda wanted, value: wanted.lower() == value.lower(),
    "NumericEquals": _numeric(operator.eq),
    "NumericLessThan": _numeric(operator.lt),
    "NumericLessThanEquals": _numeric(operator.le),
    "NumericGreaterThan": _numeric(operator.gt),
    "NumericGreaterThanEquals": _numeric(operator.ge),
}
_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NumericNotEquals": "NumericEquals",
}


def _plain(text: str) -> str:
    for character, stand_in in _LITERALS.items():
        text = text.replace(stand_in, character)
    return text


def is_met(conditions: Mapping[str, Mapping[str, Any]], context: Context) -> bool:
    """Return whether all conditions of a statement hold.

    Raises:
        ServiceError: NotImplementedException, because an operator is not evaluated here (dates, IP addresses, bytes).
    """
    # No generator: every key is looked up, so that all missing ones are reported.
    results = [
        _holds(name, key, _texts(wanted), context) for name, keys in conditions.items() for key, wanted in keys.items()
    ]
    return all(results)


def _holds(name: str, key: str, wanted: list[str], context: Context) -> bool:
    quantifier, _, plain = name.rpartition(":")
    base = plain.removesuffix("IfExists")
    is_negated = base in _NEGATED
    found = context.find(key)
    if base == "Null":
        return str(found is None).lower() in (item.lower() for item in wanted)
    compare = _OPERATORS.get(_NEGATED.get(base, base))
    if compare is None or quantifier not in ("", "ForAnyValue", "ForAllValues"):
        raise not_implemented("iam", f"SimulatePrincipalPolicy with the condition operator {name}")
    if found is None:
        return base != plain or quantifier == "ForAllValues" or (is_negated and not quantifier)
    resolved = [text for item in wanted if (text := resolve_variables(item, context)) is not None]

    def agrees(value: str) -> bool:
        return any(compare(item, value) for item in resolved) is not is_negated

    # A negated comparison without a quantifier holds if it holds for each value of the request.
    needs_all = quantifier == "ForAllValues" or (is_negated and not quantifier)
    return all(map(agrees, found)) if needs_all else any(map(agrees, found))


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [str(item).lower() if isinstance(item, bool) else str(item) for item in values]
