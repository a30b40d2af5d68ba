"""The CloudFormation stack that the pipeline stands on: what would change in it, and changing it.

The template is infra/bootstrap.yaml; its parameters are taken from the configuration.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError, WaiterError

from pipeline.config.models import Config
from pipeline.definition.resources import stack_name
from pipeline.errors import UserError
from pipeline.operate.bucket_checks import cache_days

TEMPLATE = Path(__file__).resolve().parents[2] / "infra" / "bootstrap.yaml"

LONGEST_ENDPOINT_PREFIX = 33
"""Names made for an endpoint begin with its name, or with its first 33 characters if it is long."""

_NOTHING_TO_DO = ("didn't contain changes", "No updates are to be performed")
_POLL_SECONDS = 3


@dataclass(frozen=True)
class StackPlan:
    """What is to be done to the stack.

    Attributes:
        stack: name of the stack.
        change_set_id: ARN of the change set that waits to be executed, None when the stack does not exist yet.
        request: what creates the stack, when it does not exist yet.
        changes: in words, one line each; empty when the stack is up to date.
    """

    stack: str
    change_set_id: str | None
    request: dict[str, Any]
    changes: list[str]


def stack_parameters(config: Config, account_id: str) -> dict[str, str]:
    """Parameters of the template that the configuration decides.

    Args:
        config: the configuration.
        account_id: 12 digits.

    Raises:
        UserError: a name cannot be used in the names of buckets and in ARNs.
    """
    name, region = config.pipeline.name, config.aws.region
    if name != name.lower():
        raise UserError(
            f"pipeline.name: {name!r} has capitals, which a bucket's name cannot have: write it in lower case, "
            "or set aws.bucket and the three roles and do without 'make bootstrap'."
        )
    # Naming the stack's own bucket in config.yaml must not make the stack give it up.
    existing = config.aws.bucket if config.aws.bucket != f"{name}-{account_id}-{region}" else None
    parameters = {
        "PipelineName": name,
        "EndpointNamePrefix": config.deploy.endpoint_name[:LONGEST_ENDPOINT_PREFIX].rstrip("-").lower(),
        "ModelPackageGroup": config.registry.group.lower(),
        "ExistingBucket": existing or "",
        "KmsKeyArn": config.aws.kms_key_arn or "",
        "InVpc": "true" if config.aws.vpc else "false",
    }
    if config.dataset.input.startswith("s3://"):
        place = urlsplit(config.dataset.input)
        parameters |= {"InputBucket": place.netloc, "InputPrefix": place.path.lstrip("/")}
    return parameters


def plan_stack(cloudformation: Any, config: Config, account_id: str, expiration_days: int | None = None) -> StackPlan:
    """Have CloudFormation work out what would change; nothing is changed but for a change set.

    Args:
        cloudformation: boto3's CloudFormation client.
        config: the configuration.
        account_id: 12 digits.
        expiration_days: days after which what executions wrote is deleted, 0 for never; None leaves it as it is.

    Raises:
        UserError: results would be deleted before the cache forgets them, the stack is in a state that allows no
            change, or CloudFormation refuses the template.
    """
    stack = stack_name(config)
    current = _describe(cloudformation, stack)
    parameters = stack_parameters(config, account_id)
    if expiration_days is not None:
        parameters["ExecutionExpirationDays"] = str(expiration_days)
    merged = _merged(parameters, current)
    _require_results_outlive_cache(config, merged)
    request = {
        "StackName": stack,
        "TemplateBody": TEMPLATE.read_text("utf-8"),
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "Parameters": merged,
        "Tags": [{"Key": key, "Value": value} for key, value in config.pipeline.tags.items()],
    }
    if current is None:
        summary = cloudformation.get_template_summary(TemplateBody=request["TemplateBody"])
        kinds = Counter(summary["ResourceTypes"])
        return StackPlan(stack, None, request, [f"add {count} {kind}" for kind, count in kinds.items()])
    _require_changeable(stack, current["StackStatus"])
    change_set_id = cloudformation.create_change_set(
        ChangeSetName=f"bootstrap-{time.strftime('%Y%m%d%H%M%S')}", ChangeSetType="UPDATE", **request
    )["Id"]
    changes = [*_changed_parameters(request, current), *_changes(cloudformation, stack, change_set_id)]
    plan = StackPlan(stack, change_set_id, request, changes)
    if not changes:
        discard(cloudformation, plan)
    return plan


def apply_plan(cloudformation: Any, plan: StackPlan) -> dict[str, str]:
    """Create or change the stack, and wait until it is ready.

    Args:
        cloudformation: boto3's CloudFormation client.
        plan: what ``plan_stack`` gave.

    Returns:
        The stack's outputs.

    Raises:
        UserError: CloudFormation could not do it, and has undone what it did; the text says which resource and why.
    """
    if plan.change_set_id is None:
        kind = "create"
        # A stack that could not be made leaves nothing behind, so that the next attempt starts afresh.
        stack_id = cloudformation.create_stack(**plan.request, OnFailure="DELETE")["StackId"]
    else:
        kind, stack_id = "update", plan.stack
        cloudformation.execute_change_set(ChangeSetName=plan.change_set_id, StackName=plan.stack)
    try:
        cloudformation.get_waiter(f"stack_{kind}_complete").wait(
            StackName=plan.stack, WaiterConfig={"Delay": _POLL_SECONDS, "MaxAttempts": 600 // _POLL_SECONDS}
        )
    except WaiterError as error:
        reasons = "; ".join(stack_failures(cloudformation, stack_id)) or str(error)
        raise UserError(f"CloudFormation could not {kind} the stack {plan.stack}: {reasons}") from None
    stack = _describe(cloudformation, plan.stack) or {}
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def discard(cloudformation: Any, plan: StackPlan) -> None:
    """Forget a change set."""
    if plan.change_set_id is not None:
        cloudformation.delete_change_set(ChangeSetName=plan.change_set_id, StackName=plan.stack)


def _describe(cloudformation: Any, stack: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":  # how CloudFormation says "no such stack"
            return None
        raise
    return found


def _require_changeable(stack: str, status: str) -> None:
    if status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"):
        raise UserError(
            f"The stack {stack} is {status}: an earlier attempt failed. Look at its events for the reason, delete it "
            f"(aws cloudformation delete-stack --stack-name {stack}) and run 'make bootstrap' again."
        )
    if status.endswith("_IN_PROGRESS"):
        raise UserError(f"The stack {stack} is {status}: somebody is changing it. Try again when that has ended.")


def _merged(parameters: dict[str, str], current: dict[str, Any] | None) -> list[dict[str, str]]:
    """Parameters that the configuration decides; what was once set by hand stays as it is."""
    offered = TEMPLATE.read_text("utf-8").partition("\nConditions:")[0]
    kept = {
        parameter["ParameterKey"]: parameter["ParameterValue"]
        for parameter in (current or {}).get("Parameters", [])
        if f"\n  {parameter['ParameterKey']}:\n" in offered
    }
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in (kept | parameters).items()]


def _require_results_outlive_cache(config: Config, parameters: list[dict[str, str]]) -> None:
    values = {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in parameters}
    days, cached = int(values.get("ExecutionExpirationDays", 0)), cache_days(config)
    if 0 < days <= cached:
        raise UserError(
            f"EXPIRATION_DAYS={days} would delete results that steps still take from the cache: caching.expire_after "
            f"is {config.caching.expire_after}, up to {cached} days. Give EXPIRATION_DAYS={cached + 1} or more, or 0 "
            "for never, or shorten caching.expire_after."
        )


def _changed_parameters(request: dict[str, Any], current: dict[str, Any]) -> Iterator[str]:
    before = {item["ParameterKey"]: item["ParameterValue"] for item in current.get("Parameters", [])}
    for item in request["Parameters"]:
        name, value = item["ParameterKey"], item["ParameterValue"]
        if before.get(name, "") != value:
            yield f"parameter {name}: {before.get(name, '') or 'none'} -> {value or 'none'}"


def _changes(cloudformation: Any, stack: str, change_set_id: str) -> list[str]:
    """The change set in words."""
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


def stack_failures(cloudformation: Any, stack_id: str) -> list[str]:
    """Why a stack could not be made, changed or deleted, one line a resource.

    Args:
        cloudformation: boto3's CloudFormation client.
        stack_id: the stack; by its ARN its events can be read even after it was deleted.
    """
    return [
        f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}"
        for event in cloudformation.describe_stack_events(StackName=stack_id)["StackEvents"]
        # "Cancelled" resources failed only because another one did.
        if event["ResourceStatus"].endswith("_FAILED") and "cancelled" not in event.get("ResourceStatusReason", "")
    ]
