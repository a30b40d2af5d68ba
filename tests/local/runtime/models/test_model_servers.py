"""Endpoints with the user's code: real programs, over HTTP."""

from __future__ import annotations

import json
import textwrap
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.runtime.containers import isolation
from tests.local.runtime.models.conftest import BUCKET, IN_MODEL, SCRIPT, Serving, until

RUNS_CODE = """
import json

def model_fn(model_dir):
    return {}

def transform_fn(model, body, content_type, accept):
    scope = {"model": model}
    exec(body, scope)
    return json.dumps(scope.get("answer")), accept
"""
"""Serves the answer of the code that the request consists of."""
needs_own_roots = pytest.mark.skipif(not isolation.has_own_roots(), reason="this machine has no user namespaces")


@pytest.fixture(scope="module")
def probe(serving: Serving) -> str:
    """An endpoint that runs the code that it is sent."""
    return serving.serve({"code/inference.py": RUNS_CODE, "weights/a.txt": "2"})


def run(serving: Serving, endpoint: str, code: str) -> Any:
    return json.loads(serving.ask(endpoint, textwrap.dedent(code)))


@needs_own_roots
def test_a_model_has_what_its_container_has(serving: Serving, probe: str) -> None:
    found = run(
        serving,
        probe,
        """
        import os, socket, sys
        def fails(path):
            try:
                open(path, "w").close()
            except OSError:
                return True
        answer = {
            "model": sorted(os.listdir("/opt/ml/model")),
            "weights": open("/opt/ml/model/weights/a.txt").read(),
            "code": os.path.exists("/opt/ml/code/inference.py"),
            "cwd": os.getcwd(),
            "host": socket.gethostbyname("algo-1"),
            "model is read-only": fails("/opt/ml/model/weights/a.txt") and fails("/opt/ml/model/b.txt"),
            "program": os.environ["SAGEMAKER_PROGRAM"],
            "prefix": sys.prefix,
            "credentials": "AWS_CONTAINER_CREDENTIALS_FULL_URI" in os.environ,
            "keys": [name for name in os.environ if "ACCESS_KEY" in name],
        }
        """,
    )
    assert found == {
        "model": ["code", "weights"],
        "weights": "2",
        "code": True,
        "cwd": "/",
        "host": "127.0.0.1",
        "model is read-only": True,
        "program": "inference.py",
        "prefix": "/opt/ml/.python",
        "credentials": True,
        "keys": [],
    }


@needs_own_roots
def test_a_model_sees_nothing_of_the_services_folder(serving: Serving, probe: str) -> None:
    root = serving.service.settings.root
    code = f"""
    import os
    answer = [os.path.join(folder, name) for folder, _, names in os.walk({str(root)!r}) for name in names]
    """
    assert [file for file in run(serving, probe, code) if "/environments/" not in file and "/sdk" not in file] == []


def test_what_a_handler_raises_is_a_model_error_with_a_traceback_in_the_log(serving: Serving, probe: str) -> None:
    with pytest.raises(ClientError) as raised:
        run(serving, probe, "raise ValueError('no such row')")
    answer: dict[str, Any] = dict(raised.value.response)
    assert answer["Error"]["Code"] == "ModelError"
    assert answer["OriginalStatusCode"] == 500
    assert "<title>500 Internal Server Error</title>" in answer["OriginalMessage"]
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 424
    serving.wait_for_log(probe, "ValueError: no such row")


def test_invocations_of_programs_are_measured(serving: Serving, probe: str) -> None:
    run(serving, probe, "answer = 1")
    dimensions = [{"Name": "EndpointName", "Value": probe}, {"Name": "VariantName", "Value": "All"}]
    metrics = serving.service.client("cloudwatch").list_metrics(Namespace="AWS/SageMaker", Dimensions=dimensions)
    assert "ModelLatency" in {metric["MetricName"] for metric in metrics["Metrics"]}


@pytest.mark.slow
def test_what_a_program_is_asked_and_answers_is_captured(serving: Serving) -> None:
    config = serving.config(serving.model({"code/inference.py": SCRIPT, "weight.txt": "2"}))
    variants = serving.sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    serving.sagemaker.create_endpoint_config(
        EndpointConfigName="captured",
        ProductionVariants=variants,
        DataCaptureConfig={
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": f"s3://{BUCKET}/capture",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},
        },
    )
    serving.sagemaker.create_endpoint(EndpointName="captured", EndpointConfigName="captured")
    serving.settle("captured")
    assert serving.ask("captured", b"[[1, 2]]") == "[6.0]"
    objects = serving.service.parts.objects
    until(lambda: bool(objects.keys(f"s3://{BUCKET}/capture/")))
    (key,) = objects.keys(f"s3://{BUCKET}/capture/")
    line = json.loads(objects.read(f"s3://{BUCKET}/{key}"))["captureData"]
    assert (line["endpointInput"]["data"], line["endpointOutput"]["data"]) == ("[[1, 2]]", "[6.0]")


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"SAGEMAKER_TS_BATCH_SIZE": "4"}, "environment variable SAGEMAKER_TS_BATCH_SIZE is not implemented"),
        ({"MMS_MAX_REQUEST_SIZE": "9"}, "environment variable MMS_MAX_REQUEST_SIZE is not implemented"),
        ({"SAGEMAKER_MULTI_MODEL": "true"}, "environment variable SAGEMAKER_MULTI_MODEL is not implemented"),
        ({"SAGEMAKER_BIND_TO_PORT": "8080"}, "environment variable SAGEMAKER_BIND_TO_PORT is not implemented"),
        ({"SAGEMAKER_MODEL_SERVER_TIMEOUT": "1m"}, "SAGEMAKER_MODEL_SERVER_TIMEOUT is '1m', not a number of seconds"),
        (
            {"SAGEMAKER_SUBMIT_DIRECTORY": "s3://serving-bucket/nowhere.tar.gz"},
            'from "s3://serving-bucket/nowhere.tar.gz": there is no such object',
        ),
        ({"SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/nowhere"}, "the container has no such folder"),
        ({"SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/../../etc"}, "the container has no such folder"),
    ],
)
def test_what_is_not_implemented_is_refused_by_name(serving: Serving, environment: dict[str, str], reason: str) -> None:
    described = serving.settle(serving.deploy({"code/inference.py": SCRIPT}, {**IN_MODEL, **environment}))
    assert described["EndpointStatus"] == "Failed"
    assert reason in described["FailureReason"]


def test_a_model_that_is_no_archive_is_refused(serving: Serving) -> None:
    described = serving.settle(serving.deploy({}, ModelDataUrl=serving.put(b"no archive")))
    assert described["EndpointStatus"] == "Failed"
    assert "Failed to extract the model data archive" in described["FailureReason"]
