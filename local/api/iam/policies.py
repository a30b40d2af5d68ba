"""Evaluate identity-based policies: which statements allow or deny an action on a resource.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from local.api.iam.conditions import Context, is_met, matches, resolve_variables

ALLOWED, EXPLICIT_DENY, IMPLICIT_DENY = "allowed", "explicitDeny", "implicitDeny"


@dataclass(frozen=True)
class Policy:
    """A policy of a user, group or role.

    Attributes:
        name: the policy's name.
        kind: its SourcePolicyType, for example ``user-managed``; for an inline policy, what has it: ``role``.
        document: its document.
    """

    name: str
    kind: str
    document: dict[str, Any]


@dataclass(frozen=True)
class Decision:
    """What policies decide.

    Attributes:
        result: ``allowed``, ``explicitDeny`` or ``implicitDeny``.
        policies: the policies with the statements that decided. A denial names no statement that allows.
    """

    result: str
    policies: tuple[Policy, ...]


def decide(policies: Iterable[Policy], action: str, resource: str, context: Context) -> Decision:
    """Return what policies decide about an action on a resource.

    Args:
        policies: the policies.
        action: the action, for example ``s3:GetObject``.
        resource: the resource's ARN, or ``*``.
        context: the values of condition keys. Missing keys are noted in it.

    Raises:
        ServiceError: NotImplementedException, because a condition is not evaluated here.
    """
    found: dict[str, list[Policy]] = {"Allow": [], "Deny": []}
    for policy in policies:
        for statement in _listed(policy.document.get("Statement")):
            if _applies(statement, action, resource, context):
                found[statement["Effect"]].append(policy)
    if found["Deny"]:
        return Decision(EXPLICIT_DENY, tuple(found["Deny"]))
    return Decision(ALLOWED if found["Allow"] else IMPLICIT_DENY, tuple(found["Allow"]))


def _applies(statement: dict[str, Any], action: str, resource: str, context: Context) -> bool:
    return (
        _names(statement, "Action", lambda pattern: matches(pattern, action, ignore_case=True))
        and _names(statement, "Resource", lambda pattern: _is_resource(pattern, resource, context))
        and is_met(statement.get("Condition") or {}, context)
    )


def _names(statement: dict[str, Any], element: str, is_matched: Any) -> bool:
    """Return whether an element names something, or its opposite (``NotAction``) does not."""
    if element in statement:
        return any(map(is_matched, _listed(statement[element])))
    return not any(map(is_matched, _listed(statement[f"Not{element}"])))


def _is_resource(pattern: str, resource: str, context: Context) -> bool:
    resolved = resolve_variables(pattern, context)
    return resolved is not None and matches(resolved, resource)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
