import io
import json
import time
import zipfile
from contextlib import nullcontext
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError

from local.api.eventbridge.operations import EventBridge
from local.api.moto.services import MotoServices
from local.records.kinds import ASYNCHRONOUS_INVOCATION, EVENT

APPROVED = {"ModelApprovalStatus": "Approved", "ModelPackageArn": "arn:aws:sagemaker:us-east-1:123456789012:x"}
CHANGE = "SageMaker Model Package State Change"
SOURCE = "import json\ndef handler(event, context): open('%s', 'a').write(json.dumps(event) + '\\n')"


@pytest.fixture
def received(service):
    """What a function gets, and the function's ARN."""
    file = service.settings.root / "received"
    file.unlink(missing_ok=True)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("main.py", SOURCE % file)
    client = service.client("lambda")
    arn = client.create_function(
        FunctionName="deploy",
        Runtime="python3.11",
        Role="arn:aws:iam::123456789012:role/deploy",
        Handler="main.handler",
        Code={"ZipFile": archive.getvalue()},
        Timeout=30,
    )["FunctionArn"]

    def read(count):
        deadline = time.monotonic() + 20
        while not file.exists() or len(file.read_text().splitlines()) < count:
            assert time.monotonic() < deadline, "no event came"
            time.sleep(0.05)
        return [json.loads(line) for line in file.read_text().splitlines()]

    vars(read)["arn"] = arn
    yield read
    # The next test's rule and function have the same names.
    wait_for_delivery(service)
    assert service.parts.store.wait_until(lambda: not service.parts.store.list(ASYNCHRONOUS_INVOCATION), 20)
    client.delete_function(FunctionName="deploy")
    rules = service.client("events")
    for rule in rules.list_rules()["Rules"]:
        targets = rules.list_targets_by_rule(Rule=rule["Name"])["Targets"]
        if targets:
            rules.remove_targets(Rule=rule["Name"], Ids=[target["Id"] for target in targets])
        rules.delete_rule(Name=rule["Name"])


def rule(service, pattern, **target) -> None:
    client = service.client("events")
    client.put_rule(Name="rule", EventPattern=json.dumps(pattern))
    client.put_targets(Rule="rule", Targets=[{"Id": "target", **target}])


def wait_for_delivery(service) -> None:
    """Wait until all events have met the rules, so that a change of a rule no longer counts for them."""
    assert service.parts.store.wait_until(lambda: not service.parts.store.list(EVENT), 20)


def test_a_matching_event_of_the_service_reaches_the_function(service, received) -> None:
    rule(service, {"source": ["aws.sagemaker"], "detail": {"ModelApprovalStatus": ["Approved"]}}, Arn=received.arn)
    service.parts.events.emit("aws.sagemaker", CHANGE, APPROVED | {"ModelApprovalStatus": "Rejected"})
    service.parts.events.emit("aws.sagemaker", CHANGE, APPROVED, [APPROVED["ModelPackageArn"]])
    [event] = received(1)
    assert event["detail"] == APPROVED
    assert (event["source"], event["detail-type"], event["account"]) == ("aws.sagemaker", CHANGE, "123456789012")
    assert event["resources"] == [APPROVED["ModelPackageArn"]]


def test_an_event_that_a_client_puts_reaches_the_function(service, received) -> None:
    rule(service, {"source": ["mine"]}, Arn=received.arn, InputPath="$.detail.items[1]")
    entry = {"Source": "mine", "DetailType": "test", "Detail": json.dumps({"items": [1, {"two": 2}]})}
    assert service.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0
    assert received(1) == [{"two": 2}]


def test_a_template_shapes_what_the_function_gets(service, received) -> None:
    transformer = {
        "InputPathsMap": {"arn": "$.detail.ModelPackageArn", "detail": "$.detail"},
        "InputTemplate": '{"package": <arn>, "said": "of <arn>: \\"yes\\"", "all": <detail>}',
    }
    rule(service, {"source": ["aws.sagemaker"]}, Arn=received.arn, InputTransformer=transformer)
    service.parts.events.emit("aws.sagemaker", CHANGE, APPROVED)
    arn = APPROVED["ModelPackageArn"]
    assert received(1) == [{"package": arn, "said": f'of {arn}: "yes"', "all": APPROVED}]


def test_a_new_object_of_a_bucket_that_tells_of_them_reaches_the_function(service, received) -> None:
    s3 = service.client("s3")
    for bucket in ("silent", "telling"):
        s3.create_bucket(Bucket=bucket)
    s3.put_bucket_notification_configuration(
        Bucket="telling", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    pattern = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"object": {"key": [{"prefix": "new/"}]}},
    }
    rule(service, pattern, Arn=received.arn, InputPath="$.detail")
    s3.put_object(Bucket="silent", Key="new/a", Body=b"1")
    s3.put_object(Bucket="telling", Key="old/a", Body=b"1")
    s3.put_object(Bucket="telling", Key="new/a", Body=b"123")
    [detail] = received(1)
    assert (detail["bucket"], detail["object"]["key"], detail["object"]["size"]) == ({"name": "telling"}, "new/a", 3)


def test_objects_that_are_deleted_or_tagged_reach_the_function(service, received) -> None:
    s3 = service.client("s3")
    s3.create_bucket(Bucket="changing")
    s3.put_bucket_notification_configuration(
        Bucket="changing", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    kinds = ["Object Deleted", "Object Tags Added", "Object Tags Deleted"]
    rule(service, {"source": ["aws.s3"], "detail-type": kinds}, Arn=received.arn)
    for key in ("a", "b"):
        s3.put_object(Bucket="changing", Key=key)
    tagging = {"TagSet": [{"Key": "a", "Value": "b"}]}
    s3.put_object_tagging(Bucket="changing", Key="a", Tagging=tagging)
    received(1)
    s3.delete_object_tagging(Bucket="changing", Key="a")
    received(2)
    s3.delete_object(Bucket="changing", Key="missing")
    s3.delete_object(Bucket="changing", Key="a")
    received(3)
    s3.delete_objects(Bucket="changing", Delete={"Objects": [{"Key": "b"}, {"Key": "missing"}]})
    events = received(4)
    assert [(event["detail-type"], event["detail"]["object"]["key"]) for event in events] == [
        *(("Object Tags Added", "a"), ("Object Tags Deleted", "a"), ("Object Deleted", "a"), ("Object Deleted", "b")),
    ]
    assert events[-1]["detail"]["deletion-type"] == "Permanently Deleted"


def test_a_disabled_rule_sends_nothing(service, received) -> None:
    rule(service, {"source": ["aws.sagemaker"]}, Arn=received.arn)
    service.client("events").disable_rule(Name="rule")
    service.parts.events.emit("aws.sagemaker", CHANGE, {"first": 1})
    wait_for_delivery(service)
    service.client("events").enable_rule(Name="rule")
    service.parts.events.emit("aws.sagemaker", CHANGE, {"second": 2})
    assert [event["detail"] for event in received(1)] == [{"second": 2}]


def test_rules_that_nothing_would_come_of_are_refused(service) -> None:
    client = service.client("events")
    with pytest.raises(ClientError, match="events:PutRule with a ScheduleExpression"):
        client.put_rule(Name="nightly", ScheduleExpression="rate(1 day)")
    client.put_rule(Name="to-a-queue", EventPattern='{"source": ["x"]}')
    with pytest.raises(ClientError, match="events:PutTargets with the target arn:aws:sqs"):
        client.put_targets(
            Rule="to-a-queue", Targets=[{"Id": "queue", "Arn": "arn:aws:sqs:us-east-1:123456789012:queue"}]
        )
    client.delete_rule(Name="to-a-queue")


PIPELINE = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/started-by-events"


@pytest.fixture
def started(service):
    """What the executions of a pipeline were started with, as soon as there are so many."""
    sagemaker, rules = service.client("sagemaker"), service.client("events")
    definition = {
        "Version": "2020-12-01",
        "Parameters": [{"Name": name, "Type": "String", "DefaultValue": "1"} for name in ("DataVersion", "Kind")],
        "Steps": [{"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": {"Get": "Parameters.Kind"}}}],
    }
    sagemaker.create_pipeline(
        PipelineName="started-by-events",
        PipelineDefinition=json.dumps(definition),
        RoleArn="arn:aws:iam::123456789012:role/pipeline",
    )

    def summaries():
        answer = sagemaker.list_pipeline_executions(PipelineName="started-by-events", SortOrder="Ascending")
        return answer["PipelineExecutionSummaries"]

    def wait_until(reached):
        deadline = time.monotonic() + 20
        while not reached(found := summaries()):
            assert time.monotonic() < deadline, found
            time.sleep(0.05)
        return found

    def read(count):
        arns = [summary["PipelineExecutionArn"] for summary in wait_until(lambda found: len(found) == count)]
        listed = [sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn) for arn in arns]
        return [{item["Name"]: item["Value"] for item in answer["PipelineParameters"]} for answer in listed]

    yield read
    rules.remove_targets(Rule="start", Ids=["pipeline"])
    rules.delete_rule(Name="start")
    wait_until(lambda found: all(summary["PipelineExecutionStatus"] == "Failed" for summary in found))
    sagemaker.delete_pipeline(PipelineName="started-by-events", ClientRequestToken="t" * 32)


def test_a_pipeline_is_started_with_what_the_event_has_at_its_parameters_paths(service, started) -> None:
    client = service.client("events")
    client.put_rule(Name="start", EventPattern='{"source": ["mine"]}')
    target = {"Id": "pipeline", "Arn": PIPELINE, "RoleArn": "arn:aws:iam::123456789012:role/events"}

    def put(**values) -> None:
        parameters = [{"Name": name, "Value": value} for name, value in values.items()]
        target["SageMakerPipelineParameters"] = {"PipelineParameterList": parameters}  # type: ignore[assignment]
        client.put_targets(Rule="start", Targets=[target])

    def send(detail) -> None:
        client.put_events(Entries=[{"Source": "mine", "DetailType": "test", "Detail": json.dumps(detail)}])

    put(DataVersion="$.time", Kind="$.detail.items[1].kind")
    send({"items": [{}, {"kind": "claims"}]})
    [values] = started(1)
    assert values["Kind"] == "claims"
    assert values["DataVersion"].endswith("Z")
    assert values["DataVersion"].startswith("20")
    send({"items": []})  # has nothing at the path: no execution with a made-up value
    wait_for_delivery(service)
    put(Kind="of $.time")
    send({})
    assert [values["Kind"] for values in started(2)] == ["claims", "of $.time"]


def test_an_event_that_is_delivered_again_asks_for_the_same_execution(parts) -> None:
    target = {"Id": "pipeline", "Arn": PIPELINE}
    moto = Mock(MotoServices)
    rules = {
        name: SimpleNamespace(name=name, state="ENABLED", event_pattern=Mock(), targets=[target])
        for name in ("first", "second")
    }
    bus_of_moto = SimpleNamespace(event_buses={"default": SimpleNamespace(rules=rules)})
    moto.backend.return_value = nullcontext(bus_of_moto)
    tokens: list[str] = []

    def call(_, request):
        tokens.append(request["ClientRequestToken"])

    bus = EventBridge(
        moto, parts.logs, parts.store, parts.supervisor, region="us-east-1", call=call, invoke_function=Mock()
    )
    bus.emit("aws.sagemaker", CHANGE, {})
    [event] = parts.store.list(EVENT)
    for again in (False, True):
        if again:
            parts.store.insert(EVENT, event["id"], event)
        bus.begin()
        assert parts.store.wait_until(lambda: not parts.store.list(EVENT), 20)
    assert tokens[:2] == tokens[2:]
    assert len(set(tokens)) == 2


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"RoleArn": ""}, "RoleArn is required"),
        (
            {"SageMakerPipelineParameters": {"PipelineParameterList": [{"Name": "a", "Value": "$.a[?(@.b)]"}]}},
            "JSON path",
        ),
    ],
)
def test_a_pipeline_target_that_could_not_work_is_refused(service, changed, message) -> None:
    client = service.client("events")
    client.put_rule(Name="start", EventPattern='{"source": ["mine"]}')
    target = {"Id": "pipeline", "Arn": PIPELINE, "RoleArn": "arn:aws:iam::123456789012:role/events"} | changed
    with pytest.raises(ClientError, match=message):
        client.put_targets(Rule="start", Targets=[{name: value for name, value in target.items() if value}])
    client.delete_rule(Name="start")


LOG_GROUP = "arn:aws:logs:us-east-1:123456789012:log-group:/events"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ({"Input": "no json"}, "JSON syntax error in input for target t"),
        ({"Input": "1", "InputPath": "$.detail"}, "Only one of Input, InputPath, or InputTransformer must be provided"),
        ({"InputPath": "detail"}, "InputPath for target t is invalid"),
        ({"InputPath": "$['detail']"}, "InputPath for target t is invalid"),
        ({"InputPath": "$.a[?(@.b)]"}, "NotImplemented.*an InputPath such as"),
        ({"InputTransformer": {"InputPathsMap": {"a": "b"}, "InputTemplate": "<a>"}}, "InputPathsMap: a"),
        (
            {"InputTransformer": {"InputPathsMap": {"a": "$.detail"}, "InputTemplate": '"<a> <b>"'}},
            "InputTemplate for target t contains invalid placeholder b",
        ),
        ({"InputTransformer": {"InputTemplate": "<aws.events.rule-arn>"}}, "NotImplemented.*<aws.events.rule-arn>"),
        ({"InputTransformer": {"InputTemplate": "a text"}}, "NotImplemented.*InputTemplate that is not JSON"),
        ({"SageMakerPipelineParameters": {"PipelineParameterList": []}}, "not supported for target: t"),
        ({"Arn": LOG_GROUP.replace("us-east-1", "eu-west-1")}, "NotImplemented.*another region or account"),
        ({"Arn": LOG_GROUP.replace("123456789012", "111122223333")}, "NotImplemented.*another region or account"),
    ],
)
def test_a_target_that_eventbridge_refuses_is_refused(service, target, message) -> None:
    client = service.client("events")
    client.put_rule(Name="refusing", EventPattern='{"source": ["x"]}')
    with pytest.raises(ClientError, match=message):
        client.put_targets(Rule="refusing", Targets=[{"Id": "t", "Arn": LOG_GROUP} | target])
    assert client.list_targets_by_rule(Rule="refusing")["Targets"] == []
    client.delete_rule(Name="refusing")


def test_a_rule_has_five_targets_at_most(service) -> None:
    client = service.client("events")
    client.put_rule(Name="full", EventPattern='{"source": ["x"]}')
    targets = [{"Id": str(number), "Arn": LOG_GROUP} for number in range(6)]
    with pytest.raises(client.exceptions.LimitExceededException):
        client.put_targets(Rule="full", Targets=targets)
    client.put_targets(Rule="full", Targets=targets[:5])
    client.put_targets(Rule="full", Targets=targets[:1])
    with pytest.raises(client.exceptions.LimitExceededException):
        client.put_targets(Rule="full", Targets=targets[5:])
    client.remove_targets(Rule="full", Ids=[str(number) for number in range(5)])
    client.delete_rule(Name="full")


def test_a_pattern_is_tested_with_an_event(service) -> None:
    client = service.client("events")
    texts = dict.fromkeys(("id", "account", "time", "region", "detail-type"), "x")
    event = {**texts, "source": "mine", "resources": []}
    for pattern, matches in (({"source": ["mine"]}, True), ({"source": [{"anything-but": "mine"}]}, False)):
        answer = client.test_event_pattern(EventPattern=json.dumps(pattern), Event=json.dumps(event))
        assert answer["Result"] is matches
    with pytest.raises(client.exceptions.InvalidEventPatternException, match="Unrecognized match type nope"):
        client.test_event_pattern(EventPattern='{"source": [{"nope": 1}]}', Event=json.dumps(event))
    for wrong, message in (("[]", "not a JSON object"), (json.dumps(texts), "source is a required argument")):
        with pytest.raises(ClientError, match=message):
            client.test_event_pattern(EventPattern='{"source": ["mine"]}', Event=wrong)
    with pytest.raises(client.exceptions.InvalidEventPatternException, match="Empty objects are not allowed"):
        client.put_rule(Name="invalid", EventPattern="{}")


def test_nobody_puts_events_of_aws_or_too_large_ones(service) -> None:
    client = service.client("events")
    entry = {"Source": "aws.sagemaker", "DetailType": CHANGE, "Detail": "{}"}
    answer = client.put_events(Entries=[entry, entry | {"Source": "aws-like"}])
    assert answer["FailedEntryCount"] == 1
    assert answer["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"
    assert answer["Entries"][1]["EventId"]
    large = {"Source": "mine", "DetailType": "d", "Detail": json.dumps({"a": "x" * (1024 * 512)})}
    assert client.put_events(Entries=[large])["FailedEntryCount"] == 0
    with pytest.raises(ClientError, match="Total size of the entries in the request is over the limit"):
        client.put_events(Entries=[large, large])


def test_a_token_that_no_list_returned_is_refused(service) -> None:
    client = service.client("events")
    with pytest.raises(ClientError, match="InvalidToken"):
        client.list_rules(NextToken="zz")
    for name in ("paged-1", "paged-2"):
        client.put_rule(Name=name, EventPattern='{"source": ["x"]}')
    first = client.list_rules(NamePrefix="paged", Limit=1)
    second = client.list_rules(NamePrefix="paged", Limit=1, NextToken=first["NextToken"])
    assert [first["Rules"][0]["Name"], second["Rules"][0]["Name"]] == ["paged-1", "paged-2"]
    for name in ("paged-1", "paged-2"):
        client.delete_rule(Name=name)
