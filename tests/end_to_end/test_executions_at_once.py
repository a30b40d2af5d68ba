"""Six executions of one pipeline at once, which deploy to one endpoint: each ends well."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest

from local.app.server import LocalService
from local.core.settings import ACCOUNT_ID, Settings
from pipeline.config.loading import load_config
from pipeline.config.models import Config
from pipeline.definition.resources import conventional_resources
from pipeline.operate.publish import plan_publishing, publish
from scripts.upsert import ensure_local_bucket

ROOT = Path(__file__).resolve().parents[2]
EXECUTIONS = 6
SECONDS = 240

pytestmark = pytest.mark.slow


@pytest.fixture
def session(tmp_path, monkeypatch) -> Iterator[boto3.Session]:
    with LocalService(Settings(tmp_path / ".local", port=0)) as service:
        for name, value in service.settings.client_environment().items():
            monkeypatch.setenv(name, value)
        yield boto3.Session(region_name=service.settings.region)


@pytest.fixture
def config(tmp_path) -> Config:
    document = {
        "pipeline": {"name": "at-once"},
        "dataset": {
            "input": str(ROOT / "data/insurance.csv"),
            "label": "charges",
            "numeric": ["age", "bmi", "children"],
        },
        "folds": {"count": 2},
        "tuning": {"learning_rate": [0.1], "l1": [0.001]},
        "quality": {"max_mse": 1e12},
    }
    (tmp_path / "config.yaml").write_text(json.dumps(document))
    return load_config(tmp_path / "config.yaml")


def start(sagemaker: Any, number: int) -> str:
    """Start an execution; its endpoint configuration is one of three, because it is for 1 to 3 instances."""
    return sagemaker.start_pipeline_execution(
        PipelineName="at-once",
        PipelineParameters=[{"Name": "EndpointInstanceCount", "Value": str(number % 3 + 1)}],
        ParallelismConfiguration={"MaxParallelExecutionSteps": number % 4 + 1},
    )["PipelineExecutionArn"]


def finish(sagemaker: Any, arn: str) -> dict[str, Any]:
    """Wait for an execution, and return the verification of its endpoint."""
    deadline = time.monotonic() + SECONDS
    while (status := sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"]) in (
        "Executing",
        "Stopping",
    ):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn, MaxResults=50)["PipelineExecutionSteps"]
    assert status == "Succeeded", [step for step in steps if "FailureReason" in step]
    (job,) = (
        step["Metadata"]["ProcessingJob"]["Arn"] for step in steps if step["StepName"].startswith("VerifyEndpoint")
    )
    outputs = sagemaker.describe_processing_job(ProcessingJobName=job.rpartition("/")[2])["ProcessingOutputConfig"]
    bucket, _, prefix = outputs["Outputs"][0]["S3Output"]["S3Uri"].removeprefix("s3://").partition("/")
    body = boto3.client("s3").get_object(Bucket=bucket, Key=f"{prefix}/verification.json")["Body"].read()
    return json.loads(body)


def test_executions_at_once_deploy_one_after_the_other_and_end_well(session, config) -> None:
    resources = conventional_resources(config, ACCOUNT_ID)
    ensure_local_bucket(session, resources)
    publish(plan_publishing(config, resources, session), session, lambda _: None)
    sagemaker = session.client("sagemaker")
    # The others find this one's folds, jobs and model in the cache, and arrive at the endpoint together.
    assert finish(sagemaker, start(sagemaker, 0))["outcome"] == "Verified"
    with ThreadPoolExecutor(EXECUTIONS) as threads:
        arns = list(threads.map(lambda number: start(sagemaker, number), range(EXECUTIONS)))
    outcomes = [finish(sagemaker, arn)["outcome"] for arn in arns]
    assert set(outcomes) <= {"Verified", "Superseded"}
    assert "Verified" in outcomes
    endpoint = sagemaker.describe_endpoint(EndpointName="at-once")
    assert endpoint["EndpointStatus"] == "InService"
    served = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    assert sagemaker.describe_model(ModelName=served["ProductionVariants"][0]["ModelName"])
