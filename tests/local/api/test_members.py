"""Every member of a request to Lambda, CloudWatch Logs or EventBridge is obeyed, kept, or refused by its name."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from definition_language.models import input_shape
from local.api.eventbridge.rules import Rules
from local.api.lambda_.members import OBEYED
from tests.local.api.members import leaves, merged, shape_at, valid, values, values_at
from tests.local.conftest import ROLE
from tests.local.fuzz.sender import Sender

NAME = "a-function"
FUNCTION = f"arn:aws:lambda:us-east-1:123456789012:function:{NAME}"
CODE_MEMBERS = ("ZipFile", "S3Bucket", "S3Key")


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as opened:
        opened.writestr("main.py", "def handler(event, context): return event")
    return file.getvalue()


CONFIGURATION: dict[str, Any] = {
    "Runtime": "python3.11",
    "Handler": "main.handler",
    "Role": ROLE,
    "VpcConfig": {"SubnetIds": ["subnet-12345678"], "SecurityGroupIds": ["sg-12345678"]},
    "Environment": {"Variables": {"AB": "c"}},
}
BASES: dict[str, dict[str, Any]] = {
    "CreateFunction": {"FunctionName": "made", **CONFIGURATION, "Code": {"ZipFile": archive()}},
    "UpdateFunctionConfiguration": {"FunctionName": NAME, **CONFIGURATION},
    "UpdateFunctionCode": {"FunctionName": NAME, "ZipFile": archive()},
    "Invoke": {"FunctionName": NAME, "InvocationType": "DryRun"},
    "AddPermission": {"FunctionName": NAME, "StatementId": "a", "Action": "lambda:InvokeFunction", "Principal": "*"},
    "RemovePermission": {"FunctionName": NAME, "StatementId": "a"},
    "ListFunctions": {},
    "TagResource": {"Resource": FUNCTION, "Tags": {"a": "b"}},
    "UntagResource": {"Resource": FUNCTION, "TagKeys": ["a"]},
    "ListTags": {"Resource": FUNCTION},
}


@pytest.fixture(scope="module")
def function(service) -> Any:
    client = service.client("lambda", parameter_validation=False)
    client.create_function(FunctionName=NAME, **CONFIGURATION, Code={"ZipFile": archive()})
    return client


def called(client: Any, operation: str, request: dict[str, Any]) -> dict[str, Any]:
    # The client's method of an operation, by the operation's name.
    names = {name: method for method, name in client.meta.method_to_api_mapping.items()}
    answer: dict[str, Any] = getattr(client, names[operation])(**request)
    return answer


def _as_bytes(value: Any) -> Any:
    return base64.b64decode(value) if value == "YQ==" else value


@pytest.mark.parametrize("operation", OBEYED)
def test_a_member_that_lambda_does_not_obey_is_refused_by_its_name(function, operation) -> None:
    shape, base = input_shape("lambda", operation), BASES.get(operation, {"FunctionName": NAME})
    for name in shape.members:
        if name in OBEYED[operation].split():
            continue
        given = next((value for value in values_of(shape, name) if value not in (False, None)), True)
        with pytest.raises(ClientError, match="NotImplemented") as refused:
            called(function, operation, {**base, name: given})
        assert name in str(refused.value)


def values_of(shape: Any, name: str) -> list[Any]:
    member = shape.members[name]
    if member.type_name in ("structure", "list", "map"):
        path = next(iter(leaves(member)))
        return [valid(member, path)]
    return [_as_bytes(value) for value in reversed(values(member))]


REFUSED = [("LoggingConfig", member) for member in ("LogFormat", "ApplicationLogLevel", "SystemLogLevel")]
"""Members of a configuration that are refused with most of their values."""
CODE: Any = input_shape("lambda", "CreateFunction").members["Code"]


@pytest.mark.parametrize("member", CODE.members)
def test_a_member_of_a_functions_code_is_obeyed_or_refused(function, member) -> None:
    if member not in CODE_MEMBERS:
        base = BASES["CreateFunction"]
        with pytest.raises(ClientError, match=f"NotImplemented.*{member}"):
            called(
                function, "CreateFunction", {**base, "Code": {**base["Code"], member: values(CODE.members[member])[0]}}
            )


@pytest.mark.parametrize("operation", ["CreateFunction", "UpdateFunctionConfiguration"])
def test_a_member_of_a_functions_configuration_is_described(function, operation) -> None:
    shape, base = input_shape("lambda", operation), BASES[operation]
    for path in leaves(shape):
        if path[0] not in OBEYED[operation].split() or path[0] in ("Code", "RevisionId") or path in REFUSED:
            continue
        request = base if values_at(base, path) else merged({path[0]: valid(shape, path)[path[0]]}, base)
        [wanted, *_] = values_at(request, path)
        called(function, operation, request)
        described = function.get_function(FunctionName=request["FunctionName"])
        if operation == "CreateFunction":
            function.delete_function(FunctionName=request["FunctionName"])
        assert wanted in values_at({**described["Configuration"], "Tags": described.get("Tags")}, path), path


HANDLED_BY_LOGS = {
    "CreateLogGroup": "logGroupName tags",
    "CreateLogStream": "logGroupName logStreamName",
    # CloudWatch Logs itself ignores sequence tokens.
    "PutLogEvents": "logGroupName logStreamName logEvents sequenceToken",
    "DeleteLogGroup": "logGroupName",
    "DeleteLogStream": "logGroupName logStreamName",
    "DescribeLogGroups": "logGroupNamePrefix logGroupNamePattern nextToken limit",
    "PutRetentionPolicy": "logGroupName retentionInDays",
    "DeleteRetentionPolicy": "logGroupName",
    "ListTagsForResource": "resourceArn",
    "DescribeLogStreams": "logGroupName logGroupIdentifier logStreamNamePrefix orderBy descending nextToken limit",
    # Nothing is masked here, so that there is nothing to unmask.
    "GetLogEvents": (
        "logGroupName logGroupIdentifier logStreamName startTime endTime nextToken limit startFromHead unmask"
    ),
    # CloudWatch Logs itself ignores interleaved. A startFromHead that is false is refused.
    "FilterLogEvents": (
        "logGroupName logGroupIdentifier logStreamNames logStreamNamePrefix startTime endTime filterPattern nextToken"
        " limit startFromHead interleaved unmask"
    ),
}
LOGS: dict[str, Any] = {
    "logGroupName": "group",
    "logStreamName": "stream",
    "logEvents": [{"timestamp": 1, "message": "a"}],
}


def test_the_members_of_every_operation_of_logs_are_known(service) -> None:
    assert set(service.parts.logs_api.operations()) == set(HANDLED_BY_LOGS)


@pytest.mark.parametrize("operation", HANDLED_BY_LOGS)
def test_a_member_that_logs_do_not_obey_is_refused_by_its_name(service, operation) -> None:
    client, shape = service.client("logs", parameter_validation=False), input_shape("logs", operation)
    base = {name: LOGS[name] for name in shape.required_members if name in LOGS}
    for name in set(shape.members) - set(HANDLED_BY_LOGS[operation].split()):
        with pytest.raises(ClientError, match="NotImplemented") as refused:
            called(client, operation, {**base, name: values_of(shape, name)[0] or True})
        assert name in str(refused.value)


def test_a_filter_that_begins_at_the_end_is_refused(service) -> None:
    client = service.client("logs")
    client.create_log_group(logGroupName="filtered")
    with pytest.raises(ClientError, match=r"NotImplemented.*startFromHead"):
        client.filter_log_events(logGroupName="filtered", startFromHead=False)


@pytest.mark.parametrize("target", [FUNCTION, "arn:aws:sagemaker:us-east-1:123456789012:pipeline/made"])
def test_a_member_of_a_rules_target_is_described_or_refused(service, target) -> None:
    client, shape = service.client("events", parameter_validation=False), input_shape("events", "PutTargets")
    client.put_rule(Name="rule", EventPattern=json.dumps({"source": ["a"]}))
    base = {"Rule": "rule", "Targets": [{"Id": "a", "Arn": target, "RoleArn": ROLE}]}
    handled = {("EventBusName",), ("Rule",)}
    for path in set(leaves(shape)) - handled:
        request = merged(valid(shape, path), base)
        [wanted, *_] = values_at(request, path)
        try:
            client.put_targets(**request)
        except ClientError as error:
            said = error.response["Error"]["Message"].lower()
            assert any(name.lower() in said for name in path[1:]), (path, said)
            continue
        described = {"Targets": client.list_targets_by_rule(Rule="rule")["Targets"]}
        assert wanted in values_at(described, path), path
    client.remove_targets(Rule="rule", Ids=["a"])
    client.delete_rule(Name="rule")


def test_a_member_of_a_rule_is_described_or_refused(service) -> None:
    client, shape = service.client("events", parameter_validation=False), input_shape("events", "PutRule")
    base = {"Name": "rule", "EventPattern": json.dumps({"source": ["a"]})}
    for path in leaves(shape):
        for other in range(len(values(shape_at(shape, path)))):
            request = merged(valid(shape, path, other), base) if not values_at(base, path) else base
            [wanted, *_] = values_at(request, path)
            try:
                arn = client.put_rule(**request)["RuleArn"]
            except ClientError as error:
                said = error.response["Error"]["Message"]
                assert path[0] in said or wanted in said, (path, said)
                continue
            described = {
                **client.describe_rule(Name="rule"),
                "Tags": client.list_tags_for_resource(ResourceARN=arn)["Tags"],
            }
            client.delete_rule(Name="rule")
            assert wanted in values_at(described, path), path


def test_a_member_of_an_event_is_sent_or_refused(service, monkeypatch) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(type(service.parts.events), "may_have_rules", lambda _: True)

    def targets(_: Any, event: Any) -> list[Any]:
        sent.append(event)
        return []

    monkeypatch.setattr(Rules, "targets", targets)
    client = service.client("events")
    entry = {"Source": "a", "DetailType": "b", "Detail": '{"c": 1}', "Resources": ["d"], "Time": "2026-01-31T12:00:00Z"}
    [answered] = client.put_events(Entries=[{**entry, "EventBusName": "default"}])["Entries"]
    assert "EventId" in answered
    assert service.parts.store.wait_until(lambda: sent, 20)
    [event] = sent
    assert (event["source"], event["detail-type"], event["detail"]) == ("a", "b", {"c": 1})
    assert (event["resources"], event["time"]) == (["d"], "2026-01-31T12:00:00Z")
    known = {*entry, "EventBusName"}
    shape: Any = input_shape("events", "PutEvents").members["Entries"]
    for member in set(shape.member.members) - known:
        with pytest.raises(ClientError, match=f"NotImplemented.*{member}"):
            client.put_events(Entries=[{**entry, member: "a"}])
    # Botocore sends events to a global endpoint only with AWS's own HTTP library.
    target = {b"x-amz-target": b"AWSEvents.PutEvents"}
    body = json.dumps({"Entries": [{**entry, "Time": 0}], "EndpointId": "abc.def"}).encode()
    reply = Sender(service.settings).send("events", "POST", b"/", target, body)
    assert (reply.status, b"EndpointId" in reply.body) == (501, True)
    answer = client.put_events(Entries=[{**entry, "Detail": "[]"}])
    assert answer["Entries"][0]["ErrorCode"] == "MalformedDetail"
