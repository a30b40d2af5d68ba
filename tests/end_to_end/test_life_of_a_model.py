"""The whole life of a model on the local service: bootstrap, publish, approve, serve, update, roll back, delete."""

from __future__ import annotations

import json
import time

import pytest

pytestmark = pytest.mark.slow

NAME = "insurance-cross-validation"
ROWS = "19,27.9,0,1,0,0,0,0,1,0,1"
WAIT_SECONDS = 60


def account_contents(shell) -> dict[str, list]:
    """Everything that an account can hold of what the project makes."""
    listings = {
        "stacks": ("cloudformation", "describe_stacks", "Stacks"),
        "roles": ("iam", "list_roles", "Roles"),
        "buckets": ("s3", "list_buckets", "Buckets"),
        "functions": ("lambda", "list_functions", "Functions"),
        "rules": ("events", "list_rules", "Rules"),
        "pipelines": ("sagemaker", "list_pipelines", "PipelineSummaries"),
        "groups": ("sagemaker", "list_model_package_groups", "ModelPackageGroupSummaryList"),
        "models": ("sagemaker", "list_models", "Models"),
        "configurations": ("sagemaker", "list_endpoint_configs", "EndpointConfigs"),
        "endpoints": ("sagemaker", "list_endpoints", "Endpoints"),
    }
    return {
        kind: getattr(shell.client(service), operation)()[key] for kind, (service, operation, key) in listings.items()
    }


def execute(shell, **parameters: str) -> str:
    given = [f"Name={name},Value={value}" for name, value in parameters.items()]
    started = shell.aws(
        "sagemaker", "start-pipeline-execution", "--pipeline-name", NAME, "--pipeline-parameters", *given
    )
    assert shell.finish(started["PipelineExecutionArn"]) == "Succeeded"
    return started["PipelineExecutionArn"]


def serving(shell, other_than: str = "") -> str:
    """Wait until the endpoint is in service, with another configuration than the one named; return which."""
    sagemaker, deadline = shell.client("sagemaker"), time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        if sagemaker.list_endpoints()["Endpoints"]:
            endpoint = sagemaker.describe_endpoint(EndpointName=NAME)
            if endpoint["EndpointStatus"] == "InService" and endpoint["EndpointConfigName"] != other_than:
                return endpoint["EndpointConfigName"]
        time.sleep(0.5)
    raise AssertionError("the endpoint is not in service")


def score(shell, path) -> float:
    arguments = ("--endpoint-name", NAME, "--content-type", "text/csv", "--body", ROWS, str(path))
    shell.aws("sagemaker-runtime", "invoke-endpoint", *arguments)
    return json.loads(path.read_text())["predictions"][0]["score"]


def test_a_models_life_leaves_the_account_as_it_was(shell, tmp_path) -> None:
    before = account_contents(shell)
    shell.succeed("bootstrap", YES="1")
    shell.succeed("upsert", YES="1")

    execute(shell, ModelApprovalStatus="PendingManualApproval")
    assert shell.aws("sagemaker", "list-endpoints")["Endpoints"] == []
    (version,) = shell.aws("sagemaker", "list-model-packages", "--model-package-group-name", NAME)[
        "ModelPackageSummaryList"
    ]
    arn = version["ModelPackageArn"]
    shell.aws(
        *("sagemaker", "update-model-package", "--model-package-arn", arn),
        *("--model-approval-status", "Approved"),
    )
    first = serving(shell)
    assert score(shell, tmp_path / "first.json") == pytest.approx(25_000, rel=0.2)

    execute(shell, ModelApprovalStatus="Approved", EndpointInstanceType="ml.c5.large")
    second = serving(shell, other_than=first)
    shell.succeed("rollback", YES="1")
    assert serving(shell, other_than=second) == first

    shell.succeed("delete", YES="1", LEVEL="all")
    assert account_contents(shell) == before
    shell.succeed("delete", YES="1", LEVEL="all")
