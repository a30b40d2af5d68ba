"""Publishes the EventBridge rules that deploy approved models and start executions.

There are at most four rules, all on the default event bus. Two call the deploying function: when a model package of
the group is approved, and when an endpoint comes into service. Two start the pipeline: on a schedule, and when an
object appears under the input's prefix. The latter two exist only if the configuration asks for them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError

from pipeline.config.models import Config
from pipeline.definition.resources import Resources
from pipeline.errors import UserError
from pipeline.s3_uris import split_uri

if TYPE_CHECKING:
    from boto3 import Session
    from types_boto3_events import EventBridgeClient
    from types_boto3_events.type_defs import (
        DescribeRuleResponseTypeDef,
        PutTargetsResponseTypeDef,
        RemoveTargetsResponseTypeDef,
    )
    from types_boto3_lambda import LambdaClient
    from types_boto3_s3 import S3Client

_IN_SERVICE = ["IN_SERVICE", "InService"]
"""SageMaker's events use the first spelling, its API the second."""


@dataclass(frozen=True)
class Rule:
    """An EventBridge rule and its target.

    Attributes:
        name: the rule's name.
        occasion: when it fires, for messages.
        settings: arguments of ``put_rule``, without the name.
        target: the target, as ``put_targets`` takes it.
    """

    name: str
    occasion: str
    settings: dict[str, str]
    target: dict[str, Any]


def rule_names(config: Config) -> list[str]:
    """Return the names of all rules that the pipeline may have."""
    return [f"{config.pipeline.name}-{kind}" for kind in ("approved", "in-service", "schedule", "new-input")]


def wanted_rules(config: Config, resources: Resources) -> list[Rule]:
    """Return the rules that the configuration asks for."""
    approved, in_service, schedule, new_input = rule_names(config)
    function = {"Id": "deploy", "Arn": resources.deploy_function_arn}
    rules = [
        Rule(
            approved,
            f"a model of {config.registry.group} is approved",
            _pattern(
                "aws.sagemaker",
                "SageMaker Model Package State Change",
                {"ModelPackageGroupName": [config.registry.group], "ModelApprovalStatus": ["Approved"]},
            ),
            function,
        ),
        Rule(
            in_service,
            f"an endpoint {config.deploy.endpoint_name}... comes into service",
            _pattern(
                "aws.sagemaker",
                "SageMaker Endpoint State Change",
                {"EndpointName": [{"prefix": config.deploy.endpoint_name}], "EndpointStatus": _IN_SERVICE},
            ),
            function,
        ),
    ]
    start = _start_pipeline(config, resources)
    if config.triggers.schedule:
        expression = config.triggers.schedule
        rules.append(Rule(schedule, f"its schedule {expression} says so", {"ScheduleExpression": expression}, start))
    if config.triggers.on_new_input:
        bucket, prefix = split_uri(config.dataset.input)
        detail = {"bucket": {"name": [bucket]}, "object": {"key": [{"prefix": prefix}]}}
        occasion = f"an object appears under {config.dataset.input}"
        rules.append(Rule(new_input, occasion, _pattern("aws.s3", "Object Created", detail), start))
    return rules


def rule_request(rule: Rule) -> dict[str, Any]:
    """Return the members of PutRule."""
    return {"Name": rule.name, "State": "ENABLED", "Description": f"Runs when {rule.occasion}", **rule.settings}


def targets_request(rule: Rule) -> dict[str, Any]:
    """Return the members of PutTargets."""
    return {"Rule": rule.name, "Targets": [rule.target]}


def permission_request(resources: Resources, rule: Rule) -> dict[str, Any]:
    """Return the members of AddPermission, which lets one rule call the function."""
    return {
        "FunctionName": resources.deploy_function_name,
        "StatementId": rule.name,
        "Action": "lambda:InvokeFunction",
        "Principal": "events.amazonaws.com",
        "SourceArn": resources.arn("events", f"rule/{rule.name}"),
    }


def trigger_changes(config: Config, resources: Resources, events: EventBridgeClient) -> list[str]:
    """Return the changes that ``apply_triggers`` would make, one line each; nothing is changed."""
    wanted = wanted_rules(config, resources)
    changes = [
        f"rule {rule.name}: {change}; runs when {rule.occasion}" for rule in wanted if (change := _change(events, rule))
    ]
    unwanted = [name for name in rule_names(config) if name not in [rule.name for rule in wanted]]
    return changes + [f"rule {name}: remove" for name in unwanted if _describe(events, name)]


def apply_triggers(config: Config, resources: Resources, session: Session) -> list[str]:
    """Create or update the rules that the configuration asks for, and remove the others.

    Args:
        config: the configuration.
        resources: bucket, roles and function; the function exists.
        session: a ``boto3.Session`` of the account.

    Returns:
        Changes and warnings, one sentence each; empty if all rules were up to date.

    Raises:
        UserError: EventBridge refuses the schedule, or could not add a target to a rule.
    """
    events, functions = session.client("events"), session.client("lambda")
    sentences = []
    wanted = wanted_rules(config, resources)
    for rule in wanted:
        try:
            if _put(events, rule):
                sentences.append(f"rule {rule.name}: runs when {rule.occasion}")
        except ClientError as error:
            if error.response["ResponseMetadata"].get("HTTPStatusCode") != HTTPStatus.NOT_IMPLEMENTED:
                raise
            sentences.append(f"rule {rule.name}: left out, as this is {error.response['Error']['Message']}")
        if rule.target["Id"] == "deploy":
            _permit(functions, resources, rule)
    for name in set(rule_names(config)) - {rule.name for rule in wanted}:
        if remove_rule(events, name):
            sentences.append(f"rule {name}: removed")
    if config.triggers.on_new_input:
        sentences += _silent_bucket(session.client("s3"), split_uri(config.dataset.input)[0])
    return sentences


def remove_rule(events: EventBridgeClient, name: str) -> bool:
    """Delete a rule and its targets; return whether there was one.

    Raises:
        UserError: EventBridge could not remove a target.
    """
    if _describe(events, name) is None:
        return False
    targets = events.list_targets_by_rule(Rule=name)["Targets"]
    if targets:
        answer = events.remove_targets(Rule=name, Ids=[target["Id"] for target in targets])
        _require_no_failures(answer, f"The target of the rule {name} could not be removed")
    events.delete_rule(Name=name)
    return True


def _pattern(source: str, detail_type: str, detail: dict[str, Any]) -> dict[str, str]:
    return {"EventPattern": json.dumps({"source": [source], "detail-type": [detail_type], "detail": detail})}


def _start_pipeline(config: Config, resources: Resources) -> dict[str, Any]:
    target: dict[str, Any] = {
        "Id": "pipeline",
        "Arn": resources.arn("sagemaker", f"pipeline/{config.pipeline.name}"),
        "RoleArn": resources.events_role_arn,
    }
    if config.dataset.input.startswith("s3://"):
        # The URI stays the same when the data changes, so only a new version keeps MakeFolds from using the cache.
        # EventBridge replaces a value that is a JSON path of the event ("Dynamic path parameters",
        # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html ). If it did not, MakeFolds would
        # refuse the value for its $.
        version = {"Name": "DataVersion", "Value": "$.time"}
        target["SageMakerPipelineParameters"] = {"PipelineParameterList": [version]}
    return target


def _put(events: EventBridgeClient, rule: Rule) -> bool:
    if not _change(events, rule):
        return False
    try:
        events.put_rule(**rule_request(rule))
    except ClientError as error:
        if "ScheduleExpression" in rule.settings and error.response["Error"]["Code"] == "ValidationException":
            expression = rule.settings["ScheduleExpression"]
            raise UserError(f"triggers.schedule: EventBridge does not accept {expression!r}.") from None
        raise
    answer = events.put_targets(**targets_request(rule))
    _require_no_failures(answer, f"The rule {rule.name} exists, but has no target and does nothing")
    return True


def _require_no_failures(answer: PutTargetsResponseTypeDef | RemoveTargetsResponseTypeDef, what: str) -> None:
    """Raise the failures that EventBridge reports in the answer to a successful request.

    Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html , "can partially fail".

    Raises:
        UserError: an entry failed.
    """
    if answer.get("FailedEntryCount"):
        entries = answer.get("FailedEntries", [])
        reasons = "; ".join(f"{entry.get('ErrorCode')}: {entry.get('ErrorMessage')}" for entry in entries)
        raise UserError(f"{what} ({reasons or 'no reason given'}): run the command again.")


def _describe(events: EventBridgeClient, name: str) -> DescribeRuleResponseTypeDef | None:
    try:
        return events.describe_rule(Name=name)
    except events.exceptions.ResourceNotFoundException:
        return None


def _change(events: EventBridgeClient, rule: Rule) -> Literal["", "create", "change"]:
    """Return what a rule needs to be as wanted, with its target."""
    current = _describe(events, rule.name)
    if current is None:
        return "create"
    targets = events.list_targets_by_rule(Rule=rule.name)["Targets"]
    return "" if _agrees(current, rule) and targets == [rule.target] else "change"


def _agrees(current: DescribeRuleResponseTypeDef, rule: Rule) -> bool:
    if current["State"] != "ENABLED" or current.get("ScheduleExpression") != rule.settings.get("ScheduleExpression"):
        return False
    return bool(
        json.loads(current.get("EventPattern") or "null") == json.loads(rule.settings.get("EventPattern", "null"))
    )


def _permit(functions: LambdaClient, resources: Resources, rule: Rule) -> None:
    """Let one rule call the function."""
    try:
        functions.add_permission(**permission_request(resources, rule))
    except functions.exceptions.ResourceConflictException:
        return  # it may already


def _silent_bucket(s3: S3Client, bucket: str) -> list[str]:
    """Return a warning if a bucket does not send its events to EventBridge."""
    try:
        if "EventBridgeConfiguration" in s3.get_bucket_notification_configuration(Bucket=bucket):
            return []
        reason = "does not send its events to EventBridge"
    except ClientError as error:
        reason = f"does not say whether it sends its events to EventBridge ({error.response['Error']['Code']})"
    return [
        f"the bucket {bucket} {reason}, so new input starts no execution. Turn it on: "
        f"aws s3api put-bucket-notification-configuration --bucket {bucket} "
        "--notification-configuration '{\"EventBridgeConfiguration\": {}}' (this replaces its other notifications)"
    ]
