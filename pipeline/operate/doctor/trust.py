"""Reads from a role's trust policy whether a service may assume the role."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_ASSUME = ("sts:assumerole", "sts:*", "*")


@dataclass(frozen=True)
class TrustCondition:
    """A condition under which a service may assume a role.

    Attributes:
        key: the condition key in lower case, for example ``aws:sourceaccount``.
        values: patterns, one of which the key must match.
        is_strict: whether the condition rejects a service that does not send the key; ``...IfExists`` accepts it.
    """

    key: str
    values: list[str]
    is_strict: bool


def trust_conditions(policy: dict[str, Any], service: str) -> list[list[TrustCondition]]:
    """Return the conditions under which a policy lets a service assume the role.

    Args:
        policy: the trust policy from GetRole.
        service: for example ``sagemaker.amazonaws.com``.

    Returns:
        The conditions of each statement that allows it; empty if the service may not assume the role.
    """
    return [[*_conditions(statement)] for statement in _list(policy.get("Statement")) if _allows(statement, service)]


def _allows(statement: dict[str, Any], service: str) -> bool:
    principal = statement.get("Principal", {})
    services = ["*"] if principal == "*" else _list(principal.get("Service"))
    return (
        statement.get("Effect") == "Allow"
        and any(str(action).lower() in _ASSUME for action in _list(statement.get("Action")))
        and (service in services or "*" in services)
    )


def _conditions(statement: dict[str, Any]) -> Iterator[TrustCondition]:
    for operator, keys in statement.get("Condition", {}).items():
        for key, values in keys.items():
            texts = [str(value) for value in _list(values)]
            yield TrustCondition(key.lower(), texts, not operator.lower().endswith("ifexists"))


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
