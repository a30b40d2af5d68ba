"""EventBridge's rules, in moto's account."""

from __future__ import annotations

import json
import types

import pytest
from moto.events.models import EventPattern

from pipeline.errors import UserError
from pipeline.operate.function import publish_function
from pipeline.operate.triggers import apply_triggers, remove_rule, rule_names, trigger_changes, wanted_rules


@pytest.fixture
def published(aws, config, resources):
    """An account in which the function exists."""
    aws.client("iam").create_role(
        RoleName=resources.lambda_role_arn.rpartition("/")[2],
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []}),
    )
    publish_function(aws.client("lambda"), config, resources)
    return aws


def rules(aws):
    return {rule["Name"]: rule for rule in aws.client("events").list_rules()["Rules"]}


def target(aws, rule):
    (only,) = aws.client("events").list_targets_by_rule(Rule=rule)["Targets"]
    return only


def answer_with(aws, operation, status, parsed) -> None:
    """From now on an operation is answered with this, and not by moto."""
    metadata = {"ResponseMetadata": {"HTTPStatusCode": status}}
    reply = (types.SimpleNamespace(status_code=status), parsed | metadata)
    aws.events.register(f"before-call.{operation}", lambda **_: reply)


def refusal(code, message="no"):
    return {"Error": {"Code": code, "Message": message}}


def event(source, kind, **detail):
    return {"source": source, "detail-type": kind, "detail": detail}


def matches(rule, happened):
    return EventPattern.load(rule["EventPattern"]).matches_event(happened)


def test_approvals_and_endpoints_in_service_reach_the_function(published, config, resources) -> None:
    sentences = apply_triggers(config, resources, published)
    name = config.pipeline.name
    assert set(rules(published)) == {f"{name}-approved", f"{name}-in-service"}
    assert len(sentences) == 2
    assert target(published, f"{name}-approved")["Arn"] == resources.deploy_function_arn
    policy = json.loads(published.client("lambda").get_policy(FunctionName=resources.deploy_function_name)["Policy"])
    sources = {statement["Condition"]["ArnLike"]["AWS:SourceArn"] for statement in policy["Statement"]}
    assert sources == {f"arn:aws:events:us-east-1:123456789012:rule/{rule}" for rule in rules(published)}


def test_only_approvals_of_the_pipelines_own_group_match(published, config, resources) -> None:
    apply_triggers(config, resources, published)
    rule = rules(published)[f"{config.pipeline.name}-approved"]
    kind, group = "SageMaker Model Package State Change", config.registry.group

    def package(group, status):
        return event("aws.sagemaker", kind, ModelPackageGroupName=group, ModelApprovalStatus=status)

    assert matches(rule, package(group, "Approved"))
    assert not matches(rule, package(group, "Rejected"))
    assert not matches(rule, package("another", "Approved"))


def test_only_endpoints_that_may_be_the_pipelines_match(published, config, resources) -> None:
    apply_triggers(config, resources, published)
    rule = rules(published)[f"{config.pipeline.name}-in-service"]

    def endpoint(name, status):
        return event("aws.sagemaker", "SageMaker Endpoint State Change", EndpointName=name, EndpointStatus=status)

    assert matches(rule, endpoint(config.deploy.endpoint_name, "IN_SERVICE"))
    assert matches(rule, endpoint(config.deploy.endpoint_name, "InService"))
    assert not matches(rule, endpoint(config.deploy.endpoint_name, "UPDATING"))
    assert not matches(rule, endpoint("fraud", "IN_SERVICE"))


def test_applying_twice_changes_nothing(published, configure, resources) -> None:
    config = configure(triggers={"schedule": "rate(1 day)"})
    assert len(apply_triggers(config, resources, published)) == 3
    assert apply_triggers(config, resources, published) == []


def test_a_schedule_starts_the_pipeline_in_the_role_that_may(published, configure, resources) -> None:
    config = configure(triggers={"schedule": "cron(0 3 * * ? *)"})
    apply_triggers(config, resources, published)
    rule = f"{config.pipeline.name}-schedule"
    assert rules(published)[rule]["ScheduleExpression"] == "cron(0 3 * * ? *)"
    assert target(published, rule) == {
        "Id": "pipeline",
        "Arn": f"arn:aws:sagemaker:us-east-1:123456789012:pipeline/{config.pipeline.name}",
        "RoleArn": f"arn:aws:iam::123456789012:role/{config.pipeline.name}-events-us-east-1",
    }


def test_new_input_starts_the_pipeline_with_a_new_data_version(published, configure, resources) -> None:
    published.client("s3").create_bucket(Bucket="lake")
    config = configure(dataset={"input": "s3://lake/claims/"}, triggers={"on_new_input": True})
    apply_triggers(config, resources, published)
    name = f"{config.pipeline.name}-new-input"
    parameters = target(published, name)["SageMakerPipelineParameters"]["PipelineParameterList"]
    assert parameters == [{"Name": "DataVersion", "Value": "$.time"}]

    def created(bucket, key):
        return event("aws.s3", "Object Created", bucket={"name": bucket}, object={"key": key})

    rule = rules(published)[name]
    assert matches(rule, created("lake", "claims/2026.csv"))
    assert not matches(rule, created("lake", "salaries/2026.csv"))
    assert not matches(rule, created("another", "claims/2026.csv"))


def test_a_bucket_that_keeps_its_events_to_itself_is_told(published, configure, resources) -> None:
    published.client("s3").create_bucket(Bucket="lake")
    config = configure(dataset={"input": "s3://lake/claims/"}, triggers={"on_new_input": True})
    assert "Turn it on" in apply_triggers(config, resources, published)[-1]
    # moto forgets this one setting.
    answer_with(published, "s3.GetBucketNotificationConfiguration", 200, {"EventBridgeConfiguration": {}})
    assert apply_triggers(config, resources, published) == []


def test_a_bucket_that_may_not_be_asked_is_told(published, configure, resources) -> None:
    config = configure(dataset={"input": "s3://lake/claims/"}, triggers={"on_new_input": True})
    answer_with(published, "s3.GetBucketNotificationConfiguration", 403, refusal("AccessDenied"))
    assert "does not say whether" in apply_triggers(config, resources, published)[-1]


def test_what_is_configured_no_more_is_removed(published, config, configure, resources) -> None:
    apply_triggers(configure(triggers={"schedule": "rate(1 day)"}), resources, published)
    assert apply_triggers(config, resources, published) == [f"rule {config.pipeline.name}-schedule: removed"]
    assert f"{config.pipeline.name}-schedule" not in rules(published)


def test_the_changes_are_those_that_are_made(published, config, configure, resources) -> None:
    apply_triggers(config, resources, published)
    rule = f"rule {config.pipeline.name}-schedule"
    events, scheduled = published.client("events"), configure(triggers={"schedule": "rate(7 days)"})
    assert trigger_changes(config, resources, events) == []
    assert [line.split(";")[0] for line in trigger_changes(scheduled, resources, events)] == [f"{rule}: create"]
    apply_triggers(scheduled, resources, published)
    assert trigger_changes(scheduled, resources, events) == []
    assert trigger_changes(config, resources, events) == [f"{rule}: remove"]


def test_a_rule_that_somebody_changed_is_put_right(published, config, resources) -> None:
    apply_triggers(config, resources, published)
    events, name = published.client("events"), f"{config.pipeline.name}-approved"
    events.disable_rule(Name=name)
    events.remove_targets(Rule=f"{config.pipeline.name}-in-service", Ids=["deploy"])
    assert len(apply_triggers(config, resources, published)) == 2
    assert rules(published)[name]["State"] == "ENABLED"
    assert target(published, f"{config.pipeline.name}-in-service")["Arn"] == resources.deploy_function_arn


def test_a_target_that_eventbridge_does_not_take_is_no_success(published, config, resources) -> None:
    failed = {"TargetId": "deploy", "ErrorCode": "ConcurrentModificationException", "ErrorMessage": "too many requests"}
    answer_with(published, "events.PutTargets", 200, {"FailedEntryCount": 1, "FailedEntries": [failed]})
    with pytest.raises(UserError, match=r"-approved exists, but has no target .*ConcurrentModification.*too many"):
        apply_triggers(config, resources, published)


def test_a_target_that_eventbridge_does_not_let_go_is_no_success(published, config, resources) -> None:
    apply_triggers(config, resources, published)
    answer_with(published, "events.RemoveTargets", 200, {"FailedEntryCount": 1, "FailedEntries": []})
    with pytest.raises(UserError, match=r"-approved could not be removed \(no reason given\)"):
        remove_rule(published.client("events"), f"{config.pipeline.name}-approved")


def test_a_schedule_that_eventbridge_refuses_is_a_sentence(published, configure, resources) -> None:
    config = configure(triggers={"schedule": "cron(0 3 L-9 * ? 2030)"})
    apply_triggers(configure(), resources, published)
    answer_with(published, "events.PutRule", 400, refusal("ValidationException"))
    with pytest.raises(UserError, match=r"triggers.schedule: EventBridge does not accept 'cron\(0 3 L-9"):
        apply_triggers(config, resources, published)


def test_a_service_without_schedules_leaves_them_out_and_says_so(published, configure, resources) -> None:
    config = configure(triggers={"schedule": "rate(1 day)"})
    apply_triggers(configure(), resources, published)
    answer_with(published, "events.PutRule", 501, refusal("NotImplementedException", "not implemented here"))
    assert apply_triggers(config, resources, published) == [
        f"rule {config.pipeline.name}-schedule: left out, as this is not implemented here"
    ]


def test_every_rule_has_a_name_that_deleting_knows(configure, resources) -> None:
    config = configure(
        dataset={"input": "s3://lake/claims/"}, triggers={"on_new_input": True, "schedule": "rate(1 day)"}
    )
    assert {rule.name for rule in wanted_rules(config, resources)} == set(rule_names(config))
