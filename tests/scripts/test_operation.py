"""An endpoint's life on the local service: the stack, approvals, updates, rollback, deletion.

The commands run as a person runs them. Models are small linear ones made here; training them is shown elsewhere.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
import time
from typing import Any

import boto3
import numpy as np
import pytest
import yaml

from local.algorithms.linear_learner import artifact
from local.app.server import LocalService
from local.core.settings import ACCESS_KEY, ACCOUNT_ID, Settings
from pipeline.config.loading import load_config
from pipeline.definition.resources import find_resources
from pipeline.operate.function import publish_function
from pipeline.operate.ownership import Ownership
from pipeline.operate.stack import apply_plan, plan_stack
from pipeline.operate.teardown import OwnedResource, delete_resources, find_owned_resources
from pipeline.operate.triggers import apply_triggers
from tests.commands import ROOT, run_command
from tests.docs.permissions import documented, recorded

NAME = "claims"
IMAGE = "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1"
DEFINITION = {
    "Version": "2020-12-01",
    "Parameters": [],
    "Steps": [{"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "nothing to do"}}],
}


class Account:
    """The local service with one pipeline's resources, and the commands to operate them."""

    def __init__(self, service: LocalService, folder) -> None:
        self.folder = folder
        self.endpoint_url = service.settings.endpoint_url
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self.environment = inherited | service.settings.client_environment() | {"COLUMNS": "200"}
        document = yaml.safe_load((ROOT / "config.yaml").read_text())
        document["aws"]["region"] = service.settings.region
        document["pipeline"]["name"] = document["registry"]["group"] = NAME
        document["deploy"] = {
            "endpoint_name": NAME,
            "autoscaling": {"min_instances": 1, "max_instances": 2},
        }
        (folder / "config.yaml").write_text(yaml.safe_dump(document))
        self.config = load_config(folder / "config.yaml")
        self.session: Any = _Session(service.settings)
        self.sagemaker = self.session.client("sagemaker")
        self.runtime = self.session.client("sagemaker-runtime")

    def command(self, name: str, **options: str) -> subprocess.CompletedProcess[str]:
        options = {"CONFIG": str(self.folder / "config.yaml")} | options
        with recorded() as needed:
            finished = run_command(name, self.environment | options)
        assert needed - documented()[name] == set()
        return finished

    def succeed(self, name: str, **options: str) -> str:
        finished = self.command(name, **options)
        assert finished.returncode == 0, finished.stdout + finished.stderr
        return finished.stdout

    def bootstrap(self) -> None:
        cloudformation = self.session.client("cloudformation")
        apply_plan(cloudformation, plan_stack(cloudformation, self.config, ACCOUNT_ID))

    def delete_all(self) -> list[str]:
        """What ``make delete LEVEL=all`` does; returns what could not be deleted."""
        return delete_resources(self.owned(), print)

    def publish(self) -> None:
        """What ``make upsert`` does, with a pipeline of one step."""
        resources = find_resources(self.config, self.session)
        publish_function(self.session.client("lambda"), self.config, resources)
        self.sagemaker.create_pipeline(
            PipelineName=NAME,
            PipelineDefinition=json.dumps(DEFINITION),
            RoleArn=resources.pipeline_role_arn,
            ClientRequestToken="0" * 32,
        )
        apply_triggers(self.config, resources, self.session)

    def register(self, weights: list[float], approval: str, **classifier: Any) -> str:
        """Register a linear model as the pipeline does; a classifier with its output and its threshold."""
        bucket = find_resources(self.config, self.session).bucket
        key = f"{NAME}/executions/{time.monotonic_ns()}/best/model.tar.gz"
        file, packed = self.folder / "model_algo-1", io.BytesIO()
        artifact.write(file, np.array(weights, dtype=np.float32), np.float32(0), **classifier)
        with tarfile.open(fileobj=packed, mode="w:gz") as tar:
            tar.add(file, "model_algo-1")
        self.session.client("s3").put_object(Bucket=bucket, Key=key, Body=packed.getvalue())
        if not self.sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]:
            self.sagemaker.create_model_package_group(ModelPackageGroupName=NAME)
        return self.sagemaker.create_model_package(
            ModelPackageGroupName=NAME,
            ModelApprovalStatus=approval,
            InferenceSpecification={
                "Containers": [{"Image": IMAGE, "ModelDataUrl": f"s3://{bucket}/{key}"}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
            CustomerMetadataProperties={
                "endpoint_name": NAME,
                "endpoint_instance_type": "ml.m5.large",
                "endpoint_instance_count": "1",
                "pipeline_execution_arn": f"arn:aws:sagemaker:us-east-1:123456789012:pipeline/{NAME}/execution/x",
            },
        )["ModelPackageArn"]

    def approve(self, package: str) -> None:
        self.sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")

    def status(self) -> str:
        names = [found["EndpointName"] for found in self.sagemaker.list_endpoints()["Endpoints"]]
        return self.sagemaker.describe_endpoint(EndpointName=NAME)["EndpointStatus"] if NAME in names else "None"

    def score(self) -> float:
        answer = self.runtime.invoke_endpoint(EndpointName=NAME, ContentType="text/csv", Body="1,1")
        return json.loads(answer["Body"].read())["predictions"][0]["score"]

    def scales(self) -> bool:
        scaling = self.session.client("application-autoscaling")
        return bool(scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"])

    def left(self) -> list[str]:
        """What of the project's is still there, of any kind."""
        return [f"{thing.kind} {thing.name}" for thing in self.owned()]

    def owned(self) -> list[OwnedResource]:
        ownership = Ownership(self.config, find_resources(self.config, self.session), self.session)
        return find_owned_resources(ownership, self.session, "all")


class _Session:
    """A boto3 session whose clients all speak to the local service."""

    def __init__(self, settings: Settings) -> None:
        self._session = boto3.Session(ACCESS_KEY, settings.secret_key, region_name=settings.region)
        self._endpoint_url = settings.endpoint_url

    def client(self, name: Any, **options: Any) -> Any:
        return self._session.client(name, endpoint_url=self._endpoint_url, **options)


def eventually(holds, what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.1)


@pytest.fixture
def account(tmp_path):
    with LocalService(Settings(tmp_path / ".local", port=0)) as service:
        yield Account(service, tmp_path)


@pytest.mark.slow
def test_an_endpoints_life_from_bootstrap_to_delete(account) -> None:
    assert "add 4 AWS::IAM::Role" in account.succeed("bootstrap", YES="1")
    account.publish()

    first = account.register([1.0, 2.0], "PendingManualApproval")
    assert account.status() == "None"
    account.approve(first)
    eventually(lambda: account.status() == "InService", "the approved model serves")
    assert account.score() == pytest.approx(3.0)
    eventually(account.scales, "autoscaling is registered once the endpoint is in service")

    second = account.register([10.0, 20.0], "PendingManualApproval")
    account.approve(second)
    eventually(lambda: account.score() == pytest.approx(30.0), "the second model replaces the first")
    eventually(lambda: account.status() == "InService", "the update has ended")

    assert "returns to claims-v1-" in account.succeed("rollback", YES="1")
    eventually(lambda: account.score() == pytest.approx(3.0), "the first model serves again")
    eventually(lambda: account.status() == "InService", "the rollback has ended")
    again = account.command("rollback", YES="1")
    assert again.returncode == 1
    assert "nothing older is kept" in again.stderr
    account.sagemaker.update_model_package(ModelPackageArn=second, ModelApprovalStatus="Rejected")
    account.approve(second)
    eventually(lambda: account.score() == pytest.approx(30.0), "a version that was approved before is deployed again")
    eventually(lambda: account.status() == "InService", "that update has ended")

    refused = account.command("delete")
    assert refused.returncode == 1
    assert "YES=1" in refused.stderr
    assert account.status() == "InService"

    assert "deleted endpoint claims" in account.succeed("delete", LEVEL="endpoint", YES="1")
    assert account.status() == "None"
    assert not account.scales()

    account.succeed("delete", YES="1")
    kinds = {line.partition(" s3:")[0] for line in account.left()}
    assert {kind.split()[0] for kind in kinds} <= {"objects", "CloudFormation", "log"}

    account.succeed("delete", LEVEL="all", YES="1")
    assert account.left() == []
    assert account.session.client("s3").list_buckets()["Buckets"] == []
    assert account.session.client("iam").list_roles()["Roles"] == []
    nothing = "nothing of claims to delete in account 123456789012, us-east-1 "
    assert nothing in account.succeed("delete", LEVEL="all", YES="1")


def test_what_others_made_survives(account) -> None:
    account.bootstrap()
    account.publish()
    account.approve(account.register([1.0, 2.0], "PendingManualApproval"))
    eventually(lambda: account.status() == "InService", "the endpoint serves")
    sagemaker, s3 = account.sagemaker, account.session.client("s3")
    (config_name,) = [found["EndpointConfigName"] for found in sagemaker.list_endpoint_configs()["EndpointConfigs"]]
    sagemaker.create_endpoint(EndpointName="claims-theirs", EndpointConfigName=config_name)
    s3.create_bucket(Bucket="theirs")
    s3.put_object(Bucket="theirs", Key="claims/executions/x", Body=b"x")
    sagemaker.create_model_package(
        ModelPackageGroupName=NAME,
        InferenceSpecification={
            "Containers": [{"Image": IMAGE}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
    )
    assert account.delete_all() == []
    assert [found["EndpointName"] for found in sagemaker.list_endpoints()["Endpoints"]] == ["claims-theirs"]
    assert len(sagemaker.list_model_packages(ModelPackageGroupName=NAME)["ModelPackageSummaryList"]) == 1
    assert s3.list_objects_v2(Bucket="theirs")["KeyCount"] == 1
    said = account.succeed("delete", LEVEL="pipeline")
    assert said.startswith(f"There is nothing of {NAME} to delete")
    assert f"\nkept: the model package group {NAME}, with 1 package that this pipeline did not register\n" in said


def test_the_bucket_is_kept_if_others_have_objects_in_it_and_all_else_goes(account, capsys) -> None:
    account.bootstrap()
    bucket = find_resources(account.config, account.session).bucket
    s3 = account.session.client("s3")
    s3.put_object(Bucket=bucket, Key="holiday.jpg", Body=b"x")
    with recorded() as needed:
        assert account.delete_all() == []
    assert needed - documented()["delete"] == set()
    said = capsys.readouterr().out
    assert f"except the bucket {bucket}, which contains objects of others, such as holiday.jpg" in said
    assert account.session.client("iam").list_roles()["Roles"] == []
    assert s3.get_object(Bucket=bucket, Key="holiday.jpg")["Body"].read() == b"x"
    assert account.delete_all() == []
    assert "CloudFormation" not in capsys.readouterr().out
    s3.delete_object(Bucket=bucket, Key="holiday.jpg")
    s3.delete_bucket(Bucket=bucket)
    account.bootstrap()
    assert account.delete_all() == []
    assert account.left() == []


@pytest.mark.parametrize("region", [pytest.param("us-east-1", marks=pytest.mark.slow), "eu-central-1"])
def test_upsert_creates_the_local_bucket_in_the_configurations_region(tmp_path, region) -> None:
    with LocalService(Settings(tmp_path / ".local", port=0, region=region)) as service:
        account = Account(service, tmp_path)
        bucket = find_resources(account.config, account.session).bucket
        assert f"created the bucket {bucket}" in account.succeed("upsert", YES="1")
        assert "created the bucket" not in account.succeed("upsert", YES="1")
        assert account.session.client("s3").head_bucket(Bucket=bucket)["BucketRegion"] == region


@pytest.mark.slow
def test_what_is_left_of_a_pipeline_and_of_an_execution_is_said(account) -> None:
    account.bootstrap()
    account.publish()
    assert "has no execution: start one with 'make start" in account.command("report").stderr
    assert "'ab12' is neither the ARN of an execution" in account.command("status", EXECUTION="ab12").stderr
    arn = account.sagemaker.start_pipeline_execution(PipelineName=NAME)["PipelineExecutionArn"]
    account.succeed("delete", YES="1")

    bucket = find_resources(account.config, account.session).bucket
    prefix = f"s3://{bucket}/{NAME}/executions/"
    for command in ("report", "status"):
        absent = account.command(command)
        assert absent.returncode == 1
        assert absent.stderr.startswith(f"There is no pipeline {NAME} in us-east-1: publish it with 'make upsert")
        assert prefix not in absent.stderr
        assert "Nothing of it is left in S3" in account.command(command, EXECUTION=arn).stderr
    key = f"{NAME}/executions/{arn.rpartition('/')[2]}/best/best.json"
    account.session.client("s3").put_object(Bucket=bucket, Key=key, Body=b"{}")
    for command in ("report", "status"):
        assert f"are still in {prefix} (a folder for each execution)" in account.command(command).stderr
        left = f"{prefix}{arn.rpartition('/')[2]}/"
        for given in (arn, arn.rpartition("/")[2]):
            assert f"There is no execution {arn}" in account.command(command, EXECUTION=given).stderr
        assert f"Still there: {left}.\n" in account.command(command, EXECUTION=arn).stderr
