"""What is told of an execution, for both ways in which AWS may answer about a cached step."""

from __future__ import annotations

import datetime

import boto3
import pytest
from botocore.stub import Stubber

from pipeline.errors import with_trust_hint
from pipeline.operate.execution import execution_state

PIPELINE = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/p/execution"
NOW, SOURCE, EARLIEST = f"{PIPELINE}/now", f"{PIPELINE}/source", f"{PIPELINE}/earliest"
JOB = {"ProcessingJob": {"Arn": "arn:aws:sagemaker:us-east-1:123456789012:processing-job/select-best"}}


def step(source=None, **members):
    hit = {} if source is None else {"CacheHitResult": {"SourcePipelineExecutionArn": source}}
    time = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    ended = {"StepStatus": "Succeeded", "StartTime": time, "EndTime": time}
    return {"StepName": "SelectBest"} | ended | hit | members


@pytest.fixture
def state_of():
    """The state of SelectBest, with the steps that AWS lists of each execution, in the order of the questions."""

    def state(*listed):
        client = boto3.client("sagemaker", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        with Stubber(client) as stub:
            description = {"PipelineExecutionArn": NOW, "PipelineExecutionStatus": "Succeeded"}
            stub.add_response("describe_pipeline_execution", description, {"PipelineExecutionArn": NOW})
            for arn, steps in listed:
                asked = {"PipelineExecutionArn": arn, "SortOrder": "Ascending"}
                if steps is None:
                    stub.add_client_error("list_pipeline_execution_steps", "ResourceNotFound", expected_params=asked)
                else:
                    stub.add_response("list_pipeline_execution_steps", {"PipelineExecutionSteps": steps}, asked)
            found = execution_state(client, NOW, ["SelectBest"]).step("SelectBest")
            stub.assert_no_pending_responses()
        return found

    return state


def test_a_cached_step_that_names_its_job_is_taken_at_its_word(state_of) -> None:
    found = state_of((NOW, [step(SOURCE, Metadata=JOB)]))
    assert (found.metadata, found.detail) == (JOB, "from the cache of source")


def test_a_cached_step_that_names_no_job_has_that_of_the_execution_that_ran_it(state_of) -> None:
    found = state_of((NOW, [step(SOURCE)]), (SOURCE, [step(Metadata=JOB)]))
    assert (found.metadata, found.detail) == (JOB, "from the cache of source")


def test_the_job_is_found_through_several_cached_executions(state_of) -> None:
    found = state_of((NOW, [step(SOURCE)]), (SOURCE, [step(EARLIEST)]), (EARLIEST, [step(Metadata=JOB)]))
    assert found.metadata == JOB


@pytest.mark.parametrize("listed", [None, [], [step(NOW)], [step(SOURCE)]])
def test_a_source_that_is_gone_or_tells_nothing_leaves_the_job_unknown(state_of, listed) -> None:
    again = [(NOW, [step(SOURCE)])] if listed == [step(NOW)] else []
    assert state_of((NOW, [step(SOURCE)]), (SOURCE, listed), *again).metadata == {}


@pytest.mark.parametrize(
    "reason",
    [
        "ClientError: Could not assume role arn:aws:iam::123456789012:role/p-job-us-east-1.",
        "SageMaker is unable to assume the role.",
    ],
)
def test_a_role_that_cannot_be_assumed_is_told_with_what_may_keep_the_service_out(state_of, reason) -> None:
    found = state_of((NOW, [step(StepStatus="Failed", FailureReason=reason)]))
    assert found.detail.startswith(reason)
    assert "trust policy" in found.detail
    assert "aws:SourceAccount" in found.detail
    assert with_trust_hint(found.detail) == found.detail


def test_another_failure_is_told_as_it_is(state_of) -> None:
    found = state_of((NOW, [step(StepStatus="Failed", FailureReason="ClientError: no such bucket")]))
    assert found.detail == "ClientError: no such bucket"


def test_an_empty_source_is_no_cache_hit(state_of) -> None:
    found = state_of((NOW, [step("", Metadata=JOB)]))
    assert (found.metadata, found.detail) == (JOB, "")


@pytest.mark.parametrize(
    ("status", "absent"), [("Executing", "Waiting"), ("Succeeded", "Not run"), ("Failed", "Not run")]
)
def test_a_step_that_has_not_started_waits_only_while_the_execution_runs(status, absent) -> None:
    client = boto3.client("sagemaker", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stub:
        stub.add_response("describe_pipeline_execution", {"PipelineExecutionStatus": status})
        stub.add_response("list_pipeline_execution_steps", {"PipelineExecutionSteps": [step()]})
        found = execution_state(client, NOW, ["SelectBest", "RejectModel"])
    assert [(each.name, each.status, each.started) for each in found.steps] == [
        ("SelectBest", "Succeeded", True),
        ("RejectModel", absent, False),
    ]
    assert found.step("RejectModel") is None
