"""One local service for the pipelines of strangers, and what a stranger does with it: publish, start, look."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from local.app.server import LocalService
from local.core.sdk_defaults import sdk_environment
from local.core.settings import ACCESS_KEY, Settings

HERE = Path(__file__).parent
PIPELINES = HERE / "pipelines"
ROLE = "arn:aws:iam::123456789012:role/service-role/AmazonSageMaker-ExecutionRole"
_SECONDS = 400


@dataclass(frozen=True)
class Execution:
    """An execution that has ended."""

    arn: str
    status: str
    steps: dict[str, dict[str, Any]]

    @property
    def id(self) -> str:
        return self.arn.rpartition("/")[2]

    def statuses(self) -> dict[str, str]:
        return {name: step["StepStatus"] for name, step in self.steps.items()}

    def job(self, step: str) -> str:
        """The name of what a step has made."""
        (made,) = self.steps[step]["Metadata"].values()
        return str(made["Arn"].rpartition("/")[2])


class Stranger:
    """Publishes pipelines on a local service, and asks it for what they have made."""

    def __init__(self, service: LocalService, folder: Path) -> None:
        self.settings = service.settings
        self.folder = folder
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self.environment = {
            **inherited,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "SAGEMAKER_ROLE": ROLE,
            **self.settings.client_environment(),
            **sdk_environment(self.settings.root, self.settings.region),
        }
        self.bucket = f"sagemaker-{self.settings.region}-123456789012"
        self.sagemaker, self.s3 = self.client("sagemaker"), self.client("s3")
        self._publisher: subprocess.Popen[str] | None = None

    def client(self, name: Any) -> Any:
        session = boto3.Session(ACCESS_KEY, self.settings.secret_key, region_name=self.settings.region)
        return session.client(name, endpoint_url=self.settings.endpoint_url)

    def run(self, name: str) -> list[Execution]:
        """Run a folder's pipeline.py, and wait for the executions whose ARNs it prints."""
        log = self.folder / f"{name}.log"
        if self._publisher is None:
            self._publisher = subprocess.Popen(
                [sys.executable, str(HERE / "publisher.py")],
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._publisher.stdin is not None
        assert self._publisher.stdout is not None
        self._publisher.stdin.write(json.dumps([str(PIPELINES / name), str(log)]) + "\n")
        self._publisher.stdin.flush()
        status = self._publisher.stdout.readline()
        printed = log.read_text()
        assert status == "0\n", printed[-4000:]
        arns = re.findall(r"^arn:\S+$", printed, re.MULTILINE)
        assert arns, printed[-4000:]
        return [self._wait(arn) for arn in arns]

    def close(self) -> None:
        if self._publisher is not None:
            self._publisher.communicate()

    def keys(self, prefix: str) -> list[str]:
        """The keys under a prefix of the default bucket."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def read(self, place: str) -> bytes:
        """An object, by its URI or by its key in the default bucket."""
        bucket, key = place[5:].split("/", 1) if place.startswith("s3://") else (self.bucket, place)
        content: bytes = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return content

    def json(self, place: str) -> Any:
        return json.loads(self.read(place))

    def archive(self, place: str) -> dict[str, bytes]:
        """The files of a tar.gz object."""
        with tarfile.open(fileobj=io.BytesIO(self.read(place))) as tar:
            files = {member.name: tar.extractfile(member) for member in tar.getmembers() if member.isfile()}
            return {name.removeprefix("./"): file.read() for name, file in files.items() if file}

    def training_job(self, name: str) -> dict[str, Any]:
        described: dict[str, Any] = self.sagemaker.describe_training_job(TrainingJobName=name)
        return described

    def metrics(self, training_job: str) -> dict[str, float]:
        """The final metrics of a training job."""
        found = self.training_job(training_job).get("FinalMetricDataList", [])
        return {each["MetricName"]: each["Value"] for each in found}

    def package(self, group: str, version: int = 1) -> dict[str, Any]:
        arn = f"arn:aws:sagemaker:{self.settings.region}:123456789012:model-package/{group}/{version}"
        described: dict[str, Any] = self.sagemaker.describe_model_package(ModelPackageName=arn)
        return described

    def ask(self, package: dict[str, Any], rows: str, **environment: str) -> str:
        """Deploy a registered model to an endpoint, and return its answer to rows of CSV."""
        name = f"ask-{package['ModelPackageGroupName']}-{package['ModelPackageVersion']}"
        container: dict[str, Any] = {"ModelPackageName": package["ModelPackageArn"]}
        if environment:
            container["Environment"] = environment
        self.sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, Containers=[container])
        variant = {"VariantName": "All", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        self.sagemaker.get_waiter("endpoint_in_service").wait(
            EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
        )
        runtime = self.client("sagemaker-runtime")
        answer = runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Accept="text/csv", Body=rows)
        text: str = answer["Body"].read().decode()
        self.sagemaker.delete_endpoint(EndpointName=name)
        return text

    def _wait(self, arn: str) -> Execution:
        deadline = time.monotonic() + _SECONDS
        while True:
            described = self.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
            if described["PipelineExecutionStatus"] in ("Succeeded", "Failed", "Stopped"):
                break
            assert time.monotonic() < deadline, f"{arn} has not ended"
            time.sleep(0.2)
        pages = self.sagemaker.get_paginator("list_pipeline_execution_steps").paginate(
            PipelineExecutionArn=arn, SortOrder="Ascending"
        )
        steps = {step["StepName"]: step for page in pages for step in page["PipelineExecutionSteps"]}
        return Execution(arn, described["PipelineExecutionStatus"], steps)


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stranger]:
    folder = tmp_path_factory.mktemp("strangers")
    shutil.copytree(PIPELINES / "own_image/docker", folder / "docker")
    shutil.copy(PIPELINES / "own_image/local-images.yaml", folder)
    with LocalService(Settings(folder / ".local", port=0)) as service:
        user = Stranger(service, folder)
        user.client("iam").create_role(
            Path="/service-role/",
            RoleName="AmazonSageMaker-ExecutionRole",
            AssumeRolePolicyDocument=json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "sagemaker.amazonaws.com"},
                            "Action": "sts:AssumeRole",
                        }
                    ],
                }
            ),
        )
        user.client("iam").attach_role_policy(
            RoleName="AmazonSageMaker-ExecutionRole", PolicyArn="arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
        )
        yield user
        user.close()
