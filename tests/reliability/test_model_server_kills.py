"""The service is killed while a program serves a model: the program ends, and the next start serves again."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.local.runtime.models.conftest import BUCKET, IN_MODEL, SCIKIT_LEARN, SCRIPT, archive
from tests.reliability.test_kills import Service, processes_of, until

pytestmark = pytest.mark.slow
ROLE = "arn:aws:iam::123456789012:role/serving"


@pytest.fixture
def services(tmp_path: Path) -> Iterator[list[Service]]:
    """Services of one folder, the running one last."""
    started = [Service(tmp_path / ".local")]
    yield started
    if started[-1].process.poll() is None:
        started[-1].end(signal.SIGTERM)


def deploy(service: Service) -> None:
    content = archive({"code/inference.py": SCRIPT, "weight.txt": "2"})
    s3, sagemaker = service.client("s3"), service.client("sagemaker")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=content)
    container = {"Image": SCIKIT_LEARN, "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz", "Environment": IN_MODEL}
    sagemaker.create_model(ModelName="model", ExecutionRoleArn=ROLE, PrimaryContainer=container)
    variant = {"VariantName": "All", "ModelName": "model", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="config", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="endpoint", EndpointConfigName="config")


def answer(service: Service) -> str:
    try:
        found = service.client("sagemaker-runtime").invoke_endpoint(
            EndpointName="endpoint", Body=b"[[1, 2]]", ContentType="application/json"
        )
    except (ClientError, BotoCoreError) as error:
        return str(error)
    text: str = found["Body"].read().decode()
    return text


def test_a_killed_service_leaves_no_program_and_serves_again(services: list[Service], tmp_path: Path) -> None:
    deploy(services[-1])
    until(lambda: answer(services[-1]) == "[6.0]")
    for _ in range(2):
        assert processes_of(tmp_path)
        services[-1].end(signal.SIGKILL)
        until(lambda: not processes_of(tmp_path))
        services.append(Service(tmp_path / ".local"))
        until(lambda: answer(services[-1]) == "[6.0]")
        assert len(list((tmp_path / ".local" / "model-servers").iterdir())) == 1


def test_a_service_that_is_killed_while_a_program_starts_creates_the_endpoint(
    services: list[Service], tmp_path: Path
) -> None:
    deploy(services[-1])
    until(lambda: bool(processes_of(tmp_path)))
    services[-1].end(signal.SIGKILL)
    until(lambda: not processes_of(tmp_path))
    services.append(Service(tmp_path / ".local"))
    until(lambda: answer(services[-1]) == "[6.0]")
    described = services[-1].client("sagemaker").describe_endpoint(EndpointName="endpoint")
    assert described["EndpointStatus"] == "InService"
