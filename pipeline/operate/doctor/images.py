"""Checks whether the images of the definition's jobs exist in the region."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from pipeline.definition.resources import conventional_resources
from pipeline.operate.aws_errors import DENIED
from pipeline.operate.doctor.account import Account
from pipeline.operate.doctor.findings import Finding, State, attempt

_IMAGE = re.compile(r"(?P<registry>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.[a-z.]+/(?P<name>[^:]+):(?P<tag>.+)")
_KEYS = ("ImageUri", "TrainingImage")


def check_images(account: Account) -> Iterator[Finding]:
    """Build the definition, in which the SDK resolves the images, and ask ECR for each of them."""
    # Imported here, because the import of the SDK takes seconds and other checks do not need it.
    from pipeline.definition.pipeline import build_definition  # noqa: PLC0415

    try:
        definition = build_definition(account.config, conventional_resources(account.config))
    except (ValueError, KeyError) as error:  # the SDK's errors for an unknown image or region
        to_do = "use another aws.region, or a newer SageMaker SDK"
        yield Finding("images", State.FAILED, f"the SDK finds no image for {account.config.aws.region}: {error}", to_do)
        return
    for image in sorted(set(_images(definition))):
        subject = f"image: {image.rpartition('/')[2].partition(':')[0]}"
        if account.is_local:
            yield Finding(subject, State.UNKNOWN, f"{image}; the local service has no registry of AWS's images")
        else:
            yield from attempt(subject, partial(_in_registry, account, subject, image))


def _images(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key in _KEYS and isinstance(item, str):
                yield item
            else:
                yield from _images(item)
    elif isinstance(value, list):
        for item in value:
            yield from _images(item)


def _in_registry(account: Account, subject: str, image: str) -> Iterator[Finding]:
    parts = _IMAGE.fullmatch(image)
    if parts is None:
        yield Finding(subject, State.UNKNOWN, f"{image} is not in an ECR registry")
        return
    ecr = account.session.client("ecr", region_name=parts["region"])
    to_do = "use another aws.region, or a newer SageMaker SDK; 'make definition' shows the images that it chooses"
    try:
        answer = ecr.batch_get_image(
            registryId=parts["registry"], repositoryName=parts["name"], imageIds=[{"imageTag": parts["tag"]}]
        )
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "RepositoryNotFoundException":
            yield Finding(subject, State.FAILED, f"there is no repository for {image}", to_do)
            return
        if code in DENIED:
            to_do = "'make doctor' needs ecr:BatchGetImage; the jobs' role has this permission"
            yield Finding(subject, State.UNKNOWN, f"{image}; ECR denies your identity the answer", to_do)
            return
        raise
    if answer["images"]:
        yield Finding(subject, State.OK, image)
    else:
        yield Finding(subject, State.FAILED, f"there is no {image}", to_do)
