"""What a role may do: its policies as IAM has them, and whether they allow a request.

Covers what infra/bootstrap.yaml uses of IAM's evaluation: Allow statements with actions and resources (``*`` and
``?`` as in IAM) and the condition operators StringEquals, StringLike and Bool. A request is allowed when one
statement allows it; there is no Deny in these roles.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Policies:
    statements: list[dict[str, Any]]

    def actions(self) -> set[str]:
        return {action for statement in self.statements for action in _list(statement["Action"])}

    def allow(self, action: str, resource: str, **context: str) -> bool:
        return any(_allows(statement, action, resource, context) for statement in self.statements)


def role_policies(iam: Any, role: str) -> Policies:
    """All policies of a role that exists."""
    statements: list[dict[str, Any]] = []
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        if isinstance(document, str):
            document = ast.literal_eval(document)  # moto answers with Python's notation in place of JSON
        assert document["Version"] == "2012-10-17"
        statements += document["Statement"]
    assert all(statement["Effect"] == "Allow" for statement in statements)
    return Policies(statements)


def _allows(statement: dict[str, Any], action: str, resource: str, context: dict[str, str]) -> bool:
    if not any(_like(pattern, action) for pattern in _list(statement["Action"])):
        return False
    if not any(_like(pattern, resource) for pattern in _list(statement["Resource"])):
        return False
    for operator, wanted in statement.get("Condition", {}).items():
        for key, values in wanted.items():
            given = context.get(key.replace(":", "_").replace("-", "_"))
            if given is None or not any(_holds(operator, value, given) for value in _list(values)):
                return False
    return True


def _holds(operator: str, wanted: str, given: str) -> bool:
    if operator == "StringLike":
        return _like(wanted, given)
    assert operator in ("StringEquals", "Bool"), operator
    return wanted == given


def _like(pattern: str, text: str) -> bool:
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, text) is not None


def _list(value: Any) -> list[Any]:
    # CloudFormation drops what is AWS::NoValue from a list, moto leaves None there.
    return [item for item in value if item is not None] if isinstance(value, list) else [value]
