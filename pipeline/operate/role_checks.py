"""Checks that the pipeline's roles exist in the account that publishes it.

AWS passes no role across accounts, but a definition's roles are used only when an execution starts jobs with them.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from pipeline.config.models import Config
from pipeline.definition.resources import Resources

if TYPE_CHECKING:
    from boto3 import Session

TO_DO = "a role cannot be passed across accounts: use one of this account"


def roles_in_use(config: Config, resources: Resources) -> dict[str, str]:
    """Return the ARNs of the roles by their kind: ``pipeline``, ``job``, ``lambda``; and ``events`` with triggers."""
    roles = {
        "pipeline": resources.pipeline_role_arn,
        "job": resources.job_role_arn,
        "lambda": resources.lambda_role_arn,
    }
    if config.triggers.schedule or config.triggers.on_new_input:
        roles["events"] = resources.events_role_arn
    return roles


def is_of_account(arn: str, account_id: str) -> bool:
    """Return whether an account owns a role."""
    return arn.split(":")[4] == account_id


def role_name(arn: str) -> str:
    """Return a role's name, without its path."""
    return arn.rpartition("/")[2]


def role_faults(config: Config, resources: Resources) -> Iterator[str]:
    """Yield a sentence about each role that belongs to another account."""
    for kind, arn in roles_in_use(config, resources).items():
        if not is_of_account(arn, resources.account_id):
            yield f"aws.{kind}_role_arn: {arn} belongs to another account than {resources.account_id}; {TO_DO}"


def missing_role_faults(session: Session, config: Config, resources: Resources) -> Iterator[str]:
    """Yield a sentence about each role that the configuration names and that does not exist.

    A role that you may not read passes.
    """
    roles = roles_in_use(config, resources).items()
    named = {kind: arn for kind, arn in roles if arn == getattr(config.aws, f"{kind}_role_arn")}
    if not named:
        return  # the client of IAM takes long to make
    iam = session.client("iam")
    for kind, arn in named.items():
        try:
            found = iam.get_role(RoleName=role_name(arn))["Role"]["Arn"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchEntity":
                yield f"aws.{kind}_role_arn: {arn} does not exist"
            continue
        if found != arn:
            yield f"aws.{kind}_role_arn: {other_path(arn, found)}"


def other_path(arn: str, found: str) -> str:
    """Return the sentence about a role whose ARN lacks its path: ``role/name`` for ``role/service-role/name``."""
    return f"{arn} does not exist; the role of this name is {found}"
