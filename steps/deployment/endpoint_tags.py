"""The endpoint's tags, which keep what later calls must know.

Three of them keep its state: the last good configuration, the one that failed its verification, and the package that
waits. A fourth one names the configuration that a call asked for last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployment.served_models import find_endpoint, pending_config

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient
    from types_boto3_sagemaker.type_defs import DescribeEndpointOutputTypeDef

OWNER_TAG = "deployed-by"
GOOD_TAG = "last-known-good"
FAILED_TAG = "failed-verification"
WAITING_TAG = "waiting-model-package"
LATEST_TAG = "latest-deployment"
"""Names what a call deploys. It stops other calls' clean-up, and lets verify_endpoint.py tell a rollback from a later
deployment of what served before."""


class EndpointTags:
    """Reads and writes the tags of endpoints."""

    def __init__(self, sagemaker: SageMakerClient) -> None:
        self._sagemaker = sagemaker

    def read(self, endpoint: DescribeEndpointOutputTypeDef) -> dict[str, str]:
        """Return an endpoint's tags."""
        pages = self._sagemaker.get_paginator("list_tags").paginate(ResourceArn=endpoint["EndpointArn"])
        return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}

    def write(self, endpoint: DescribeEndpointOutputTypeDef, key: str, value: str) -> None:
        """Give an endpoint a tag."""
        self._sagemaker.add_tags(ResourceArn=endpoint["EndpointArn"], Tags=[{"Key": key, "Value": value}])

    def remember(self, endpoint: DescribeEndpointOutputTypeDef, coming: str) -> None:
        """Tag an endpoint under update with its last good configuration, and remove the tags of older packages."""
        served, failed = endpoint["EndpointConfigName"], self.read(endpoint).get(FAILED_TAG)
        if endpoint["EndpointStatus"] == "InService" and served not in (failed, coming):
            self.write(endpoint, GOOD_TAG, served)
        past = [WAITING_TAG, FAILED_TAG] if failed == coming else [WAITING_TAG]
        self._sagemaker.delete_tags(ResourceArn=endpoint["EndpointArn"], TagKeys=past)

    def wait_no_more(self, endpoint: DescribeEndpointOutputTypeDef, model_package_arn: str) -> None:
        """Remove the tag of a waiting package, unless another package waits by now."""
        if self.read(endpoint).get(WAITING_TAG) == model_package_arn:
            self._sagemaker.delete_tags(ResourceArn=endpoint["EndpointArn"], TagKeys=[WAITING_TAG])

    def kept(self, endpoint: DescribeEndpointOutputTypeDef | None) -> set[str]:
        """Return the configurations to which the endpoint may be rolled back."""
        if endpoint is None:
            return set()
        return {endpoint["EndpointConfigName"], self.read(endpoint).get(GOOD_TAG, "")}

    def is_latest(self, endpoint_name: str, name: str) -> bool:
        """Return whether no other call has begun to deploy since the one that deploys a configuration."""
        endpoint = find_endpoint(self._sagemaker, endpoint_name)
        if endpoint is None or pending_config(endpoint) != name:
            return False
        return self.read(endpoint).get(LATEST_TAG) == name
