"""What AWS clients see of models, endpoints and the registry, through a running service."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from benchmarks import served_models
from benchmarks.endpoint import boto_sender
from benchmarks.endpoint_load import load_with_updates
from local.core.settings import Settings
from tests.local.conftest import IMAGE, ROLE, make_artifact

FAST = {"Delay": 1, "MaxAttempts": 30}
AWS = str(Path(sys.executable).with_name("aws"))


@pytest.fixture(scope="module")
def sagemaker(service):
    return service.client("sagemaker")


@pytest.fixture(scope="module")
def runtime(service):
    return service.client("sagemaker-runtime")


@pytest.fixture(scope="module")
def served(service, sagemaker, tmp_path_factory) -> str:
    """An endpoint named served: 1 x1 + 2 x2 + 0.5."""
    s3 = service.client("s3")
    s3.create_bucket(Bucket="models")
    s3.put_object(
        Bucket="models", Key="m.tar.gz", Body=make_artifact(tmp_path_factory.mktemp("model"), [1.0, 2.0], 0.5)
    )
    container = {"Image": IMAGE, "ModelDataUrl": "s3://models/m.tar.gz"}
    sagemaker.create_model(ModelName="m", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    variant = {"VariantName": "All", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="served", EndpointConfigName="c")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="served", WaiterConfig=FAST)
    return "served"


def test_an_endpoint_answers_boto3_as_the_service_does(runtime, served) -> None:
    answer = runtime.invoke_endpoint(EndpointName=served, ContentType="text/csv", Body="1,2\n3,4")
    assert json.loads(answer["Body"].read()) == {"predictions": [{"score": 5.5}, {"score": 11.5}]}
    assert answer["ContentType"] == "application/json"
    assert answer["InvokedProductionVariant"] == "All"
    lines = runtime.invoke_endpoint(
        EndpointName=served, ContentType="text/csv", Accept="application/jsonlines", TargetVariant="All", Body="1,2"
    )
    assert lines["Body"].read() == b'{"score": 5.5}\n'


@pytest.mark.parametrize(
    ("request_", "code", "status"),
    [
        ({"EndpointName": "absent", "Body": "1,2"}, "ValidationError", 400),
        ({"EndpointName": "served", "Body": "1,2", "TargetVariant": "absent"}, "ValidationError", 400),
        ({"EndpointName": "served", "Body": "1,2,3"}, "ModelError", 424),
        ({"EndpointName": "served", "Body": "0," * 3145728 + "0"}, "413", 413),
    ],
)
def test_boto3_gets_the_services_errors(runtime, served, request_, code, status) -> None:
    with pytest.raises(ClientError) as caught:
        runtime.invoke_endpoint(ContentType="text/csv", **request_)
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    if code == "ModelError":
        assert caught.value.response["OriginalStatusCode"] == 400  # type: ignore[typeddict-item]
        assert "Received client error (400) from primary" in str(caught.value)


@pytest.mark.parametrize(
    "member",
    ["TargetModel", "TargetContainerHostname", "SessionId", "EnableExplanations", "InferenceComponentName"],
)
def test_a_member_that_is_not_imitated_is_refused_as_those_of_other_operations(runtime, served, member) -> None:
    with pytest.raises(ClientError, match=f"sagemaker-runtime:InvokeEndpoint with {member}$") as caught:
        runtime.invoke_endpoint(EndpointName=served, ContentType="text/csv", Body="1,2", **{member: "a"})
    assert caught.value.response["Error"]["Code"] == "NotImplementedException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_a_serverless_endpoint_takes_and_gives_at_most_four_megabytes(sagemaker, runtime, served) -> None:
    serverless = {"MemorySizeInMB": 1024, "MaxConcurrency": 1}
    variant = {"VariantName": "All", "ModelName": "m", "ServerlessConfig": serverless}
    sagemaker.create_endpoint_config(EndpointConfigName="serverless", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="serverless", EndpointConfigName="serverless")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="serverless", WaiterConfig=FAST)

    def ask(endpoint, body):
        accept = "application/jsonlines"
        runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Accept=accept, Body=body)

    row, score = "0,0\n", '{"score": 0.5}\n'
    most = 4 * 1024 * 1024 // len(score)
    ask("serverless", row * most)
    ask(served, row * (most + 1))
    with pytest.raises(ClientError, match="HTTP content length exceeded 4194304 bytes"):
        ask("serverless", row * (most + 1))
    with pytest.raises(ClientError, match=r"\(ValidationError\).*: Request .* has oversize body\."):
        ask("serverless", row * (1024 * 1024) + row)


def aws(service, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([AWS, *arguments], env=service.environment, capture_output=True, text=True, timeout=60)


@pytest.mark.slow
def test_the_aws_cli_creates_waits_for_invokes_and_deletes_an_endpoint(service, sagemaker, served, tmp_path) -> None:
    assert (
        aws(service, "sagemaker", "create-endpoint", "--endpoint-name", "cli", "--endpoint-config-name", "c").returncode
        == 0
    )
    waited = aws(service, "sagemaker", "wait", "endpoint-in-service", "--endpoint-name", "cli")
    assert waited.returncode == 0, waited.stderr
    body = tmp_path / "row.csv"
    body.write_text("1,2")
    answer = tmp_path / "answer.json"
    invoked = aws(
        service,
        *("sagemaker-runtime", "invoke-endpoint", "--endpoint-name", "cli", "--content-type", "text/csv"),
        *("--body", f"fileb://{body}", str(answer)),
    )
    assert invoked.returncode == 0, invoked.stderr
    assert json.loads(answer.read_text()) == {"predictions": [{"score": 5.5}]}
    assert aws(service, "sagemaker", "delete-endpoint", "--endpoint-name", "cli").returncode == 0
    assert aws(service, "sagemaker", "wait", "endpoint-deleted", "--endpoint-name", "cli").returncode == 0


def test_the_registry_is_paged_through_by_boto3(sagemaker, served) -> None:
    sagemaker.create_model_package_group(ModelPackageGroupName="Paged")
    specification = {
        "Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://models/m.tar.gz"}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["application/json"],
    }
    for _ in range(5):
        sagemaker.create_model_package(ModelPackageGroupName="Paged", InferenceSpecification=specification)
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName="Paged", SortOrder="Descending", PaginationConfig={"PageSize": 2}
    )
    versions = [[item["ModelPackageVersion"] for item in page["ModelPackageSummaryList"]] for page in pages]
    assert versions == [[5, 4], [3, 2], [1]]


def test_an_approval_reaches_a_rule_of_eventbridge(service, sagemaker, served) -> None:
    events, logs = service.client("events"), service.client("logs")
    logs.create_log_group(logGroupName="/approved")
    pattern = {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Package State Change"],
        "detail": {"ModelPackageGroupName": ["Announced"], "ModelApprovalStatus": ["Approved"]},
    }
    events.put_rule(Name="approved", EventPattern=json.dumps(pattern))
    target = "arn:aws:logs:us-east-1:123456789012:log-group:/approved"
    events.put_targets(Rule="approved", Targets=[{"Id": "1", "Arn": target}])
    sagemaker.create_model_package_group(ModelPackageGroupName="Announced")
    arn = sagemaker.create_model_package(ModelPackageGroupName="Announced")["ModelPackageArn"]
    sagemaker.update_model_package(ModelPackageArn=arn, CustomerMetadataProperties={"a": "b"})
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    deadline = time.monotonic() + 20
    found: list[str] = []
    while not found and time.monotonic() < deadline:
        time.sleep(0.1)
        found = [event["message"] for event in logs.filter_log_events(logGroupName="/approved")["events"]]
    (event,) = (json.loads(message) for message in found)
    assert event["resources"] == [arn]
    assert event["detail"]["ModelPackageVersion"] == 1
    assert event["detail"]["ModelPackageStatus"] == "Completed"


@pytest.mark.slow
def test_no_request_is_lost_or_wrong_while_the_endpoint_is_updated_under_fifty_connections(service, tmp_path) -> None:
    served_models.deploy(service.settings, tmp_path, bucket="load")
    load = asyncio.run(load_with_updates(service.settings, served_models.rows(1), seconds=3))
    assert not load.failures
    assert load.updates >= 2
    assert len(load.answers) == 2


@contextmanager
def service_process(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "local", "--root", str(settings.root), "--port", str(settings.port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        served_models.wait_for(settings.port, process)
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_an_endpoint_serves_again_after_the_service_was_killed(tmp_path) -> None:
    settings = Settings(tmp_path / ".local", served_models.free_port())
    body = served_models.rows(1)
    with service_process(settings) as process:
        served_models.deploy(settings, tmp_path, bucket="load")
        before = boto_sender(settings, body)()
        os.kill(process.pid, signal.SIGKILL)
    with service_process(settings):
        assert boto_sender(settings, body)() == before
