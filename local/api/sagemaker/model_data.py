"""Where a container's ``model.tar.gz`` is.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

from local.core.errors import ServiceError, not_implemented, validation_error

_HOST = re.compile(r"(?:(?P<bucket>.+)\.)?s3(?:[.-](?P<region>[a-z]{2}(?:-[a-z]+)+-\d+))?\.amazonaws\.com(?:\.cn)?")


def model_data(container: dict[str, Any], region: str) -> str | None:
    """Return the S3 URI of a container's ``model.tar.gz``, or None if the container has none.

    Args:
        container: A container's definition.
        region: The service's region.

    Raises:
        ServiceError: ValidationException, the URL is not of an object in S3 in this region; NotImplementedException,
            the data are not one gzipped object, or ModelDataUrl and ModelDataSource name two.
    """
    source = container.get("ModelDataSource", {}).get("S3DataSource")
    if source is None:
        url = container.get("ModelDataUrl")
        return None if url is None else s3_uri(url, region)
    if source.get("S3DataType") != "S3Object" or source.get("CompressionType") != "Gzip":
        raise not_implemented("sagemaker", "CreateModel with a ModelDataSource other than a gzipped S3Object")
    found = s3_uri(source["S3Uri"], region)
    if "ModelDataUrl" in container and s3_uri(container["ModelDataUrl"], region) != found:
        raise not_implemented("sagemaker", "CreateModel with a ModelDataUrl other than that of its ModelDataSource")
    return found


def s3_uri(url: str, region: str) -> str:
    """Return an S3 URI for itself or for an ``https`` URL of S3, with the bucket in its path or in its host.

    Raises:
        ServiceError: ValidationException, the URL is not of an object in S3 in this region.
    """
    if not url.startswith("https://"):
        return url
    parts = urlsplit(url)
    match = _HOST.fullmatch(parts.netloc)
    if match is None or parts.query or parts.fragment or match["region"] not in (None, region):
        raise missing(url)
    path = unquote(parts.path).removeprefix("/")
    bucket, key = (match["bucket"], path) if match["bucket"] else path.partition("/")[::2]
    if not bucket or not key:
        raise missing(url)
    return f"s3://{bucket}/{key}"


def check_urls(request: dict[str, Any], region: str) -> None:
    """Check the ``https`` URLs of a model package's containers.

    Raises:
        ServiceError: ValidationException, a URL is not of an object in S3 in this region.
    """
    for container in _containers(request):
        if "ModelDataUrl" in container:
            s3_uri(container["ModelDataUrl"], region)


def missing(url: str) -> ServiceError:
    """Return the error for a URL without model data."""
    return validation_error(f"Could not find model data at {url}.")


def _containers(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    specifications = [
        request.get("InferenceSpecification") or {},
        *(request.get("AdditionalInferenceSpecifications") or []),
        *(request.get("AdditionalInferenceSpecificationsToAdd") or []),
    ]
    for specification in specifications:
        yield from specification.get("Containers") or []
