"""Waits until an endpoint serves what was deployed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from datetime import datetime

    from types_boto3_sagemaker import SageMakerClient
    from types_boto3_sagemaker.type_defs import DescribeEndpointOutputTypeDef

LATEST_TAG = "latest-deployment"
"""The deploying function's tag with the configuration that it deployed last."""

POLL_SECONDS = 0.25
MAX_POLL_SECONDS = 15.0
MAX_WAIT_SECONDS = 1800


class VerificationError(Exception):
    """The endpoint does not serve the selected model; the message says why."""

    def __init__(self, message: str, numbers: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.numbers = numbers or {}


class SupersededError(Exception):
    """Another deployment has replaced the one to verify."""


def wait_until_in_service(
    sagemaker: SageMakerClient, endpoint: str, endpoint_config: str, replaced_config: str | None = None
) -> datetime | None:
    """Wait for the endpoint, at most half an hour.

    Args:
        sagemaker: boto3's SageMaker client.
        endpoint: the endpoint's name.
        endpoint_config: the configuration that it should serve.
        replaced_config: the configuration that it served before; None if that is not known.

    Returns:
        When the endpoint was last changed.

    Raises:
        VerificationError: the endpoint failed, was rolled back, or is not ready in time.
        SupersededError: the endpoint serves what another call deployed later.
    """
    deadline, pause = time.monotonic() + MAX_WAIT_SECONDS, POLL_SECONDS
    while True:
        description = sagemaker.describe_endpoint(EndpointName=endpoint)
        status, serving = description["EndpointStatus"], description.get("EndpointConfigName")
        reason = description.get("FailureReason", "no reason given")
        if status == "InService" and serving == endpoint_config:
            return description.get("LastModifiedTime")
        if status == "InService":
            # A later deployment of what served before looks like a rollback, except for the tag.
            latest = _latest_deployment(sagemaker, description)
            if replaced_config not in (None, serving) or latest not in (None, endpoint_config):
                raise SupersededError(f"{endpoint} serves {serving}: it was deployed after {endpoint_config}")
            raise VerificationError(
                f"{endpoint} serves {serving} and not {endpoint_config}: it was rolled back: {reason}"
            )
        if status not in ("Creating", "Updating", "SystemUpdating", "RollingBack"):
            raise VerificationError(f"{endpoint} is {status}: {reason}")
        if time.monotonic() > deadline:
            raise VerificationError(f"{endpoint} is still {status} after {MAX_WAIT_SECONDS // 60} minutes")
        time.sleep(pause)
        pause = min(pause * 1.5, MAX_POLL_SECONDS)


def _latest_deployment(sagemaker: SageMakerClient, endpoint: DescribeEndpointOutputTypeDef) -> str | None:
    """Return the configuration that the deploying function asked for last; None if the endpoint does not say it."""
    try:
        pages = sagemaker.get_paginator("list_tags").paginate(ResourceArn=endpoint["EndpointArn"])
        tags = {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}
    except ClientError as error:
        # Roles made by an earlier version of infra/bootstrap.yaml may not list tags.
        if error.response["Error"]["Code"] not in ("AccessDenied", "AccessDeniedException"):
            raise
        print(f"the endpoint's tags were not read: {error}")
        return None
    return tags.get(LATEST_TAG)
