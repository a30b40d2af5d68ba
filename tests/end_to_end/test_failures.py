"""What a person is told of an execution that failed, on the local service with jobs that really fail."""

from __future__ import annotations

import io
import signal
import time
import zipfile
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from local.app.server import LocalService
from local.core.settings import Settings
from pipeline.operate.execution import execution_state
from pipeline.operate.failures import Failure, failures_of
from tests.local.interpreter.documents import ROLE, definition, function, processing

BUCKET = "failures"
IMAGE = "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1"
CODE = {
    "InputName": "code",
    "S3Input": {
        "S3Uri": f"s3://{BUCKET}/code/",
        "LocalPath": "/opt/ml/processing/input/code",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
    },
}


@pytest.fixture(scope="module")
def session(tmp_path_factory) -> Iterator[boto3.Session]:
    with (
        LocalService(Settings(tmp_path_factory.mktemp("failures") / ".local", port=0)) as service,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in service.settings.client_environment().items():
            patch.setenv(name, value)
        session = boto3.Session(region_name=service.settings.region)
        session.client("s3").create_bucket(Bucket=BUCKET)
        yield session


def failures(session: boto3.Session, *steps: dict[str, Any]) -> list[Failure]:
    sagemaker = session.client("sagemaker")
    name = f"pipeline-{time.monotonic_ns()}"
    sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=definition(*steps), RoleArn=ROLE)  # type: ignore[call-arg]
    arn = sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]  # type: ignore[call-arg]
    while not (state := execution_state(sagemaker, arn, [])).ended:
        time.sleep(0.1)
    assert state.status == "Failed"
    return failures_of(session, state, lines=20)


def script(session: boto3.Session, step: str, source: str) -> dict[str, Any]:
    """A processing step that runs a Python script."""
    session.client("s3").put_object(Bucket=BUCKET, Key=f"code/{step}.py", Body=source.encode())
    entrypoint = ["python3", f"/opt/ml/processing/input/code/{step}.py"]
    return processing(step, *entrypoint, arguments={"ProcessingInputs": [CODE]})


def tuning(step: str, **hyperparameters: str) -> dict[str, Any]:
    """A tuning step of three training jobs."""
    channel = {
        "ChannelName": "train",
        "ContentType": "text/csv",
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/rows/"}},
    }
    return {
        "Name": step,
        "Type": "Tuning",
        "Arguments": {
            "HyperParameterTuningJobConfig": {
                "Strategy": "Grid",
                "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:mse"},
                "ResourceLimits": {"MaxNumberOfTrainingJobs": 3, "MaxParallelTrainingJobs": 3},
                "ParameterRanges": {"CategoricalParameterRanges": [{"Name": "l1", "Values": ["0.1", "0.2", "0.3"]}]},
            },
            "TrainingJobDefinition": {
                "StaticHyperParameters": {"predictor_type": "regressor", **hyperparameters},
                "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
                "RoleArn": ROLE,
                "InputDataConfig": [channel, channel | {"ChannelName": "validation"}],
                "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models/"},
                "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
                "StoppingCondition": {"MaxRuntimeInSeconds": 600},
            },
        },
    }


def test_a_scripts_whole_last_message_is_the_reason_and_its_log_is_found(session) -> None:
    source = "import sys\nprint('reading')\nsys.exit('2 rows are bad. The first:\\n  a.csv, line 3\\n  Remove them')"
    (failure,) = failures(session, script(session, "CheckRows", source))
    assert failure.sentence == (
        "CheckRows failed: AlgorithmError: 2 rows are bad. The first: a.csv, line 3 Remove them, exit code: 1"
    )
    (log,) = failure.logs
    assert log.name.startswith("/aws/sagemaker/ProcessingJobs pipelines-")
    assert "-CheckRows-" in log.name
    assert log.lines[-4:] == ["reading", "2 rows are bad. The first:", "  a.csv, line 3", "  Remove them"]


def test_a_script_that_is_killed_says_with_what_status(session) -> None:
    source = f"import os\nprint('begun', flush=True)\nos.kill(os.getpid(), {int(signal.SIGKILL)})"
    (failure,) = failures(session, script(session, "Killed", source))
    assert failure.reason.endswith("exit code: 137")
    assert failure.logs[0].lines[-1] == "begun"


def test_training_jobs_and_steps_that_fail_alike_are_told_once_with_their_number(session) -> None:
    session.client("s3").put_object(Bucket=BUCKET, Key="rows/a.csv", Body=b"1,2\n" * 2000)
    (failure,) = failures(session, tuning("TuneFold1", epochs="none"), tuning("TuneFold2", epochs="none"))
    assert sorted(failure.steps) == ["TuneFold1", "TuneFold2"]
    first, *rest = failure.reason.splitlines()
    assert first.startswith("3 of 3 training jobs failed: ClientError: ")
    assert "epochs" in first
    assert rest == []
    (log,) = failure.logs
    assert log.name.startswith("/aws/sagemaker/TrainingJobs ")
    assert any("epochs" in line for line in log.lines)


def test_a_function_that_raises_is_told_with_its_log(session) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("index.py", "def handler(event, context):\n    raise ValueError('no such endpoint')\n")
    arn = session.client("lambda").create_function(
        FunctionName="deploy",
        Runtime="python3.12",
        Role=ROLE,
        Handler="index.handler",
        Code={"ZipFile": archive.getvalue()},
    )["FunctionArn"]
    (failure,) = failures(session, function("DeployEndpoint", arn))
    assert "no such endpoint" in failure.reason
    (log,) = failure.logs
    assert log.name.startswith("/aws/lambda/deploy ")
    assert any("ValueError" in line for line in log.lines)
