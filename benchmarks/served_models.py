"""Runs a local service with models in its own process, for benchmarks and for tests of its endpoints."""

from __future__ import annotations

import io
import socket
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import boto3
import numpy as np
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from local.algorithms.linear_learner import artifact
from local.core.settings import ACCESS_KEY, HOST, Settings

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_sagemaker import SageMakerClient
    from types_boto3_sagemaker.type_defs import ContainerDefinitionTypeDef, ProductionVariantTypeDef
    from types_boto3_sagemaker_runtime import SageMakerRuntimeClient

ENDPOINT = "benchmark"
FEATURES = 11
_IMAGE = "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1"
_BARE_SERVER = """
import sys, uvicorn
answer = sys.stdin.buffer.read()
async def app(scope, receive, send):
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), http="httptools", lifespan="off", ws="none",
            log_config=None, access_log=False)
"""


def rows(count: int) -> bytes:
    """Return CSV rows with the features of the benchmark's models."""
    values = np.random.default_rng(0).normal(size=(count, FEATURES)).round(4)
    return b"\n".join(b",".join(str(value).encode() for value in row) for row in values.tolist())


def deploy(settings: Settings, folder: Path, bucket: str = "models") -> None:
    """Deploy two models, each to its own endpoint, and the first also to the measured endpoint."""
    s3, sagemaker = client("s3", settings), client("sagemaker", settings)
    s3.create_bucket(Bucket=bucket)
    for letter, bias in (("a", 0.0), ("b", 100.0)):
        s3.put_object(Bucket=bucket, Key=f"{letter}/model.tar.gz", Body=_model(folder, bias))
        container: ContainerDefinitionTypeDef = {
            "Image": _IMAGE,
            "ModelDataUrl": f"s3://{bucket}/{letter}/model.tar.gz",
        }
        role = "arn:aws:iam::123456789012:role/local"
        sagemaker.create_model(ModelName=f"model-{letter}", PrimaryContainer=container, ExecutionRoleArn=role)
        variant: ProductionVariantTypeDef = {
            "VariantName": "AllTraffic",
            "ModelName": f"model-{letter}",
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
        }
        sagemaker.create_endpoint_config(EndpointConfigName=f"config-{letter}", ProductionVariants=[variant])
    for endpoint, letter in (("reference-a", "a"), ("reference-b", "b"), (ENDPOINT, "a")):
        sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=f"config-{letter}")
        sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=endpoint, WaiterConfig={"Delay": 1})


def _model(folder: Path, bias: float) -> bytes:
    file = folder / "model_algo-1"
    artifact.write(file, np.linspace(-1, 1, FEATURES, dtype=np.float32), np.float32(bias))
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        tar.add(file, file.name)
    return packed.getvalue()


@overload
def client(name: Literal["s3"], settings: Settings) -> S3Client: ...
@overload
def client(name: Literal["sagemaker"], settings: Settings) -> SageMakerClient: ...
@overload
def client(name: Literal["sagemaker-runtime"], settings: Settings) -> SageMakerRuntimeClient: ...
def client(name: Any, settings: Settings) -> Any:
    """Return a boto3 client of the local service."""
    session = boto3.Session(ACCESS_KEY, settings.secret_key, region_name=settings.region)
    once = Config(retries={"total_max_attempts": 1})
    return session.client(name, endpoint_url=settings.endpoint_url, config=once)


def signed_headers(settings: Settings, body: bytes) -> dict[str, str]:
    """Return the headers of an invocation, signed as boto3 signs it."""
    url = f"{settings.endpoint_url}/endpoints/{ENDPOINT}/invocations"
    request = AWSRequest(
        "POST", url, data=body, headers={"Content-Type": "text/csv", "Host": f"{HOST}:{settings.port}"}
    )
    SigV4Auth(Credentials(ACCESS_KEY, settings.secret_key), "sagemaker", settings.region).add_auth(request)
    return dict(request.headers.items())


@contextmanager
def local_service(folder: Path) -> Iterator[Settings]:
    """Run the local service in its own process and yield its settings."""
    settings = Settings(folder / ".local", free_port())
    command = [sys.executable, "-m", "local", "--root", str(settings.root), "--port", str(settings.port)]
    with _process(command, settings.port):
        yield settings


@contextmanager
def bare_server(answer: bytes) -> Iterator[int]:
    """Run a server that answers every request with the same bytes, and yield its port."""
    port = free_port()
    with _process([sys.executable, "-c", _BARE_SERVER, str(port)], port, answer):
        yield port


@contextmanager
def _process(command: list[str], port: int, given: bytes = b"") -> Iterator[None]:
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert process.stdin is not None
    try:
        process.stdin.write(given)
        process.stdin.close()
        wait_for(port, process)
        yield
    finally:
        process.terminate()
        process.wait()


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a server answers.

    Raises:
        RuntimeError: its process ended, or it did not answer within half a minute.
    """
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"no server answers at {HOST}:{port}")


def free_port() -> int:
    """Return a free TCP port."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
