"""Read the policies of a user, group or role from moto's IAM."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from local.api.iam.policies import Policy
from local.core.errors import ServiceError

_NAMED = {"role": "roles", "user": "users", "group": "groups"}


@dataclass(frozen=True)
class Principal:
    """The policies that decide what a user, group or role may do.

    Attributes:
        policies: its own policies, and for a user those of the user's groups.
        boundary: its permissions boundary; None if it has none.
    """

    policies: tuple[Policy, ...]
    boundary: Policy | None


_EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
OWNER = Principal((Policy("AdministratorAccess", "aws-managed", _EVERYTHING),), None)
"""The folder's owner, whom nothing is forbidden. IAM here does not list this user."""


def find_principal(iam: Any, arn: str) -> Principal:
    """Return the policies of an identity.

    Args:
        iam: moto's model of IAM.
        arn: the ARN of a user, group or role.

    Raises:
        ServiceError: InvalidInput, because the ARN is of something else; NoSuchEntity, because the identity does not
            exist.
    """
    kind, _, path = arn.rpartition(":")[2].partition("/")
    if kind not in _NAMED or not path:
        raise ServiceError("InvalidInput", f"{arn} is not the ARN of a user, group or role.")
    everyone = getattr(iam, _NAMED[kind]).values()
    found = next((each for each in everyone if each.arn == arn), None)
    if found is None:
        raise ServiceError(
            "NoSuchEntity", f"The {kind} with name {path.rpartition('/')[2]} cannot be found.", status=404
        )
    groups = iam.get_groups_for_user(found.name) if kind == "user" else []
    policies = [*_policies(found, kind), *(policy for group in groups for policy in _policies(group, "group"))]
    boundary = getattr(found, "permissions_boundary_arn", None)
    return Principal(tuple(policies), _managed(iam.get_policy(boundary)) if boundary else None)


def _policies(holder: Any, kind: str) -> Iterator[Policy]:
    for name, document in holder.policies.items():
        yield Policy(name, kind, _document(document))
    for policy in holder.managed_policies.values():
        yield _managed(policy)


def _managed(policy: Any) -> Policy:
    kind = "aws-managed" if ":iam::aws:policy/" in policy.arn else "user-managed"
    (default,) = (version.document for version in policy.versions if version.is_default)
    return Policy(policy.name, kind, _document(default))


def _document(text: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text) if isinstance(text, str) else text
    return document
