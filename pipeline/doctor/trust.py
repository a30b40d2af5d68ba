"""Reading a role's trust policy: may a service assume the role?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_ASSUME = ("sts:assumerole", "sts:*", "*")


def trust_conditions(policy: dict[str, Any], service: str) -> list[dict[str, list[str]]]:
    """Return the conditions under which a policy lets a service assume the role.

    Args:
        policy: the trust policy, as GetRole gives it.
        service: for example ``sagemaker.amazonaws.com``.

    Returns:
        For each statement that allows it, the condition keys in lower case with the values that they admit; an empty
        mapping is a statement without conditions. Without any entry, the service may not assume the role.
    """
    return [_conditions(statement) for statement in _list(policy.get("Statement")) if _allows(statement, service)]


def _allows(statement: dict[str, Any], service: str) -> bool:
    principal = statement.get("Principal", {})
    services = ["*"] if principal == "*" else _list(principal.get("Service"))
    return (
        statement.get("Effect") == "Allow"
        and any(str(action).lower() in _ASSUME for action in _list(statement.get("Action")))
        and (service in services or "*" in services)
    )


def _conditions(statement: dict[str, Any]) -> dict[str, list[str]]:
    return dict(_condition_keys(statement.get("Condition", {})))


def _condition_keys(condition: dict[str, dict[str, Any]]) -> Iterator[tuple[str, list[str]]]:
    for keys in condition.values():
        for key, values in keys.items():
            yield key.lower(), [str(value) for value in _list(values)]


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
