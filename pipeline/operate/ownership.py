"""Finds out which endpoints and model packages of the account are the pipeline's.

A name alone does not prove ownership: endpoints, their configurations and models must have the tag of the function that
made them, and model packages must name an execution of the pipeline.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pipeline.config.models import Config
from pipeline.definition.resources import Resources
from pipeline.operate.aws_errors import answer_of

if TYPE_CHECKING:
    from boto3 import Session
    from types_boto3_sagemaker.type_defs import EndpointSummaryTypeDef

OWNER_TAG = "deployed-by"
"""The tag that steps/deploy_endpoint.py puts on everything it makes; its value is the function's name."""


def endpoint_log_group(endpoint_name: str) -> str:
    """Return the log group of an endpoint."""
    return f"/aws/sagemaker/Endpoints/{endpoint_name}"


@dataclass(frozen=True)
class Endpoint:
    """An endpoint of the account.

    Attributes:
        name: its name.
        status: for example ``InService``.
        owner: the function that made it; empty if it has no tag of a function.
        is_ours: whether this is the pipeline's function.
    """

    name: str
    status: str
    owner: str
    is_ours: bool


@dataclass(frozen=True)
class RegisteredPackage:
    """A model package of the group.

    Attributes:
        arn: its ARN.
        is_ours: whether an execution of the pipeline registered it.
        endpoint_name: the endpoint that it is for; empty if its metadata names none.
    """

    arn: str
    is_ours: bool
    endpoint_name: str


class Ownership:
    """Tells the pipeline's resources from those of others. Lists are read once, and to their end.

    Args:
        config: the configuration.
        resources: bucket, roles and function.
        session: a ``boto3.Session`` of the account.
    """

    def __init__(self, config: Config, resources: Resources, session: Session) -> None:
        self.config = config
        self.resources = resources
        self._sagemaker = session.client("sagemaker")

    def is_ours(self, arn: str) -> bool:
        """Return whether this pipeline's function made a resource."""
        return self._owner(arn) == self.resources.deploy_function_name

    @cached_property
    def endpoints(self) -> list[Endpoint]:
        """The account's endpoints."""
        pages = self._sagemaker.get_paginator("list_endpoints").paginate()
        return [self._endpoint(found) for page in pages for found in page["Endpoints"]]

    @property
    def endpoint_names(self) -> list[str]:
        """The names that the pipeline's endpoints have or had: the configured one, those found, those in packages."""
        own = {endpoint.name for endpoint in self.endpoints if endpoint.is_ours}
        others = {endpoint.name for endpoint in self.endpoints if not endpoint.is_ours}
        named = {package.endpoint_name for package in self.packages if package.is_ours and package.endpoint_name}
        return sorted({self.config.deploy.endpoint_name, *own, *named} - others)

    @cached_property
    def has_group(self) -> bool:
        """Whether the model package group exists."""
        group = self.config.registry.group
        return answer_of(self._sagemaker.describe_model_package_group, ModelPackageGroupName=group) is not None

    @cached_property
    def packages(self) -> list[RegisteredPackage]:
        """The model packages of the group, whoever registered them."""
        if not self.has_group:
            return []
        group = self.config.registry.group
        pages = self._sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
        arns = [found["ModelPackageArn"] for page in pages for found in page["ModelPackageSummaryList"]]
        return [self._package(arn) for arn in arns]

    def _owner(self, arn: str) -> str:
        pages = self._sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
        tags = {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}
        return tags.get(OWNER_TAG, "")

    def _endpoint(self, found: EndpointSummaryTypeDef) -> Endpoint:
        owner = self._owner(found["EndpointArn"])
        return Endpoint(
            found["EndpointName"], found["EndpointStatus"], owner, owner == self.resources.deploy_function_name
        )

    def _package(self, arn: str) -> RegisteredPackage:
        described = self._sagemaker.describe_model_package(ModelPackageName=arn)
        metadata = described.get("CustomerMetadataProperties", {})
        mark = f":pipeline/{self.config.pipeline.name}/".lower()
        is_ours = mark in metadata.get("pipeline_execution_arn", "").lower()
        return RegisteredPackage(arn, is_ours, metadata.get("endpoint_name", ""))
