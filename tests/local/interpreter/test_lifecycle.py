"""What an execution does beside running to its end: retries, caching, stop, retry, selection, restoration."""

from __future__ import annotations

import json
import threading
import time

import pytest
from botocore.exceptions import ClientError

from local.app.server import LocalService
from local.core.errors import ServiceError, limit_exceeded
from local.core.settings import Settings
from local.records import executions as records
from local.storage.store import Store
from tests.local.conftest import RunningService
from tests.local.interpreter.conftest import TIMEOUT, Pipelines
from tests.local.interpreter.documents import (
    FALSE,
    TRUE,
    WAIT_FOR_FILE,
    condition,
    fail,
    function,
    get,
    join,
    parameter,
    processing,
)

COUNT = """
import pathlib, sys
file = pathlib.Path(sys.argv[1])
file.parent.mkdir(parents=True, exist_ok=True)
with file.open("a") as out: out.write("x")
"""
FAIL_UNTIL_TOLD = """
import pathlib, sys
sys.exit(0 if pathlib.Path(sys.argv[1]).exists() else 4)
"""
SLEEP = "import time; time.sleep(600)"
CACHE = {"Enabled": True, "ExpireAfter": "P1D"}


def python(name, code, *arguments, **members):
    return processing(name, "python3", "-c", code, *arguments, **members)


@pytest.fixture
def place(pipelines, request):
    """A path that one test's jobs write to."""
    folder = pipelines.service.settings.root.parent / "places"
    folder.mkdir(exist_ok=True)
    return folder / request.node.name.replace("/", "-")


@pytest.fixture
def failing(pipelines, monkeypatch):
    """Have the first calls of an operation fail with the given errors, and the others do their work."""

    def arrange(name, *errors) -> None:
        operations = pipelines.parts.sagemaker.operations
        real = operations[name]
        pending = list(errors)

        def handler(request):
            if pending:
                raise pending.pop(0)
            return real(request)

        monkeypatch.setitem(operations, name, handler)

    return arrange


THROTTLED = ServiceError("ThrottlingException", "Rate exceeded")
BROKEN = ServiceError("InternalFailure", "try again", 500)


def policy(*exceptions, attempts=3):
    return {"ExceptionType": list(exceptions), "IntervalSeconds": 0, "BackoffRate": 1.0, "MaxAttempts": attempts}


@pytest.mark.parametrize(
    ("error", "exception"),
    [
        (THROTTLED, "Step.THROTTLING"),
        (BROKEN, "Step.SERVICE_FAULT"),
        (limit_exceeded("limit is 0 Instances"), "SageMaker.RESOURCE_LIMIT"),
    ],
)
def test_a_call_that_fails_is_tried_again_by_the_policy_for_its_error(pipelines, failing, error, exception) -> None:
    failing("CreateProcessingJob", error, error)
    outcome = pipelines.run(python("Make", "pass", RetryPolicies=[policy(exception)]))
    assert outcome.status == "Succeeded"
    assert outcome.steps["Make"]["AttemptCount"] == 3


def test_attempts_end_and_the_last_error_is_the_reason(pipelines, failing) -> None:
    failing("CreateProcessingJob", *[THROTTLED] * 5)
    outcome = pipelines.run(python("Make", "pass", RetryPolicies=[policy("Step.THROTTLING", attempts=2)]))
    assert outcome.status == "Failed"
    assert outcome.steps["Make"]["AttemptCount"] == 3
    assert outcome.steps["Make"]["FailureReason"] == (
        "ClientError: Failed to invoke sagemaker:CreateProcessingJob. Error Details: Rate exceeded"
    )


def test_an_error_without_a_policy_is_final_in_sagemakers_words(pipelines, failing) -> None:
    failing("CreateProcessingJob", limit_exceeded("limit is 0 Instances"))
    outcome = pipelines.run(python("Make", "pass", RetryPolicies=[policy("Step.THROTTLING")]))
    assert outcome.steps["Make"]["AttemptCount"] == 1
    assert outcome.steps["Make"]["FailureReason"] == (
        "ClientError: Failed to invoke sagemaker:CreateProcessingJob. Error Details: limit is 0 Instances\n"
        f"Retry not appropriate on execution of step with PipelineExecutionArn {outcome.arn} and StepId Make. "
        "No retry policy configured for the exception type SAGEMAKER_RESOURCE_LIMIT."
    )


def test_a_job_that_met_an_internal_error_is_run_again_under_a_new_name(pipelines, monkeypatch) -> None:
    operations = pipelines.parts.sagemaker.operations
    real = operations["CreateProcessingJob"]
    started = []

    def handler(request):
        started.append(request["ProcessingJobName"])
        if len(started) > 1:
            return real(request)
        document = {
            "ProcessingJobStatus": "Failed",
            "FailureReason": "InternalServerError: We encountered an internal error.",
        }
        arn = f"arn:aws:sagemaker:us-east-1:123456789012:processing-job/{started[-1]}"
        identity = {"ProcessingJobName": started[-1], "ProcessingJobArn": arn, "CreationTime": time.time()}
        pipelines.parts.store.insert("processing-job", started[-1], {**identity, **document})
        return {"ProcessingJobArn": arn}

    monkeypatch.setitem(operations, "CreateProcessingJob", handler)
    outcome = pipelines.run(python("Make", "pass", RetryPolicies=[policy("SageMaker.JOB_INTERNAL_ERROR")]))
    assert outcome.status == "Succeeded"
    assert outcome.steps["Make"]["AttemptCount"] == 2
    assert len(set(started)) == 2


def test_a_step_with_the_same_inputs_is_not_run_again(pipelines, place) -> None:
    output = join("/", "s3://bucket/cached", get("Execution.PipelineExecutionId"))
    step = python("Count", COUNT, str(place), get("Parameters.P"), outputs={"a": output}, CacheConfig=CACHE)
    where = fail("Where", get("Steps.Count.ProcessingOutputConfig.Outputs['a'].S3Output.S3Uri"))
    name = pipelines.create(step, where, parameters=[parameter("P", "String", "a")])
    first, second, other, third = [
        pipelines.wait(pipelines.start(name, values)) for values in ({}, {"P": "a"}, {"P": "b"}, {})
    ]
    assert place.read_text() == "xx"
    assert "CacheHitResult" not in first.steps["Count"]
    assert "CacheHitResult" not in other.steps["Count"]
    for hit in (second, third):
        assert hit.steps["Count"]["CacheHitResult"] == {"SourcePipelineExecutionArn": first.arn}
        assert hit.steps["Count"]["Metadata"] == first.steps["Count"]["Metadata"]
        assert hit.steps["Where"]["FailureReason"] == f"s3://bucket/cached/{first.id}"


def test_only_successful_runs_of_the_same_step_of_the_same_pipeline_are_used_again(pipelines, place) -> None:
    broken = python("Broken", COUNT + "sys.exit(1)", str(place), CacheConfig=CACHE)
    name = pipelines.create(broken)
    for _ in range(2):
        assert pipelines.wait(pipelines.start(name)).status == "Failed"
    assert place.read_text() == "xx"
    place.unlink()
    steps = [python(name, COUNT, str(place), CacheConfig=CACHE) for name in ("One", "Other")]
    assert pipelines.run(*steps).status == "Succeeded"
    assert pipelines.run(*steps).status == "Succeeded"
    assert place.read_text() == "xxxx"


@pytest.mark.parametrize("config", [{"Enabled": False}, {"Enabled": True, "ExpireAfter": "PT0S"}, None])
def test_a_run_is_not_used_again_without_caching_or_when_it_is_too_old(pipelines, place, config) -> None:
    members = {"CacheConfig": config} if config else {}
    name = pipelines.create(python("Count", COUNT, str(place), **members))
    for _ in range(2):
        assert pipelines.wait(pipelines.start(name)).status == "Succeeded"
    assert place.read_text() == "xx"


def test_stopping_stops_the_running_job_and_starts_no_more(pipelines) -> None:
    arn = pipelines.start(pipelines.create(python("Slow", SLEEP), python("Next", "pass", DependsOn=["Slow"])))
    step = pipelines.wait_for_step(arn, "Slow", "Executing")
    pipelines.client.stop_pipeline_execution(PipelineExecutionArn=arn)
    outcome = pipelines.wait(arn)
    assert outcome.status == "Stopped"
    assert outcome.statuses() == {"Slow": "Stopped"}
    job = step["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
    described = pipelines.client.describe_processing_job(ProcessingJobName=job)
    assert described["ProcessingJobStatus"] == "Stopped"


def test_stopping_waits_for_a_function(pipelines, place) -> None:
    call = function("Call", pipelines.function("stopping", WAIT_FOR_FILE, Timeout=60), {"file": str(place)})
    arn = pipelines.start(pipelines.create(call, fail("Next", DependsOn=["Call"])))
    pipelines.wait_for_step(arn, "Call", "Executing")
    pipelines.client.stop_pipeline_execution(PipelineExecutionArn=arn)
    place.touch()
    outcome = pipelines.wait(arn)
    assert outcome.status == "Stopped"
    assert outcome.statuses() == {"Call": "Succeeded"}


def test_stopping_ends_the_wait_for_a_retry(pipelines, failing) -> None:
    failing("CreateProcessingJob", THROTTLED)
    retry = {"ExceptionType": ["Step.THROTTLING"], "IntervalSeconds": 3600}
    arn = pipelines.start(pipelines.create(python("Make", "pass", RetryPolicies=[retry])))
    pipelines.wait_for_step(arn, "Make", "Starting")
    pipelines.client.stop_pipeline_execution(PipelineExecutionArn=arn)
    outcome = pipelines.wait(arn)
    assert outcome.status == "Stopped"
    assert outcome.statuses() == {"Make": "Stopped"}


def test_what_is_over_cannot_be_stopped_nor_what_succeeded_be_retried(pipelines) -> None:
    outcome = pipelines.run(condition("Gate", TRUE))
    for operation in ("stop_pipeline_execution", "retry_pipeline_execution"):
        with pytest.raises(ClientError, match=r"ConflictException.*its status is Succeeded"):
            getattr(pipelines.client, operation)(PipelineExecutionArn=outcome.arn)


def test_a_retry_runs_what_failed_and_what_did_not_start_and_keeps_the_rest(pipelines, place) -> None:
    flag = place.with_suffix(".flag")
    first = python("First", COUNT, str(place))
    broken = python("Broken", FAIL_UNTIL_TOLD, str(flag), DependsOn=["First"])
    gate = condition(
        "Gate", FALSE, then=[fail("Never")], otherwise=[python("Last", COUNT, str(place), DependsOn=["Broken"])]
    )
    arn = pipelines.start(pipelines.create(first, broken, gate))
    before = pipelines.wait(arn)
    assert before.status == "Failed"
    assert before.steps["Broken"]["StepStatus"] == "Failed"
    flag.touch()
    pipelines.client.retry_pipeline_execution(PipelineExecutionArn=arn)
    after = pipelines.wait(arn)
    assert (after.status, after.reason) == ("Succeeded", None)
    assert after.statuses() == dict.fromkeys(["First", "Gate", "Broken", "Last"], "Succeeded")
    assert after.steps["First"] == before.steps["First"]
    assert "FailureReason" not in after.steps["Broken"]
    assert place.read_text() == "xx"


def test_a_stopped_execution_can_be_retried(pipelines, place) -> None:
    arn = pipelines.start(
        pipelines.create(
            python(
                "Slow",
                "import pathlib, sys, time\nif not pathlib.Path(sys.argv[1]).exists(): time.sleep(600)",
                str(place),
            )
        )
    )
    pipelines.wait_for_step(arn, "Slow", "Executing")
    pipelines.client.stop_pipeline_execution(PipelineExecutionArn=arn)
    assert pipelines.wait(arn).status == "Stopped"
    place.touch()
    pipelines.client.retry_pipeline_execution(PipelineExecutionArn=arn)
    assert pipelines.wait(arn).status == "Succeeded"


@pytest.fixture(scope="module")
def chain(pipelines):
    """A pipeline of functions, A to D, each of which hands on what it got with its own letter; and a run of it."""
    source = "def handler(event, context):\n    return {'x': event['x'] + event['letter']}\n"
    arn = pipelines.function("append", source)
    outputs = {"x": "String"}
    steps = [function("A", arn, {"x": get("Parameters.P"), "letter": "A"}, outputs)]
    for before, name in zip("ABC", "BCD", strict=True):
        value = get(f"Steps.{before}.OutputParameters['x']")
        steps.append(function(name, arn, {"x": value, "letter": name}, outputs))
    name = pipelines.create(*steps, parameters=[parameter("P", "String", "-")])
    return name, pipelines.wait(pipelines.start(name))


def selection(*names, source=None):
    config = {"SelectedSteps": [{"StepName": name} for name in names]}
    return {"SelectiveExecutionConfig": config | ({"SourcePipelineExecutionArn": source} if source else {})}


def test_selected_steps_run_on_what_the_others_gave_in_an_earlier_execution(pipelines, chain) -> None:
    name, earlier = chain
    outcome = pipelines.wait(pipelines.start(name, {"P": "+"}, **selection("B", "C", source=earlier.arn)))
    assert outcome.status == "Succeeded"
    assert set(outcome.steps) == {"A", "B", "C"}
    assert outcome.steps["A"]["SelectiveExecutionResult"] == {"SourcePipelineExecutionArn": earlier.arn}
    values = {key: step["Metadata"]["Lambda"]["OutputParameters"][0]["Value"] for key, step in outcome.steps.items()}
    assert values == {"A": "-A", "B": "-AB", "C": "-ABC"}
    described = pipelines.client.describe_pipeline_execution(PipelineExecutionArn=outcome.arn)
    assert described["SelectiveExecutionConfig"] == selection("B", "C", source=earlier.arn)["SelectiveExecutionConfig"]


def test_the_first_steps_can_be_selected_without_an_earlier_execution(pipelines, chain) -> None:
    outcome = pipelines.wait(pipelines.start(chain[0], {"P": "+"}, **selection("A")))
    assert outcome.statuses() == {"A": "Succeeded"}
    assert outcome.steps["A"]["Metadata"]["Lambda"]["OutputParameters"][0]["Value"] == "+A"


@pytest.mark.parametrize(
    ("names", "with_source", "expected"),
    [
        (["B"], False, "SourcePipelineExecutionArn is required"),
        (["A", "C"], True, "step 'B' is between 'A' and 'C'; select it too"),
        (["E"], True, "the pipeline has no step 'E'"),
    ],
)
def test_a_selection_that_cannot_run_is_refused(pipelines, chain, names, with_source, expected) -> None:
    name, earlier = chain
    with pytest.raises(ClientError, match="ValidationException") as caught:
        pipelines.start(name, **selection(*names, source=earlier.arn if with_source else None))
    assert expected in str(caught.value)


def test_a_selection_refuses_an_execution_that_is_not_the_pipelines_or_lacks_the_step(pipelines, chain) -> None:
    foreign = pipelines.run(condition("Gate", TRUE)).arn
    with pytest.raises(ClientError, match="is not an execution of"):
        pipelines.start(chain[0], **selection("B", source=foreign))
    partial = pipelines.wait(pipelines.start(chain[0], **selection("A"))).arn
    with pytest.raises(ClientError, match="Step 'B' did not succeed in"):
        pipelines.start(chain[0], **selection("C", source=partial))


def test_parallelism_can_be_changed_while_an_execution_runs(pipelines, place) -> None:
    code = "import pathlib, sys, time\nwhile not pathlib.Path(sys.argv[1]).exists(): time.sleep(0.01)"
    steps = [python("Wait", code, str(place)), python("Open", COUNT, str(place))]
    arn = pipelines.start(pipelines.create(*steps), ParallelismConfiguration={"MaxParallelExecutionSteps": 1})
    pipelines.wait_for_step(arn, "Wait", "Executing")
    assert set(pipelines.steps(arn)) == {"Wait"}
    changes = {"ParallelismConfiguration": {"MaxParallelExecutionSteps": 2}, "PipelineExecutionDisplayName": "wider"}
    pipelines.client.update_pipeline_execution(PipelineExecutionArn=arn, **changes)
    assert pipelines.wait(arn).status == "Succeeded"
    assert (
        pipelines.client.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionDisplayName"]
        == "wider"
    )


def test_what_was_running_when_the_service_stopped_is_failed_with_the_reason(tmp_path) -> None:
    settings = Settings(tmp_path / ".local", port=0)
    with LocalService(settings) as first:
        pipelines = Pipelines(RunningService(first))
        arn = pipelines.start(pipelines.create(python("Slow", SLEEP), condition("Gate", TRUE)))
        pipelines.wait_for_step(arn, "Slow", "Executing")
        pipelines.wait_for_step(arn, "Gate", "Succeeded")
    store = Store(settings.database)
    slow = records.step(store, arn, "Slow")
    assert slow is not None
    assert slow["StepStatus"] == "Executing"
    store.close()

    with LocalService(settings) as second:
        assert f"pipeline execution {arn}: was running, is Failed now" in second.restored
        pipelines = Pipelines(RunningService(second))
        outcome = pipelines.wait(arn)
        assert (outcome.status, outcome.statuses()) == ("Failed", {"Gate": "Succeeded", "Slow": "Failed"})
        assert outcome.reason is not None
        assert "the local service stopped" in outcome.reason
        assert "the local service stopped" in outcome.steps["Slow"]["FailureReason"]
        assert pipelines.parts.executions.restore() == []


def test_a_version_that_was_registered_when_the_service_stopped_is_not_registered_again(tmp_path, monkeypatch) -> None:
    settings = Settings(tmp_path / ".local", port=0)
    register = {"Name": "Register", "Type": "RegisterModel", "Arguments": {"ModelPackageGroupName": "models"}}
    registered, release = threading.Event(), threading.Event()
    with LocalService(settings) as first:
        pipelines = Pipelines(RunningService(first))
        operations = pipelines.parts.sagemaker.operations
        create = operations["CreateModelPackage"]

        def create_and_hang(request):
            answer = create(request)
            registered.set()
            release.wait(TIMEOUT)
            return answer

        monkeypatch.setitem(operations, "CreateModelPackage", create_and_hang)
        name = pipelines.create(register)
        arn = pipelines.start(name)
        assert registered.wait(TIMEOUT)

    with LocalService(settings) as second:
        pipelines = Pipelines(RunningService(second))
        assert pipelines.wait(arn).statuses() == {"Register": "Failed"}
        pipelines.client.retry_pipeline_execution(PipelineExecutionArn=arn)
        retried, other = pipelines.wait(arn), pipelines.wait(pipelines.start(name))
        assert [each.steps["Register"]["Metadata"]["RegisterModel"]["Arn"][-8:] for each in (retried, other)] == [
            "models/1",
            "models/2",
        ]
    release.set()


def test_an_execution_none_of_whose_steps_had_started_runs_after_a_restart(pipelines, monkeypatch) -> None:
    monkeypatch.setattr(pipelines.parts.executions, "start", lambda arn: None)
    arn = pipelines.start(pipelines.create(condition("Gate", TRUE)))
    monkeypatch.undo()
    assert pipelines.parts.executions.restore() == [f"pipeline execution {arn}: resumed"]
    assert pipelines.wait(arn).status == "Succeeded"


def test_records_of_steps_hold_no_reason_longer_than_the_api_has(pipelines) -> None:
    outcome = pipelines.run(fail("Long", "x" * 3000))
    assert len(outcome.steps["Long"]["FailureReason"]) == 1024
    assert json.loads(json.dumps(records.step(pipelines.parts.store, outcome.arn, "Long")))
