"""The region of requests: the services here are in one region, that of the local service."""

from __future__ import annotations

from botocore.exceptions import UnknownRegionError

from local.aws.refusals import Fault, SignatureError
from local.aws.sigv4 import Signature
from local.core.arns import partition

_GLOBAL_REGION = "us-east-1"
_WITHOUT_REGIONS = {"iam"}
"""The services here without regions. Clients sign for their own region if their endpoint is given, as here."""


def check_region(signature: Signature, region: str) -> None:
    """Refuse a request for a service in another region. S3 has rules of its own.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html

    Args:
        signature: The request's signature.
        region: The local service's region.

    Raises:
        SignatureError: The request is signed for another region.
    """
    if signature.region == region:
        return
    if signature.service in _WITHOUT_REGIONS and _partition(signature.region) == partition(region):
        return
    if signature.service == "sts" and is_for_global_endpoint(signature, region):
        return
    message = f"Credential should be scoped to a valid region, not {signature.region!r}. {region_hint(region)}"
    raise SignatureError(Fault.WRONG, message)


def is_for_global_endpoint(signature: Signature, region: str) -> bool:
    """Return whether a request to STS or S3 may be for the global endpoint, which is signed for as us-east-1.

    Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-sts-regionalized-endpoints.html

    Args:
        signature: The request's signature.
        region: The local service's region.
    """
    return signature.region == _GLOBAL_REGION and partition(region) == partition(_GLOBAL_REGION)


def region_hint(region: str) -> str:
    """Return what to do about a request for another region."""
    return (
        f"(The local service has one region, {region!r}: give it to the client as region_name or AWS_DEFAULT_REGION."
        " 'make local' serves the region aws.region of config.yaml.)"
    )


def _partition(region: str) -> str | None:
    try:
        return partition(region)
    except UnknownRegionError:
        return None
