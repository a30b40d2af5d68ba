"""Records of earlier versions of the service, whose ARNs have names in lower case, and what is made after them."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from local.app.server import LocalService
from local.core.settings import Settings
from tests.local.conftest import IMAGE, RunningService
from tests.local.interpreter.conftest import Pipelines
from tests.local.interpreter.documents import ROLE, TRUE, condition, definition, processing

ARN = re.compile(r"arn:aws:sagemaker:[^\"]*")
TAGS = [{"Key": "team", "Value": "blue"}]
CACHED = {"CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"}}
STEPS = (
    processing("Make", "python3", "-c", "pass", **CACHED),
    condition("Gate", TRUE, DependsOn=["Make"]),
    {**processing("Slow", "python3", "-c", "raise SystemExit(3)"), "DependsOn": ["Gate"]},
)
SPECIFICATION = {
    "Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://models/a/model.tar.gz"}],
    "SupportedContentTypes": ["text/csv"],
    "SupportedResponseMIMETypes": ["text/csv"],
}


def make_all(pipelines: Pipelines) -> str:
    client = pipelines.client
    client.create_pipeline(PipelineName="Old-Pipeline", PipelineDefinition=definition(*STEPS), RoleArn=ROLE, Tags=TAGS)
    arn = pipelines.start("Old-Pipeline")
    pipelines.wait(arn)
    client.create_model_package_group(ModelPackageGroupName="Old-Group")
    register(client)
    return arn


def register(client) -> str:
    arn: str = client.create_model_package(
        ModelPackageGroupName="Old-Group", InferenceSpecification=SPECIFICATION, ModelApprovalStatus="Approved"
    )["ModelPackageArn"]
    return arn


def write_as_before(database: Path) -> None:
    """Give a store's records and keys ARNs in lower case."""
    with sqlite3.connect(database) as store:
        for kind, key, text in store.execute("SELECT kind, key, document FROM records").fetchall():
            lowered = ARN.sub(lambda match: match[0].lower(), text), ARN.sub(lambda match: match[0].lower(), key)
            store.execute("UPDATE records SET document = ?, key = ? WHERE kind = ? AND key = ?", (*lowered, kind, key))


@pytest.fixture
def old(tmp_path):
    """A service on records of an earlier version, and the ARN of an execution as that version wrote it."""
    settings = Settings(tmp_path / ".local", port=0)
    with LocalService(settings) as first:
        pipelines = Pipelines(RunningService(first))
        pipelines.parts.objects.write("s3://models/a/model.tar.gz", b"x")
        arn = make_all(pipelines)
        steps = pipelines.steps(arn)
    write_as_before(settings.database)
    with LocalService(settings) as second:
        yield Pipelines(RunningService(second)), arn.lower(), steps


@pytest.mark.slow
def test_old_records_are_found_and_go_on_working(old) -> None:
    pipelines, arn, steps = old
    client = pipelines.client
    described = client.describe_pipeline(PipelineName="Old-Pipeline")
    assert described["PipelineArn"].endswith(":pipeline/old-pipeline")
    assert client.list_tags(ResourceArn=described["PipelineArn"])["Tags"] == TAGS
    for given in (arn, arn.replace("old-pipeline", "Old-Pipeline")):
        assert client.describe_pipeline_execution(PipelineExecutionArn=given)["PipelineExecutionArn"] == arn
        assert pipelines.steps(given).keys() == steps.keys()
    client.retry_pipeline_execution(PipelineExecutionArn=arn)
    assert pipelines.wait(arn).statuses() == {"Make": "Succeeded", "Gate": "Succeeded", "Slow": "Failed"}
    again = pipelines.wait(pipelines.start("Old-Pipeline"))
    assert again.steps["Make"]["CacheHitResult"]["SourcePipelineExecutionArn"] == arn
    assert len(client.list_pipeline_executions(PipelineName="Old-Pipeline")["PipelineExecutionSummaries"]) == 2
    second = register(client)
    listed = client.list_model_packages(ModelPackageGroupName="Old-Group")["ModelPackageSummaryList"]
    assert second in [package["ModelPackageArn"] for package in listed]
    assert sorted(package["ModelPackageVersion"] for package in listed) == [1, 2]
    for package in listed:
        client.delete_model_package(ModelPackageName=package["ModelPackageArn"])
    client.delete_model_package_group(ModelPackageGroupName="Old-Group")
    client.delete_pipeline(PipelineName="Old-Pipeline")
    with pytest.raises(ClientError, match="ResourceNotFound"):
        client.describe_pipeline_execution(PipelineExecutionArn=arn)
    client.create_pipeline(PipelineName="Old-Pipeline", PipelineDefinition=definition(*STEPS), RoleArn=ROLE)
    assert client.describe_pipeline(PipelineName="Old-Pipeline")["PipelineArn"].endswith(":pipeline/Old-Pipeline")


def test_names_that_differ_in_case_only_are_one(pipelines) -> None:
    name = pipelines.create(condition("Gate", TRUE))
    same = {"PipelineDefinition": definition(condition("Gate", TRUE)), "RoleArn": ROLE}
    with pytest.raises(ClientError, match="already exists"):
        pipelines.client.create_pipeline(PipelineName=name.upper(), **same)
