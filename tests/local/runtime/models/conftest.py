"""A service that serves models with the user's code."""

from __future__ import annotations

import io
import itertools
import tarfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.local.conftest import RunningService

SCIKIT_LEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
ROLE = "arn:aws:iam::123456789012:role/serving"
BUCKET = "serving-bucket"
IN_MODEL = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
SCRIPT = """
import os

def model_fn(model_dir):
    with open(os.path.join(model_dir, "weight.txt")) as file:
        return float(file.read())

def predict_fn(data, model):
    return (data * model).sum(axis=1)
"""
_numbers = itertools.count(1)


def archive(files: dict[str, str | bytes]) -> bytes:
    """The bytes of a tar.gz file."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in files.items():
            content = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o755
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


@dataclass
class Serving:
    """Deploys models and invokes endpoints, over HTTP."""

    service: RunningService

    def __post_init__(self) -> None:
        self.sagemaker = self.service.client("sagemaker")
        self.runtime = self.service.client("sagemaker-runtime")

    def put(self, content: bytes) -> str:
        """Write an object; return its URI."""
        uri = f"s3://{BUCKET}/{next(_numbers)}/archive.tar.gz"
        self.service.parts.objects.write(uri, content)
        return uri

    def model(self, files: dict[str, str | bytes], environment: dict[str, str] = IN_MODEL, **container: Any) -> str:
        """Create a model of an artifact with these files; return its name."""
        name = f"model-{next(_numbers)}"
        given = {"Image": SCIKIT_LEARN, "ModelDataUrl": self.put(archive(files)), "Environment": environment}
        self.sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={**given, **container})
        return name

    def config(self, model: str, **variant: Any) -> str:
        """Create an endpoint configuration with one model; return its name."""
        name = f"config-{next(_numbers)}"
        given = {"VariantName": "All", "ModelName": model, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[{**given, **variant}])
        return name

    def deploy(self, files: dict[str, str | bytes], environment: dict[str, str] = IN_MODEL, **container: Any) -> str:
        """Deploy a model; return its endpoint's name."""
        name = f"endpoint-{next(_numbers)}"
        config = self.config(self.model(files, environment, **container))
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
        return name

    def settle(self, endpoint: str) -> dict[str, Any]:
        """Wait for the end of an endpoint's change; return its description."""
        for _ in range(120):
            described: dict[str, Any] = self.sagemaker.describe_endpoint(EndpointName=endpoint)
            if not described["EndpointStatus"].endswith("ing"):
                return described
        raise AssertionError(described)

    def serve(self, files: dict[str, str | bytes], environment: dict[str, str] = IN_MODEL, **container: Any) -> str:
        """Deploy a model and wait until it is in service; return its endpoint's name."""
        name = self.deploy(files, environment, **container)
        described = self.settle(name)
        assert described["EndpointStatus"] == "InService", (described, self.log(name))
        return name

    def ask(self, endpoint: str, body: bytes | str, content_type: str = "application/json", **others: Any) -> str:
        """Invoke an endpoint; return the answer's text."""
        answer = self.runtime.invoke_endpoint(EndpointName=endpoint, Body=body, ContentType=content_type, **others)
        text: str = answer["Body"].read().decode()
        return text

    def wait_for_log(self, endpoint: str, text: str) -> None:
        """Wait until an endpoint's log, which is written beside the answers, has a text."""
        until(lambda: text in self.log(endpoint))

    def log(self, endpoint: str) -> str:
        """An endpoint's log."""
        path = self.service.parts.logs.path(f"/aws/sagemaker/Endpoints/{endpoint}", "All/local")
        return path.read_text() if path.exists() else ""


def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def serving(service: RunningService) -> Serving:
    service.client("s3").create_bucket(Bucket=BUCKET)
    return Serving(service)
