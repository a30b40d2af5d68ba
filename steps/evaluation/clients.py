"""boto3's clients, in the region of the job."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from evaluation.errors import NoRegionError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_sagemaker import SageMakerClient
    from types_boto3_sagemaker_runtime import SageMakerRuntimeClient

_RETRIES = Config(retries={"mode": "standard", "max_attempts": 10})
"""Several executions may read their jobs at once, and SageMaker then throttles: the default is three attempts."""


@dataclass(frozen=True)
class Clients:
    """boto3's clients of the services that the steps use."""

    sagemaker: SageMakerClient
    s3: S3Client
    runtime: SageMakerRuntimeClient


def aws_clients() -> Clients:
    """Return the clients. SageMaker's containers have AWS_REGION; boto3 itself reads AWS_DEFAULT_REGION only.

    Raises:
        NoRegionError: neither variable is set.
    """
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not region:
        raise NoRegionError("no AWS region: set the environment variable AWS_REGION or AWS_DEFAULT_REGION")
    return Clients(
        boto3.client("sagemaker", region_name=region, config=_RETRIES),
        boto3.client("s3", region_name=region, config=_RETRIES),
        boto3.client("sagemaker-runtime", region_name=region, config=_RETRIES),
    )
