"""Batch transform with the user's code."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.local.runtime.models.conftest import BUCKET, SCRIPT, Serving

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def store(serving: Serving) -> Any:
    return serving.service.parts.store


def start(serving: Serving, name: str, script: str, rows: str, **changes: Any) -> None:
    model = serving.model({"code/inference.py": script, "weight.txt": "2"})
    serving.service.parts.objects.write(f"s3://{BUCKET}/{name}/rows.csv", rows.encode())
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{name}/"}}
    request = {
        "TransformJobName": name,
        "ModelName": model,
        "TransformInput": {"DataSource": source, "ContentType": "text/csv", "SplitType": "Line"},
        "TransformOutput": {
            "S3OutputPath": f"s3://{BUCKET}/out/{name}",
            "Accept": "text/csv",
            "AssembleWith": "Line",
        },
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    serving.sagemaker.create_transform_job(**{**request, **changes})


def wait(serving: Serving, store: Any, name: str) -> dict[str, Any]:
    def ended() -> bool:
        return store.get("transform-job", name)["TransformJobStatus"] in ("Completed", "Failed", "Stopped")

    assert store.wait_until(ended, 60)
    described: dict[str, Any] = serving.sagemaker.describe_transform_job(TransformJobName=name)
    return described


def answers(serving: Serving, name: str) -> str:
    content: bytes = serving.service.parts.objects.read(f"s3://{BUCKET}/out/{name}/rows.csv.out")
    return content.decode()


def test_each_batch_of_rows_is_a_request_to_the_program(serving: Serving, store: Any) -> None:
    start(serving, "rows", SCRIPT, "1,2\n3,4\n", MaxPayloadInMB=1)
    described = wait(serving, store, "rows")
    assert described["TransformJobStatus"] == "Completed", described
    assert answers(serving, "rows") == "6.0\n14.0\n"
    assert not any(serving.service.settings.model_servers.iterdir())


def test_the_program_has_batch_transforms_variables_and_those_of_the_job(serving: Serving, store: Any) -> None:
    script = """
import json, os

def model_fn(model_dir):
    return None

def transform_fn(model, body, content_type, accept):
    names = [name for name in os.environ if name.startswith(("SAGEMAKER_", "TRANSFORM_", "OWN"))]
    return json.dumps({name: os.environ[name] for name in names}), accept
"""
    changes = {"Environment": {"OWN": "1"}, "BatchStrategy": "SingleRecord", "MaxPayloadInMB": 2}
    start(serving, "variables", script, "1\n", **changes)
    described = wait(serving, store, "variables")
    found = json.loads(answers(serving, "variables"))
    assert {name: found[name] for name in ("OWN", "SAGEMAKER_BATCH", "SAGEMAKER_BATCH_STRATEGY")} == {
        "OWN": "1",
        "SAGEMAKER_BATCH": "true",
        "SAGEMAKER_BATCH_STRATEGY": "SINGLE_RECORD",
    }
    assert found["SAGEMAKER_MAX_PAYLOAD_IN_MB"] == "2"
    assert found["TRANSFORM_JOB_ARN"] == described["TransformJobArn"]


def test_a_failing_request_is_asked_again_as_often_as_the_job_says(serving: Serving, store: Any) -> None:
    script = (
        SCRIPT
        + """
asked = []

def input_fn(body, content_type):
    asked.append(body)
    print("asked", len(asked), flush=True)
    raise ValueError("not now")
"""
    )
    start(serving, "retries", script, "1\n", ModelClientConfig={"InvocationsMaxRetries": 2})
    described = wait(serving, store, "retries")
    assert described["TransformJobStatus"] == "Failed"
    assert "received error (500) from the model" in described["FailureReason"]
    logs = serving.service.parts.logs
    group = "/aws/sagemaker/TransformJobs"
    lines = [event.message for event in logs.events(group, list(logs.streams(group)))]
    assert [line for line in lines if line.startswith("asked")] == ["asked 1", "asked 2", "asked 3"]


def test_a_job_stops_while_its_program_computes(serving: Serving, store: Any) -> None:
    script = (
        SCRIPT
        + "\nimport time\ndef input_fn(body, content_type):\n    print('begun', flush=True)\n    time.sleep(300)\n"
    )
    start(serving, "stopped", script, "1\n")
    logs = serving.service.parts.logs
    group = "/aws/sagemaker/TransformJobs"

    def begun() -> bool:
        streams = [stream for stream in logs.streams(group) if stream.startswith("stopped/")]
        return any(event.message == "begun" for event in logs.events(group, streams))

    for _ in range(600):
        if begun():
            break
        store.wait_until(lambda: False, 0.1)
    serving.sagemaker.stop_transform_job(TransformJobName="stopped")
    assert wait(serving, store, "stopped")["TransformJobStatus"] == "Stopped"
    assert not any(serving.service.settings.model_servers.iterdir())


def test_a_program_that_dies_is_asked_again_when_it_is_back(serving: Serving, store: Any) -> None:
    script = (
        SCRIPT
        + """
def input_fn(body, content_type):
    import numpy
    if not os.path.exists("/opt/ml/output/died"):
        open("/opt/ml/output/died", "w").close()
        os._exit(1)
    return numpy.array([[1, 2]])
"""
    )
    start(serving, "dies", script, "1,2\n")
    described = wait(serving, store, "dies")
    assert described["TransformJobStatus"] == "Completed", described
    assert answers(serving, "dies") == "6.0\n"
