"""The look into the registry against moto: what counts as the same model, and what is registered anew."""

from __future__ import annotations

import boto3
import pytest
from deployment.registered_model import find_registered
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sagemaker.models import sagemaker_backends

REGION = "us-east-1"
IMAGE = "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1"
EVENT = {
    "find_in_group": "insurance",
    "artifact_sha256": "a" * 64,
    "image": IMAGE,
    "approval_status": "Approved",
    "endpoint_name": "insurance",
    "instance_type": "ml.m5.large",
    "instance_count": 1,
}
METADATA = {
    "artifact_sha256": "a" * 64,
    "endpoint_name": "insurance",
    "endpoint_instance_type": "ml.m5.large",
    "endpoint_instance_count": "1",
}
NEW = {"status": "New", "model_package_arn": "none", "model_data": "none", "training_value": "none"}


@pytest.fixture
def sagemaker(monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield boto3.client("sagemaker", REGION)


@pytest.fixture
def register(sagemaker):
    sagemaker.create_model_package_group(ModelPackageGroupName="insurance")

    def add(approval="Approved", image=IMAGE, **metadata):
        return sagemaker.create_model_package(
            ModelPackageGroupName="insurance",
            InferenceSpecification={
                "Containers": [{"Image": image, "ModelDataUrl": "s3://bucket/model.tar.gz"}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
            ModelApprovalStatus=approval,
            CustomerMetadataProperties=METADATA | metadata,
        )["ModelPackageArn"]

    return add


def test_a_group_that_does_not_exist_has_no_model(sagemaker) -> None:
    assert find_registered(sagemaker, EVENT) == NEW


def test_the_newest_version_with_the_same_artifact_is_found(sagemaker, register) -> None:
    register(artifact_sha256="b" * 64)
    arn = register()
    assert find_registered(sagemaker, EVENT) == {
        "status": "Registered",
        "model_package_arn": arn,
        "model_data": "s3://bucket/model.tar.gz",
        "training_value": "none",
    }


def test_a_refitted_model_comes_with_its_training_error(sagemaker, register) -> None:
    register(training_mse="3.6e7")
    assert find_registered(sagemaker, EVENT)["training_value"] == "3.6e7"


def test_the_metric_of_another_objective_on_all_rows_is_found_too(sagemaker, register) -> None:
    register(training_value="0.31")
    assert find_registered(sagemaker, EVENT)["training_value"] == "0.31"


def test_a_model_that_was_replaced_is_new_when_it_comes_back(sagemaker, register) -> None:
    register()
    register(artifact_sha256="b" * 64)
    assert find_registered(sagemaker, EVENT) == NEW


def test_another_image_is_another_model(sagemaker, register) -> None:
    register(image=IMAGE.replace(":1", ":2"))
    assert find_registered(sagemaker, EVENT) == NEW


def test_a_package_that_could_not_be_made_is_registered_again(sagemaker, register) -> None:
    sagemaker_backends[DEFAULT_ACCOUNT_ID][REGION].model_packages[register()].model_package_status = "Failed"
    assert find_registered(sagemaker, EVENT) == NEW


def test_a_rejected_model_is_not_registered_again(sagemaker, register) -> None:
    arn = register("Rejected")
    assert find_registered(sagemaker, EVENT)["model_package_arn"] == arn


@pytest.mark.parametrize(
    "change", [{"endpoint_name": "trial"}, {"instance_type": "ml.c5.large"}, {"instance_count": 2}]
)
def test_other_settings_of_the_endpoint_are_for_the_deployment_not_for_the_registry(
    sagemaker, register, change
) -> None:
    arn = register()
    assert find_registered(sagemaker, EVENT | change)["model_package_arn"] == arn


def test_a_model_that_awaits_approval_still_awaits_it(sagemaker, register) -> None:
    arn = register("PendingManualApproval")
    pending = EVENT | {"approval_status": "PendingManualApproval"}
    assert find_registered(sagemaker, pending)["model_package_arn"] == arn


@pytest.mark.parametrize("change", [{"approval_status": "Approved"}, {"endpoint_name": "trial"}, {"instance_count": 2}])
def test_a_model_that_awaits_approval_for_something_else_is_registered_again(sagemaker, register, change) -> None:
    register("PendingManualApproval")
    assert find_registered(sagemaker, EVENT | {"approval_status": "PendingManualApproval"} | change) == NEW


def test_a_refusal_for_another_reason_is_not_taken_for_a_new_model(sagemaker, register) -> None:
    register()
    sagemaker.meta.events.register(
        "before-call.sagemaker.ListModelPackages",
        lambda **_: (type("Response", (), {"status_code": 400}), {"Error": {"Code": "AccessDeniedException"}}),
    )
    with pytest.raises(sagemaker.exceptions.ClientError, match="AccessDenied"):
        find_registered(sagemaker, EVENT)
