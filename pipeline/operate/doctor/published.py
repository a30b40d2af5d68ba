"""Checks whether the published function, pipeline and rules match config.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from botocore.exceptions import ClientError

from pipeline.operate.doctor.account import Account
from pipeline.operate.doctor.findings import Finding, State, attempt
from pipeline.operate.function import current_function, function_changes
from pipeline.operate.triggers import Rule, wanted_rules

_PUBLISH = "make upsert shows what would change, and asks"


def check_function(account: Account) -> Iterator[Finding]:
    """Compare the deploying function with the one that publishing would create."""
    resources = account.resources
    current = current_function(account.client("lambda"), resources)
    changes = function_changes(current, account.config, resources)
    if current is None:
        yield Finding("function", State.ATTENTION, f"{resources.deploy_function_name} is not published", "make upsert")
    elif changes:
        yield Finding("function", State.ATTENTION, f"differs: {'; '.join(changes)}", _PUBLISH)
    else:
        yield Finding("function", State.OK, f"{resources.deploy_function_name} matches config.yaml")


def check_pipeline(account: Account) -> Iterator[Finding]:
    """Compare the published definition and its uploads with those that publishing would create."""
    if account.bucket_region is None:
        yield Finding("pipeline", State.UNKNOWN, "there is no bucket to compare uploads with")
        return
    from pipeline.operate.publish import plan_publishing  # noqa: PLC0415 - the SDK takes seconds to import

    name = account.config.pipeline.name
    plan = plan_publishing(account.config, account.resources, account.session)
    changes = [change for change in plan.changes if not change.startswith("Lambda ")]
    if not plan.exists:
        yield Finding("pipeline", State.ATTENTION, f"{name} is not published", "make upsert")
    elif changes:
        yield Finding("pipeline", State.ATTENTION, f"differs in {len(changes)}: {changes[0]}", _PUBLISH)
    else:
        yield Finding("pipeline", State.OK, f"{name} matches config.yaml")


def check_rules(account: Account) -> Iterator[Finding]:
    """Check that the EventBridge rules exist and are enabled."""
    for rule in wanted_rules(account.config, account.resources):
        yield from attempt(f"rule: {rule.name}", partial(_check_rule, account, rule))


def _check_rule(account: Account, rule: Rule) -> Iterator[Finding]:
    subject = f"rule: {rule.name.removeprefix(account.config.pipeline.name + '-')}"
    try:
        state = account.client("events").describe_rule(Name=rule.name)["State"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        yield Finding(subject, State.ATTENTION, f"{rule.name} is not published", "make upsert")
        return
    if state == "ENABLED":
        yield Finding(subject, State.OK, f"runs when {rule.occasion}")
    else:
        yield Finding(subject, State.ATTENTION, f"{rule.name} is {state}", f"aws events enable-rule --name {rule.name}")
