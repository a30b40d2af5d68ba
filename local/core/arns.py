"""Amazon resource names, and names that the service makes up."""

from __future__ import annotations

import secrets
import string
from functools import cache

import botocore.session

from local.core.settings import ACCOUNT_ID

_ALPHABET = string.ascii_lowercase + string.digits


@cache
def partition(region: str) -> str:
    """Return the partition of a region, with which ARNs begin: ``aws``, ``aws-cn``, ``aws-us-gov``.

    Raises:
        botocore.exceptions.UnknownRegionError: no partition has such a region.
    """
    found: str = botocore.session.get_session().get_partition_for_region(region)
    return found


def arn(region: str, service: str, resource: str) -> str:
    """Return the ARN of a resource of the account, for example of service ``logs`` and resource ``log-group:x``."""
    return f"arn:{partition(region)}:{service}:{region}:{ACCOUNT_ID}:{resource}"


def sagemaker_prefix(region: str) -> str:
    """Return what the ARNs of all SageMaker resources begin with."""
    return arn(region, "sagemaker", "")


def sagemaker_arn(region: str, kind: str, name: str) -> str:
    """The ARN of a SageMaker resource, for example kind ``training-job``; names in ARNs are lower case."""
    return arn(region, "sagemaker", f"{kind}/{name.lower()}")


def random_suffix(length: int) -> str:
    """Random lower-case letters and digits, as in execution ids (12) and job names."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def resource_key(name_or_arn: str) -> str:
    """What a named resource's record is kept under: two names that differ in case only have the same ARN."""
    return name_or_arn.rpartition("/")[2].lower()
