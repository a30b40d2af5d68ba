"""Plans and applies changes to the CloudFormation stack of the pipeline's bucket and roles.

The template is infra/bootstrap.yaml. Its parameters come from the configuration.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, WaiterError

from pipeline.config.models import Config
from pipeline.definition.resources import default_bucket, stack_name
from pipeline.errors import UserError
from pipeline.operate.bucket_checks import cache_days
from pipeline.operate.stack_template import resource_types
from pipeline.s3_uris import split_uri

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_cloudformation.type_defs import ParameterTypeDef, StackTypeDef

TEMPLATE = Path(__file__).resolve().parents[2] / "infra" / "bootstrap.yaml"

LONGEST_ENDPOINT_PREFIX = 33
"""Names of an endpoint's models and configurations begin with at most 33 characters of its name."""

_NOTHING_TO_DO = ("didn't contain changes", "No updates are to be performed")
_POLL_SECONDS = 3

_DENIAL = re.compile(r"not authorized to perform|AccessDenied|Access Denied", re.IGNORECASE)
_NOT_ALLOWED = (
    ". CloudFormation uses your permissions: ask an administrator to make the stack "
    "(docs/operations.md, 'Your own permissions')"
)
"""Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-servicerole.html"""


@dataclass(frozen=True)
class StackPlan:
    """The changes to the stack.

    Attributes:
        stack: the stack's name.
        change_set_id: ARN of the change set to execute; None if the stack does not exist yet.
        request: the members of CreateStack, used if the stack does not exist yet.
        changes: the changes, one line each; empty if the stack is up to date.
    """

    stack: str
    change_set_id: str | None
    request: dict[str, Any]
    changes: list[str]


def stack_parameters(config: Config, account_id: str) -> dict[str, str]:
    """Return the template's parameters that the configuration sets.

    Args:
        config: the configuration.
        account_id: 12 digits.

    Raises:
        UserError: a name has capitals.
    """
    name = config.pipeline.name
    _refuse_capitals("pipeline.name", name, "which a bucket's name cannot have")
    # ARNs of older resources are in lower case, and those of new ones are not: one pattern would not fit both.
    _refuse_capitals("registry.group", config.registry.group, "and the roles' policies contain it in lower case")
    _refuse_capitals(
        "deploy.endpoint_name", config.deploy.endpoint_name, "and the roles' policies contain it in lower case"
    )
    # If config.yaml names the stack's own bucket, the stack must still keep it.
    existing = config.aws.bucket if config.aws.bucket != default_bucket(config, account_id) else None
    parameters = {
        "PipelineName": name,
        "EndpointNamePrefix": config.deploy.endpoint_name[:LONGEST_ENDPOINT_PREFIX].rstrip("-"),
        "ModelPackageGroup": config.registry.group,
        "ExistingBucket": existing or "",
        "KmsKeyArn": config.aws.kms_key_arn or "",
        "InVpc": "true" if config.aws.vpc else "false",
    }
    if config.dataset.input.startswith("s3://"):
        bucket, prefix = split_uri(config.dataset.input)
        parameters |= {"InputBucket": bucket, "InputPrefix": prefix}
    return parameters


def _refuse_capitals(key: str, name: str, reason: str) -> None:
    if name != name.lower():
        raise UserError(
            f"{key}: {name!r} has capitals, {reason}. Write it in lower case, "
            "or set aws.bucket and the three roles, so that you do not need 'make bootstrap'."
        )


def plan_stack(
    cloudformation: CloudFormationClient, config: Config, account_id: str, expiration_days: int | None = None
) -> StackPlan:
    """Let CloudFormation compute the changes. This creates a change set and changes nothing else.

    Args:
        cloudformation: boto3's CloudFormation client.
        config: the configuration.
        account_id: 12 digits.
        expiration_days: days after which the results of executions are deleted; 0 for never, None for no change.

    Raises:
        UserError: results would be deleted while they are still cached, the stack cannot be changed in its state,
            or CloudFormation refuses the template.
    """
    stack = stack_name(config)
    current = _describe(cloudformation, stack)
    parameters = stack_parameters(config, account_id)
    if expiration_days is not None:
        parameters["ExecutionExpirationDays"] = str(expiration_days)
    merged = _merged(parameters, current)
    _require_results_outlive_cache(config, merged)
    request: dict[str, Any] = {
        "StackName": stack,
        "TemplateBody": TEMPLATE.read_text("utf-8"),
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "Parameters": merged,
        "Tags": [{"Key": key, "Value": value} for key, value in config.pipeline.tags.items()],
    }
    if current is None:
        types = resource_types(request["TemplateBody"], parameters)
        return StackPlan(stack, None, request, [f"add {count} {kind}" for kind, count in types.items()])
    _require_changeable(stack, current["StackStatus"])
    change_set_id = cloudformation.create_change_set(
        ChangeSetName=f"bootstrap-{time.strftime('%Y%m%d%H%M%S')}", ChangeSetType="UPDATE", **request
    )["Id"]
    changes = [*_changed_parameters(request, current), *_changes(cloudformation, stack, change_set_id)]
    plan = StackPlan(stack, change_set_id, request, changes)
    if not changes:
        discard(cloudformation, plan)
    return plan


def apply_plan(cloudformation: CloudFormationClient, plan: StackPlan) -> dict[str, str]:
    """Create or change the stack, and wait until it is ready.

    Args:
        cloudformation: boto3's CloudFormation client.
        plan: the result of ``plan_stack``.

    Returns:
        The stack's outputs.

    Raises:
        UserError: CloudFormation failed and rolled back; the text names the resource and the reason.
    """
    if plan.change_set_id is None:
        kind = "create"
        # OnFailure=DELETE: a failed stack would block the next attempt.
        stack_id = cloudformation.create_stack(**plan.request, OnFailure="DELETE")["StackId"]
    else:
        kind, stack_id = "update", plan.stack
        cloudformation.execute_change_set(ChangeSetName=plan.change_set_id, StackName=plan.stack)
    ready = cloudformation.get_waiter("stack_create_complete" if kind == "create" else "stack_update_complete")
    try:
        ready.wait(StackName=plan.stack, WaiterConfig={"Delay": _POLL_SECONDS, "MaxAttempts": 600 // _POLL_SECONDS})
    except WaiterError as error:
        reasons = "; ".join(stack_failures(cloudformation, stack_id)) or str(error)
        remedy = _NOT_ALLOWED if _DENIAL.search(reasons) else ""
        raise UserError(f"CloudFormation could not {kind} the stack {plan.stack}: {reasons}{remedy}") from None
    stack = _describe(cloudformation, plan.stack)
    outputs = stack.get("Outputs", []) if stack else []
    return {output["OutputKey"]: output["OutputValue"] for output in outputs}


def discard(cloudformation: CloudFormationClient, plan: StackPlan) -> None:
    """Delete the plan's change set."""
    if plan.change_set_id is not None:
        cloudformation.delete_change_set(ChangeSetName=plan.change_set_id, StackName=plan.stack)


def _describe(cloudformation: CloudFormationClient, stack: str) -> StackTypeDef | None:
    try:
        return cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if (
            error.response["Error"]["Code"] == "ValidationError"
        ):  # CloudFormation's code for a stack that does not exist
            return None
        raise


def _require_changeable(stack: str, status: str) -> None:
    if status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"):
        raise UserError(
            f"The stack {stack} is {status}: an earlier attempt failed. Read its events for the reason, delete it "
            f"(aws cloudformation delete-stack --stack-name {stack}) and run 'make bootstrap' again."
        )
    if status.endswith("_IN_PROGRESS"):
        raise UserError(f"The stack {stack} is {status}: somebody is changing it. Try again when the change has ended.")


def _merged(parameters: dict[str, str], current: StackTypeDef | None) -> list[ParameterTypeDef]:
    """Return the configuration's parameters and those that were set by hand before."""
    offered = TEMPLATE.read_text("utf-8").partition("\nConditions:")[0]
    kept = {
        parameter["ParameterKey"]: parameter["ParameterValue"]
        for parameter in (current.get("Parameters", []) if current else [])
        if f"\n  {parameter['ParameterKey']}:\n" in offered
    }
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in (kept | parameters).items()]


def _require_results_outlive_cache(config: Config, parameters: list[ParameterTypeDef]) -> None:
    values = {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in parameters}
    days, cached = int(values.get("ExecutionExpirationDays", 0)), cache_days(config)
    if 0 < days <= cached:
        raise UserError(
            f"EXPIRATION_DAYS={days} would delete results that are still cached: caching.expire_after is "
            f"{config.caching.expire_after}, up to {cached} days. Give EXPIRATION_DAYS={cached + 1} or more, or 0 for "
            "never, or shorten caching.expire_after."
        )


def _changed_parameters(request: dict[str, Any], current: StackTypeDef) -> Iterator[str]:
    before = {item["ParameterKey"]: item["ParameterValue"] for item in current.get("Parameters", [])}
    for item in request["Parameters"]:
        name, value = item["ParameterKey"], item["ParameterValue"]
        if before.get(name, "") != value:
            yield f"parameter {name}: {before.get(name, '') or 'none'} -> {value or 'none'}"


def _changes(cloudformation: CloudFormationClient, stack: str, change_set_id: str) -> list[str]:
    """Return the change set's changes, one line each."""
    while True:
        description = cloudformation.describe_change_set(ChangeSetName=change_set_id, StackName=stack)
        if description["Status"] not in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
            break
        time.sleep(_POLL_SECONDS)
    if description["Status"] == "FAILED":
        reason = description.get("StatusReason", "")
        if any(phrase in reason for phrase in _NOTHING_TO_DO):
            return []
        raise UserError(f"CloudFormation refuses to change the stack {stack}: {reason}")
    pages = cloudformation.get_paginator("describe_change_set").paginate(ChangeSetName=change_set_id, StackName=stack)
    return [
        f"{change['Action'].lower()} {change['ResourceType']} {change['LogicalResourceId']}"
        + (" (is replaced)" if change.get("Replacement") == "True" else "")
        for change in (change["ResourceChange"] for page in pages for change in page.get("Changes", []))
    ]


def stack_failures(cloudformation: CloudFormationClient, stack_id: str) -> list[str]:
    """Return why a stack could not be created or changed, one line for each resource.

    Args:
        cloudformation: boto3's CloudFormation client.
        stack_id: the stack's ARN, because the events of a deleted stack cannot be read by its name.
    """
    return [
        f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}"
        for event in cloudformation.describe_stack_events(StackName=stack_id)["StackEvents"]
        # "Cancelled" resources failed only because another resource failed.
        if event["ResourceStatus"].endswith("_FAILED") and "cancelled" not in event.get("ResourceStatusReason", "")
    ]


def failures_of_deletion(cloudformation: CloudFormationClient, stack_id: str) -> dict[str, str]:
    """Return why resources were not deleted when a stack was deleted last, by their logical IDs.

    Args:
        cloudformation: boto3's CloudFormation client.
        stack_id: the stack's ARN.
    """
    failures: dict[str, str] = {}
    for event in cloudformation.describe_stack_events(StackName=stack_id)["StackEvents"]:  # newest first
        of_stack = event.get("PhysicalResourceId") == stack_id
        if of_stack and event["ResourceStatus"] == "DELETE_IN_PROGRESS":
            break
        if not of_stack and event["ResourceStatus"] == "DELETE_FAILED":
            failures[event["LogicalResourceId"]] = event.get("ResourceStatusReason", "no reason given")
    return failures
