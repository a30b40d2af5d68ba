"""Amazon resource names, and names that the service makes up."""

from __future__ import annotations

import secrets
import string

from local.settings import ACCOUNT_ID

_ALPHABET = string.ascii_lowercase + string.digits


def sagemaker_arn(region: str, kind: str, name: str) -> str:
    """The ARN of a SageMaker resource, for example kind ``training-job``; names in ARNs are lower case."""
    return f"arn:aws:sagemaker:{region}:{ACCOUNT_ID}:{kind}/{name.lower()}"


def random_suffix(length: int) -> str:
    """Random lower-case letters and digits, as in execution ids (12) and job names."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def resource_key(name_or_arn: str) -> str:
    """What a named resource's record is kept under: two names that differ in case only have the same ARN."""
    return name_or_arn.rpartition("/")[2].lower()
