"""Finds the model for a transform job: the one that an endpoint serves, or the newest approved model package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipeline.algorithms.algorithm import Algorithm
from pipeline.algorithms.table import of_image
from pipeline.config.models import Config
from pipeline.definition.resources import Resources
from pipeline.errors import UserError
from pipeline.operate.aws_errors import is_gone
from pipeline.operate.served_columns import EndpointModel, NotServingError, ScoringModel

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient


@dataclass(frozen=True)
class ApprovedPackage:
    """The newest approved model package of a group.

    Attributes:
        group: the group's name.
        model_package: its ARN.
    """

    sagemaker: SageMakerClient
    group: str
    model_package: str

    @property
    def described(self) -> str:
        """Which model it is, for messages."""
        return f"the newest approved version of the model package group {self.group}: {self.model_package}"

    def metadata(self) -> dict[str, str]:
        """Return the package's metadata."""
        package = self.sagemaker.describe_model_package(ModelPackageName=self.model_package)
        return package.get("CustomerMetadataProperties", {})


@dataclass(frozen=True)
class TransformModel:
    """The model of a transform job.

    Attributes:
        scoring: its model package.
        name: the name of the model in SageMaker; None if it must be made from the package first.
        algorithm: the algorithm of its image; None if that is unknown.
    """

    scoring: ScoringModel
    name: str | None
    algorithm: Algorithm | None


def find_model(sagemaker: SageMakerClient, config: Config, endpoint_name: str) -> TransformModel:
    """Return the model that an endpoint serves, or else the newest approved model package.

    Args:
        sagemaker: boto3's SageMaker client.
        config: the configuration, which names the usual endpoint and the model package group.
        endpoint_name: the endpoint, which must serve; empty for the configuration's, if it serves.

    Raises:
        UserError: the endpoint does not serve, a transform job cannot use its model, or no package is approved.
    """
    name = endpoint_name or config.deploy.endpoint_name
    try:
        endpoint = EndpointModel(sagemaker, name)
    except NotServingError as error:
        if endpoint_name:
            raise
        return _newest_approved(sagemaker, config.registry.group, str(error))
    if endpoint.model_name is None:
        raise UserError(
            f"The endpoint {name} serves inference components, which a transform job cannot use. Score without BATCH=1"
        )
    return TransformModel(
        scoring=endpoint,
        name=endpoint.model_name,
        algorithm=_algorithm(sagemaker, endpoint.model_package, endpoint.model_name),
    )


def model_request(config: Config, resources: Resources, name: str, model_package: str) -> dict[str, Any]:
    """Return the members of CreateModel for a transform job.

    The job has the permissions of the model's execution role. Source:
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModel.html
    """
    request: dict[str, Any] = {
        "ModelName": name,
        "Containers": [{"ModelPackageName": model_package}],
        "ExecutionRoleArn": resources.job_role_arn,
        "Tags": [{"Key": key, "Value": value} for key, value in config.pipeline.tags.items()],
    }
    if vpc := config.aws.vpc:
        request["VpcConfig"] = {"Subnets": vpc.subnets, "SecurityGroupIds": vpc.security_group_ids}
    return request


def _newest_approved(sagemaker: SageMakerClient, group: str, without_endpoint: str) -> TransformModel:
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, ModelApprovalStatus="Approved", SortBy="CreationTime", SortOrder="Descending"
    )
    try:
        arn = next((found["ModelPackageArn"] for page in pages for found in page["ModelPackageSummaryList"]), None)
    except ClientError as error:
        if not is_gone(error):
            raise
        arn = None
    if arn is None:
        raise UserError(f"{without_endpoint} The model package group {group} has no approved version either.")
    return TransformModel(
        scoring=ApprovedPackage(sagemaker, group, arn),
        name=None,
        algorithm=_algorithm(sagemaker, arn, None),
    )


def _algorithm(sagemaker: SageMakerClient, package: str | None, model_name: str | None) -> Algorithm | None:
    """Return the algorithm of a package's image, or else of a model's."""
    containers: Sequence[Mapping[str, Any]] = []
    if package is not None:
        described = sagemaker.describe_model_package(ModelPackageName=package)
        containers = described.get("InferenceSpecification", {}).get("Containers", [])
    elif model_name is not None:
        model = sagemaker.describe_model(ModelName=model_name)
        containers = [model.get("PrimaryContainer", {}), *model.get("Containers", [])]
    return next((found for each in containers if (found := of_image(each.get("Image", "")))), None)
