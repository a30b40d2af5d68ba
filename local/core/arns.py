"""Amazon Resource Names (ARNs), record keys and generated names."""

from __future__ import annotations

import secrets
import string
from functools import lru_cache

import botocore.session

from local.core.settings import ACCESS_KEY, ACCOUNT_ID

_ALPHABET = string.ascii_lowercase + string.digits


@lru_cache(maxsize=256)
def partition(region: str) -> str:
    """Return the partition of a region: ``aws``, ``aws-cn`` or ``aws-us-gov``, for example.

    Raises:
        botocore.exceptions.UnknownRegionError: No partition has this region.
    """
    found: str = botocore.session.get_session().get_partition_for_region(region)
    return found


def arn(region: str, service: str, resource: str) -> str:
    """Return the ARN of a resource of the account, for example of service ``logs`` and resource ``log-group:x``."""
    return f"arn:{partition(region)}:{service}:{region}:{ACCOUNT_ID}:{resource}"


def sagemaker_prefix(region: str) -> str:
    """Return the common prefix of all SageMaker ARNs in a region."""
    return arn(region, "sagemaker", "")


def sagemaker_arn(region: str, kind: str, name: str) -> str:
    """Return the ARN of a SageMaker resource, for example of kind ``training-job``.

    The name keeps its case, as in SageMaker since the end of 2022. Records of earlier versions of this service have
    ARNs in lower case: take a resource's ARN from its record.
    Source: https://github.com/aws/sagemaker-experiments/pull/172
    """
    return arn(region, "sagemaker", f"{kind}/{name}")


def random_suffix(length: int) -> str:
    """Return random lower-case letters and digits, for example for an execution id (12) or a job name."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def resource_key(name_or_arn: str) -> str:
    """Return the key of a named resource's record.

    The key is lower case, because two names must differ in more than case.
    """
    return name_or_arn.rpartition("/")[2].lower()


def owner(region: str) -> str:
    """Return the ARN of the identity that the folder's own key has: a user who may do everything."""
    return f"arn:{partition(region)}:iam::{ACCOUNT_ID}:user/{ACCESS_KEY}"


def assumed_role(role_arn: str, session: str) -> str:
    """Return the ARN of the identity that a service has when it assumes a role.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html

    Args:
        role_arn: The ARN of the role, which may have a path.
        session: The session's name. SageMaker's jobs have ``SageMaker``, functions have their own name.
    """
    _, arn_partition, _, _, account, resource = role_arn.split(":", 5)
    return f"arn:{arn_partition}:sts::{account}:assumed-role/{resource.rpartition('/')[2]}/{session}"
