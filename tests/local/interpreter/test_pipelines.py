"""Pipelines as resources, and what starting one checks."""

from __future__ import annotations

import time
import uuid

import pytest
from botocore.exceptions import ClientError

from tests.local.interpreter.documents import (
    ROLE,
    TRUE,
    WAIT_FOR_FILE,
    condition,
    definition,
    fail,
    function,
    parameter,
)

GATE = definition(condition("Gate", TRUE))


def name() -> str:
    return f"p-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def client(pipelines):
    return pipelines.client


def test_a_pipeline_is_described_as_it_was_made(client) -> None:
    pipeline = name().upper()
    made = client.create_pipeline(
        PipelineName=pipeline,
        PipelineDisplayName="Shown",
        PipelineDescription="For a test",
        PipelineDefinition=GATE,
        RoleArn=ROLE,
        ParallelismConfiguration={"MaxParallelExecutionSteps": 3},
        Tags=[{"Key": "team", "Value": "ml"}],
    )
    assert made["PipelineArn"] == f"arn:aws:sagemaker:us-east-1:123456789012:pipeline/{pipeline}"
    for reference in (pipeline, made["PipelineArn"]):
        described = client.describe_pipeline(PipelineName=reference)
        assert described["PipelineName"] == pipeline
        assert described["PipelineDisplayName"] == "Shown"
        assert described["PipelineDescription"] == "For a test"
        assert described["PipelineDefinition"] == GATE
        assert described["RoleArn"] == ROLE
        assert described["PipelineStatus"] == "Active"
        assert described["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": 3}
        assert "LastRunTime" not in described
    assert client.list_tags(ResourceArn=made["PipelineArn"])["Tags"] == [{"Key": "team", "Value": "ml"}]


def test_a_definition_can_come_from_s3(pipelines, client) -> None:
    pipelines.parts.objects.write("s3://bucket/definitions/gate.json", GATE.encode())
    location = {"Bucket": "bucket", "ObjectKey": "definitions/gate.json"}
    pipeline = name()
    client.create_pipeline(PipelineName=pipeline, PipelineDefinitionS3Location=location, RoleArn=ROLE)
    assert client.describe_pipeline(PipelineName=pipeline)["PipelineDefinition"] == GATE
    missing = location | {"ObjectKey": "definitions/none.json"}
    with pytest.raises(ClientError, match=r"ValidationException.*there is no object s3://bucket/definitions/none.json"):
        client.create_pipeline(PipelineName=name(), PipelineDefinitionS3Location=missing, RoleArn=ROLE)
    with pytest.raises(ClientError, match=r"ValidationException.*S3 location should be provided"):
        client.create_pipeline(PipelineName=name(), RoleArn=ROLE)
    with pytest.raises(ClientError, match=r"ValidationException.*shouldn't be present"):
        client.create_pipeline(
            PipelineName=name(), PipelineDefinition=GATE, PipelineDefinitionS3Location=location, RoleArn=ROLE
        )


def test_a_name_is_unique_but_the_same_request_may_come_twice(client) -> None:
    pipeline, token = name(), uuid.uuid4().hex
    request = {"PipelineName": pipeline, "PipelineDefinition": GATE, "RoleArn": ROLE}
    made = client.create_pipeline(**request, ClientRequestToken=token)
    assert client.create_pipeline(**request, ClientRequestToken=token)["PipelineArn"] == made["PipelineArn"]
    # The SDK's upsert looks for these words.
    with pytest.raises(
        ClientError, match=r"ValidationException.*Pipeline names must be unique within an AWS account and region"
    ):
        client.create_pipeline(**request)
    with pytest.raises(ClientError, match="Pipeline names must be unique"):
        client.create_pipeline(**request | {"PipelineName": pipeline.upper()})


def test_a_definition_with_faults_makes_and_changes_nothing(client) -> None:
    pipeline = name()
    bad = definition({"Name": "A", "Type": "EMR", "Arguments": {}})
    with pytest.raises(ClientError, match=r"ValidationException.*Unable to parse pipeline definition.*'EMR'"):
        client.create_pipeline(PipelineName=pipeline, PipelineDefinition=bad, RoleArn=ROLE)
    with pytest.raises(ClientError, match=r"ResourceNotFound.*does not exist"):
        client.describe_pipeline(PipelineName=pipeline)
    client.create_pipeline(PipelineName=pipeline, PipelineDefinition=GATE, RoleArn=ROLE)
    with pytest.raises(ClientError, match="Unable to parse pipeline definition"):
        client.update_pipeline(PipelineName=pipeline, PipelineDefinition=bad, PipelineDescription="new")
    described = client.describe_pipeline(PipelineName=pipeline)
    assert described["PipelineDefinition"] == GATE
    assert "PipelineDescription" not in described


def test_updates_make_versions_and_executions_keep_theirs(pipelines, client) -> None:
    pipeline = name()
    client.create_pipeline(PipelineName=pipeline, PipelineDefinition=GATE, RoleArn=ROLE)
    first = pipelines.wait(pipelines.start(pipeline))
    second_definition = definition(fail("Broken"))
    updated = client.update_pipeline(
        PipelineName=pipeline, PipelineDefinition=second_definition, PipelineDescription="new"
    )
    assert updated["PipelineVersionId"] == 2
    assert client.update_pipeline(PipelineName=pipeline, PipelineDisplayName="Shown")["PipelineVersionId"] == 2
    described = client.describe_pipeline(PipelineName=pipeline)
    assert (described["PipelineDefinition"], described["PipelineDescription"]) == (second_definition, "new")
    assert client.describe_pipeline(PipelineName=pipeline, PipelineVersionId=1)["PipelineDefinition"] == GATE
    assert pipelines.wait(pipelines.start(pipeline)).status == "Failed"
    assert pipelines.wait(pipelines.start(pipeline, PipelineVersionId=1)).status == "Succeeded"
    old = client.describe_pipeline_definition_for_execution(PipelineExecutionArn=first.arn)
    assert old["PipelineDefinition"] == GATE
    client.update_pipeline_version(
        PipelineArn=described["PipelineArn"], PipelineVersionId=1, PipelineVersionDisplayName="one"
    )
    versions = client.list_pipeline_versions(PipelineName=pipeline)["PipelineVersionSummaries"]
    assert [(item["PipelineVersionId"], item.get("PipelineVersionDisplayName")) for item in versions] == [
        (2, None),
        (1, "one"),
    ]
    with pytest.raises(ClientError, match=r"ResourceNotFound.*has no version 3"):
        pipelines.start(pipeline, PipelineVersionId=3)


def test_pipelines_are_listed_by_prefix_and_the_newest_first(client) -> None:
    prefix = name()
    for number in range(3):
        client.create_pipeline(PipelineName=f"{prefix}-{number}", PipelineDefinition=GATE, RoleArn=ROLE)
    listed = client.list_pipelines(PipelineNamePrefix=prefix)["PipelineSummaries"]
    assert [item["PipelineName"] for item in listed] == [f"{prefix}-{number}" for number in (2, 1, 0)]
    named = client.list_pipelines(PipelineNamePrefix=prefix, SortBy="Name", SortOrder="Ascending", MaxResults=2)
    assert [item["PipelineName"] for item in named["PipelineSummaries"]] == [f"{prefix}-0", f"{prefix}-1"]
    rest = client.list_pipelines(
        PipelineNamePrefix=prefix, SortBy="Name", SortOrder="Ascending", NextToken=named["NextToken"]
    )
    assert [item["PipelineName"] for item in rest["PipelineSummaries"]] == [f"{prefix}-2"]


def test_a_start_is_described_and_listed(pipelines, client) -> None:
    pipeline = name()
    text = definition(condition("Gate", TRUE), parameters=[parameter("P", "String", "a"), parameter("Q", "Integer", 1)])
    client.create_pipeline(PipelineName=pipeline, PipelineDefinition=text, RoleArn=ROLE)
    arn = pipelines.start(
        pipeline, {"Q": "5"}, PipelineExecutionDisplayName="try-1", PipelineExecutionDescription="A try"
    )
    pipelines.wait(arn)
    described = client.describe_pipeline_execution(PipelineExecutionArn=arn)
    assert described["PipelineExecutionDisplayName"] == "try-1"
    assert described["PipelineExecutionDescription"] == "A try"
    assert described["PipelineVersionId"] == 1
    given = client.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)["PipelineParameters"]
    assert given == [{"Name": "Q", "Value": "5"}]
    other = pipelines.start(pipeline)
    pipelines.wait(other)
    listed = client.list_pipeline_executions(PipelineName=pipeline)["PipelineExecutionSummaries"]
    assert [item["PipelineExecutionArn"] for item in listed] == [other, arn]
    assert [item["PipelineExecutionStatus"] for item in listed] == ["Succeeded"] * 2
    assert client.describe_pipeline(PipelineName=pipeline)["LastRunTime"] == listed[0]["StartTime"]


def test_the_same_start_request_twice_starts_once(pipelines, client) -> None:
    pipeline, token = name(), uuid.uuid4().hex
    client.create_pipeline(PipelineName=pipeline, PipelineDefinition=GATE, RoleArn=ROLE)
    first = pipelines.start(pipeline, ClientRequestToken=token)
    assert pipelines.start(pipeline, ClientRequestToken=token) == first
    assert pipelines.start(pipeline) != first
    assert len(client.list_pipeline_executions(PipelineName=pipeline)["PipelineExecutionSummaries"]) == 2


def test_parameters_are_checked_before_anything_starts(pipelines, client) -> None:
    pipeline = name()
    text = definition(fail("A"), parameters=[parameter("Status", "String", "a", ["a", "b"]), parameter("N", "Integer")])
    client.create_pipeline(PipelineName=pipeline, PipelineDefinition=text, RoleArn=ROLE)
    for values, expected in (
        ({}, "'N' has no default value"),
        ({"N": "x"}, "not of type Integer"),
        ({"N": "1", "Status": "c"}, "enum value set"),
        ({"N": "1", "M": "1"}, "Unknown parameter 'M'"),
    ):
        with pytest.raises(ClientError, match=f"ValidationException.*{expected}"):
            pipelines.start(pipeline, values)
    assert client.list_pipeline_executions(PipelineName=pipeline)["PipelineExecutionSummaries"] == []


def test_deleting_waits_for_no_one_and_takes_the_executions_along(pipelines, client) -> None:
    pipeline = name()
    client.create_pipeline(
        PipelineName=pipeline, PipelineDefinition=GATE, RoleArn=ROLE, Tags=[{"Key": "a", "Value": "b"}]
    )
    outcome = pipelines.wait(pipelines.start(pipeline))
    client.delete_pipeline(PipelineName=pipeline)
    for call in (
        lambda: client.describe_pipeline(PipelineName=pipeline),
        lambda: client.describe_pipeline_execution(PipelineExecutionArn=outcome.arn),
        lambda: client.list_pipeline_execution_steps(PipelineExecutionArn=outcome.arn),
        lambda: client.delete_pipeline(PipelineName=pipeline),
        lambda: client.start_pipeline_execution(PipelineName=pipeline),
    ):
        with pytest.raises(ClientError, match=r"ResourceNotFound.*does not exist"):
            call()
    client.create_pipeline(PipelineName=pipeline, PipelineDefinition=GATE, RoleArn=ROLE)
    assert client.list_pipeline_executions(PipelineName=pipeline)["PipelineExecutionSummaries"] == []


def test_a_pipeline_with_a_running_execution_cannot_be_deleted(pipelines, client, tmp_path) -> None:
    arn = pipelines.function("running", WAIT_FOR_FILE, Timeout=60)
    pipeline, file = name(), tmp_path / "go-on"
    step = function("Call", arn, {"file": str(file)})
    client.create_pipeline(PipelineName=pipeline, PipelineDefinition=definition(step), RoleArn=ROLE)
    execution = pipelines.start(pipeline)
    with pytest.raises(ClientError, match=r"ConflictException.*running executions"):
        client.delete_pipeline(PipelineName=pipeline)
    file.touch()
    pipelines.wait(execution)
    client.delete_pipeline(PipelineName=pipeline)


@pytest.mark.parametrize(
    ("operation", "request_members"),
    [
        (
            "create_pipeline",
            {"PipelineName": "aliased", "PipelineDefinition": GATE, "RoleArn": ROLE, "PipelineVersionAliases": ["a"]},
        ),
        ("create_domain", {"DomainName": "d", "AuthMode": "IAM", "DefaultUserSettings": {}}),
    ],
)
def test_what_is_not_imitated_is_refused(client, operation, request_members) -> None:
    with pytest.raises(ClientError, match="not implemented by the local service"):
        getattr(client, operation)(**request_members)


def test_times_are_of_this_machine(pipelines, client) -> None:
    before = time.time()
    pipeline = name()
    client.create_pipeline(PipelineName=pipeline, PipelineDefinition=GATE, RoleArn=ROLE)
    described = client.describe_pipeline(PipelineName=pipeline)
    assert before <= described["CreationTime"].timestamp() <= time.time()
