"""Checks that the roles exist, that their services may assume them, and that you may pass them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import partial
from typing import Any, cast

from botocore.exceptions import ClientError

from pipeline.operate.doctor.account import Account
from pipeline.operate.doctor.findings import Finding, State, attempt
from pipeline.operate.doctor.simulation import check_permissions
from pipeline.operate.doctor.trust import TrustCondition, trust_conditions
from pipeline.operate.role_checks import TO_DO, is_of_account, other_path, role_name, roles_in_use

_BOOTSTRAP = "run 'make bootstrap', or set aws.{kind}_role_arn to a role of yours"

_PATH = "copy the ARN, which contains the path, to aws.{kind}_role_arn"

_SERVICES = {
    "pipeline": "sagemaker.amazonaws.com",
    "job": "sagemaker.amazonaws.com",
    "lambda": "lambda.amazonaws.com",
    "events": "events.amazonaws.com",
}
"""The service that assumes each kind of role."""


@dataclass(frozen=True)
class Role:
    """One of the pipeline's roles.

    Attributes:
        kind: ``pipeline``, ``job``, ``lambda`` or ``events``.
        arn: its ARN.
        service: the service that assumes it.
    """

    kind: str
    arn: str
    service: str

    @property
    def name(self) -> str:
        """Its name, without its path."""
        return role_name(self.arn)


def check_roles(account: Account) -> Iterator[Finding]:
    """Check each role. EventBridge's role is checked only if the configuration has triggers."""
    for kind, arn in roles_in_use(account.config, account.resources).items():
        role = Role(kind, arn, _SERVICES[kind])
        yield from attempt(f"role: {role.kind}", partial(_check_role, account, role))


def _check_role(account: Account, role: Role) -> Iterator[Finding]:
    subject = f"role: {role.kind}"
    if not is_of_account(role.arn, account.identity["Account"]):
        found = f"{role.arn} belongs to another account than {account.identity['Account']}"
        yield Finding(subject, State.FAILED, found, TO_DO)
        return
    try:
        found_role = account.client("iam").get_role(RoleName=role.name)["Role"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise
        yield Finding(subject, account.missing, f"{role.arn} does not exist", _BOOTSTRAP.format(kind=role.kind))
        return
    if found_role["Arn"] != role.arn:
        yield Finding(subject, State.FAILED, other_path(role.arn, found_role["Arn"]), _PATH.format(kind=role.kind))
        return
    # boto3 decodes the document, which its stubs leave open.
    policy = cast("dict[str, Any]", found_role["AssumeRolePolicyDocument"])
    allowed = trust_conditions(policy, role.service)
    yield _judge_trust(subject, role, allowed, account.identity["Account"])
    yield from attempt(f"role: {role.kind}, permissions", partial(check_permissions, account, role.kind, role.arn))


def _judge_trust(subject: str, role: Role, allowed: list[list[TrustCondition]], account_id: str) -> Finding:
    trusts = f"{role.name} trusts {role.service}"
    if not allowed:
        to_do = f"copy the trust policy of the {role.kind} role from infra/bootstrap.yaml"
        return Finding(subject, State.FAILED, f"{role.name} does not trust {role.service}", to_do)
    admitting = [conditions for conditions in allowed if not _other_accounts(conditions, account_id)]
    if not admitting:
        found = f"{trusts} for aws:SourceAccount {', '.join(_other_accounts(allowed[0], account_id))} only"
        return Finding(subject, State.FAILED, found, f"allow {account_id} in the condition of the trust policy")
    strict = {condition.key for conditions in admitting for condition in conditions if condition.is_strict}
    if not strict or any(not any(item.is_strict for item in conditions) for conditions in admitting):
        return Finding(subject, State.OK, trusts)
    # AWS documents aws:SourceAccount for pipelines, processing and training jobs, not for tuning jobs.
    to_do = (
        "if a job fails with 'Could not assume role', this is the likely cause: the condition rejects a service that "
        "does not send the key. Use StringEqualsIfExists instead of StringEquals"
    )
    return Finding(subject, State.ATTENTION, f"{trusts} on a condition, {', '.join(sorted(strict))}", to_do)


def _other_accounts(conditions: list[TrustCondition], account_id: str) -> list[str]:
    """Return the accounts that the conditions allow, if this one is not among them."""
    wanted = [condition.values for condition in conditions if condition.key == "aws:sourceaccount"]
    return [value for values in wanted if not any(fnmatch(account_id, text) for text in values) for value in values]
