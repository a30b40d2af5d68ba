"""Callback steps: the message, the token's way back, outputs, stop, and restarts of the service."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from definition_language.lint import check
from local.app.server import LocalService
from local.core.settings import Settings
from tests.local.conftest import RunningService
from tests.local.interpreter.conftest import Pipelines
from tests.local.interpreter.documents import condition, definition, fail, get, join, parameter, processing

OUTPUTS = {"word": "String", "rows": "Integer", "score": "Float", "good": "Boolean"}
GIVEN = {"word": "blue", "rows": "7", "score": "0.5", "good": "true"}


def callback(name: str, url: str, outputs: dict[str, str] | None = None, **members: Any) -> dict[str, Any]:
    declared = [{"OutputName": key, "OutputType": kind} for key, kind in (outputs or {}).items()]
    return {
        "Name": name,
        "Type": "Callback",
        "SqsQueueUrl": url,
        "Arguments": {"number": 5, "text": "some", "uri": get("Parameters.Uri")},
        "OutputParameters": declared,
        **members,
    }


URI = [parameter("Uri", "String", "s3://bucket/a")]


class Queue:
    """A queue with one consumer, which gets each message once."""

    def __init__(self, service: RunningService, name: str) -> None:
        self._client = service.client("sqs")
        self.url = self._client.create_queue(QueueName=name)["QueueUrl"]

    def next(self) -> dict[str, Any]:
        (message,) = self._client.receive_message(QueueUrl=self.url, WaitTimeSeconds=20)["Messages"]
        self._client.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        body: dict[str, Any] = json.loads(message["Body"])
        return body

    def delete(self) -> None:
        self._client.delete_queue(QueueUrl=self.url)


@pytest.fixture
def queue(service, request):
    return Queue(service, f"callbacks-{abs(hash(request.node.name))}")


def succeed(pipelines: Pipelines, token: str, given: dict[str, str] | None = None, **request: Any) -> str:
    outputs = [{"Name": name, "Value": value} for name, value in (given or {}).items()]
    answer = pipelines.client.send_pipeline_execution_step_success(
        CallbackToken=token, OutputParameters=outputs, **request
    )
    arn: str = answer["PipelineExecutionArn"]
    return arn


def test_the_queue_gets_the_documented_message_and_the_outputs_have_their_types(pipelines, queue) -> None:
    values = [get(f"Steps.Wait.OutputParameters['{name}']") for name in OUTPUTS]
    test = {"Type": "GreaterThan", "LeftValue": values[1], "RightValue": 6}
    steps = callback("Wait", queue.url, OUTPUTS), condition("Gate", test, [fail("Say", join(" ", *values))])
    arn = pipelines.start(pipelines.create(*steps, parameters=URI), {"Uri": "s3://bucket/b"})
    message = queue.next()
    token = message.pop("token")
    assert message == {
        "pipelineExecutionArn": arn,
        "arguments": {"number": 5, "text": "some", "uri": "s3://bucket/b"},
        "status": "Executing",
    }
    waiting = pipelines.wait_for_step(arn, "Wait", "Executing")
    assert waiting["Metadata"]["Callback"] == {
        "CallbackToken": token,
        "SqsQueueUrl": queue.url,
        "OutputParameters": [],
    }
    assert succeed(pipelines, token, GIVEN) == arn
    ended = pipelines.wait(arn)
    assert ended.steps["Say"]["FailureReason"] == "blue 7 0.5 true"
    assert ended.steps["Wait"]["Metadata"]["Callback"]["OutputParameters"] == [
        {"Name": name, "Value": value} for name, value in GIVEN.items()
    ]


def test_a_failure_has_the_given_reason(pipelines, queue) -> None:
    arn = pipelines.start(pipelines.create(callback("Wait", queue.url), parameters=URI))
    token = queue.next()["token"]
    pipelines.client.send_pipeline_execution_step_failure(CallbackToken=token, FailureReason="no data today")
    ended = pipelines.wait(arn)
    assert (ended.status, ended.steps["Wait"]["FailureReason"]) == ("Failed", "no data today")


def test_a_token_is_taken_once_and_a_repeated_request_is_no_second_one(pipelines, queue) -> None:
    arn = pipelines.start(pipelines.create(callback("Wait", queue.url), parameters=URI))
    token = queue.next()["token"]
    assert succeed(pipelines, token, ClientRequestToken="a" * 32) == arn
    assert succeed(pipelines, token, ClientRequestToken="a" * 32) == arn
    with pytest.raises(ClientError, match="ConflictException"):
        succeed(pipelines, token)
    assert pipelines.wait(arn).status == "Succeeded"
    with pytest.raises(ClientError, match="ConflictException"):
        pipelines.client.send_pipeline_execution_step_failure(CallbackToken=token)
    with pytest.raises(ClientError, match="ResourceNotFound"):
        succeed(pipelines, "0123456789")


@pytest.mark.parametrize(
    ("given", "reason"),
    [({}, "no output parameter 'rows'; it has: none"), ({"rows": "many"}, "'rows' is not of type Integer: 'many'")],
)
def test_a_callback_without_what_the_step_declares_fails_it(pipelines, queue, given, reason) -> None:
    arn = pipelines.start(pipelines.create(callback("Wait", queue.url, {"rows": "Integer"}), parameters=URI))
    succeed(pipelines, queue.next()["token"], given)
    assert reason in pipelines.wait(arn).steps["Wait"]["FailureReason"]


def answer_that_lacks_an_output(pipelines: Pipelines, token: str) -> None:
    succeed(pipelines, token)


def answer_failure(pipelines: Pipelines, token: str) -> None:
    pipelines.client.send_pipeline_execution_step_failure(CallbackToken=token, FailureReason="cleaned up")


def answer_success(pipelines: Pipelines, token: str) -> None:
    succeed(pipelines, token, {"rows": "7"})


@pytest.mark.parametrize(
    ("answer", "status"),
    [(answer_success, "Succeeded"), (answer_failure, "Failed"), (answer_that_lacks_an_output, "Failed")],
)
def test_an_execution_stops_only_when_the_token_is_back_whatever_it_says(pipelines, queue, answer, status) -> None:
    steps = callback("Wait", queue.url, {"rows": "Integer"}), fail("Never", DependsOn=["Wait"])
    arn = pipelines.start(pipelines.create(*steps, parameters=URI))
    first = queue.next()
    pipelines.client.stop_pipeline_execution(PipelineExecutionArn=arn)
    assert queue.next() == first | {"status": "Stopping"}
    assert pipelines.wait_for_step(arn, "Wait", "Stopping")
    description = pipelines.client.describe_pipeline_execution(PipelineExecutionArn=arn)
    assert description["PipelineExecutionStatus"] == "Stopping"
    answer(pipelines, first["token"])
    ended = pipelines.wait(arn)
    assert (ended.status, ended.reason, ended.statuses()) == ("Stopped", None, {"Wait": status})


def test_a_step_that_failed_before_the_stop_fails_the_execution(pipelines, queue) -> None:
    steps = callback("Wait", queue.url), callback("Other", queue.url)
    arn = pipelines.start(pipelines.create(*steps, parameters=URI))
    tokens = [queue.next()["token"] for _ in steps]
    answer_failure(pipelines, tokens[0])
    assert pipelines.client.stop_pipeline_execution(PipelineExecutionArn=arn)
    answer_failure(pipelines, tokens[1])
    assert pipelines.wait(arn).status == "Failed"


def test_a_queue_that_does_not_exist_fails_the_step(pipelines, queue) -> None:
    for url in (f"{queue.url}-not", queue.url.replace("123456789012", "999999999999")):
        ended = pipelines.run(callback("Wait", url), parameters=URI)
        assert ended.steps["Wait"]["FailureReason"] == (
            "ClientError: Failed to invoke sqs:SendMessage. Error Details: The specified queue does not exist."
        )


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (callback("Wait", ""), "SqsQueueUrl is missing"),
        (callback("Wait", "x" * 257), "SqsQueueUrl"),
        (callback("Wait", "https://q", RetryPolicies=[]), "Unknown member 'RetryPolicies'"),
        (callback("Wait", "https://q", {"rows": "List"}), "OutputType"),
    ],
)
def test_a_wrong_step_is_refused(pipelines, step, message) -> None:
    with pytest.raises(ClientError, match=message):
        pipelines.create(step, parameters=URI)


def test_a_reference_to_an_output_that_is_not_declared_is_refused(pipelines, queue) -> None:
    steps = callback("Wait", queue.url, {"rows": "Integer"}), fail("Say", get("Steps.Wait.OutputParameters['row']"))
    with pytest.raises(ClientError, match="Callback step 'Wait' has the OutputParameters: rows"):
        pipelines.create(*steps, parameters=URI)


def test_a_cached_step_sends_no_message(pipelines, queue) -> None:
    step = callback("Wait", queue.url, {"rows": "Integer"}, CacheConfig={"Enabled": True, "ExpireAfter": "P1D"})
    name = pipelines.create(step, parameters=URI)
    first = pipelines.start(name)
    succeed(pipelines, queue.next()["token"], {"rows": "7"})
    pipelines.wait(first)
    again = pipelines.wait(pipelines.start(name))
    assert again.steps["Wait"]["CacheHitResult"] == {"SourcePipelineExecutionArn": first}


@pytest.fixture
def restart(tmp_path):
    """Start a service on one folder as often as wanted, one after the other."""
    running: list[LocalService] = []

    def start() -> Pipelines:
        while running:
            running.pop().stop()
        service = LocalService(Settings(tmp_path / ".local", port=0))
        service.start()
        running.append(service)
        return Pipelines(RunningService(service))

    yield start
    while running:
        running.pop().stop()


@pytest.mark.slow
def test_a_stop_is_not_forgotten_by_a_restart(restart, monkeypatch) -> None:
    before = restart()
    queue = Queue(before.service, "stopping")
    steps = [callback(name, queue.url) for name in ("First", "Second")]
    slow = processing("Slow", "python3", "-c", "import time; time.sleep(600)")
    arn = before.start(before.create(*steps, slow, parameters=URI))
    for name in ("First", "Second", "Slow"):
        before.wait_for_step(arn, name, "Executing")
    tokens = {name: before.steps(arn)[name]["Metadata"]["Callback"]["CallbackToken"] for name in ("First", "Second")}
    # The service ends before it has stopped the job.
    monkeypatch.setattr(before.parts.executions, "stop", lambda arn: None)
    before.client.stop_pipeline_execution(PipelineExecutionArn=arn)
    answer_failure(before, tokens["First"])
    before.wait_for_step(arn, "First", "Failed")
    after = restart()
    succeed(after, tokens["Second"])
    ended = after.wait(arn)
    assert ended.status == "Stopped"
    assert ended.statuses() == {"First": "Failed", "Second": "Succeeded", "Slow": "Stopped"}


def test_the_definition_language_knows_callback_steps() -> None:
    good = callback("Wait", "https://sqs.us-east-1.amazonaws.com/123456789012/q", {"rows": "Integer"})
    document = json.loads(definition(good, fail("Say", get("Steps.Wait.OutputParameters['row']")), parameters=URI))
    report = check(document)
    assert [fault for fault in report.faults if "output parameters of Wait are rows" in fault]
    del document["Steps"][0]["SqsQueueUrl"]
    assert [fault for fault in check(document).faults if "SqsQueueUrl" in fault]
