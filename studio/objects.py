"""Reads buckets, folders and objects of S3."""

from __future__ import annotations

import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from studio.aws import Aws
from studio.definitions import Document
from studio.faults import PageError

PAGE = 100
"""Folders and objects on a page."""

_BUCKETS = 200
_PIPELINES = 20
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]")
_IN_DEFINITION = re.compile(r"s3://([a-z0-9][a-z0-9.\-]{1,61}[a-z0-9])(?=[/\"\\])")


@dataclass(frozen=True)
class Folder:
    """A page of a folder. S3 has no folders: they are what keys share up to a slash.

    Attributes:
        folders: prefixes that end with a slash, in S3's order.
        objects: what AWS says of each object.
        next_token: asks AWS for the page after it; empty on the last.
    """

    folders: list[str]
    objects: list[Document]
    next_token: str


def split_uri(uri: str) -> tuple[str, str]:
    """Return the bucket and the key of an S3 URI.

    Raises:
        PageError: it is not one.
    """
    # No URL parser: "?", "#" and "%" are ordinary characters of a key.
    scheme, _, rest = uri.strip().partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not _BUCKET.fullmatch(bucket):
        raise PageError("This is not an S3 URI", f"{uri!r} does not look like s3://bucket/key.", 400)
    return bucket, key


def list_buckets(aws: Aws, token: str = "") -> tuple[list[Document], str]:
    """Return a page of the buckets that the identity may list, and the token of the next page."""
    more: Any = {"ContinuationToken": token} if token else {}
    answer = aws.client("s3").list_buckets(MaxBuckets=_BUCKETS, **more)
    return answer.get("Buckets", []), answer.get("ContinuationToken", "")


def buckets_of_pipelines(aws: Aws) -> dict[str, list[str]]:
    """Return the buckets that the definitions of the latest pipelines name, with the names of these pipelines."""
    listed = aws.sagemaker.list_pipelines(SortBy="CreationTime", SortOrder="Descending", MaxResults=_PIPELINES)
    names = [each["PipelineName"] for each in listed.get("PipelineSummaries", [])]
    with ThreadPoolExecutor(8) as pool:
        texts = pool.map(lambda name: aws.sagemaker.describe_pipeline(PipelineName=name)["PipelineDefinition"], names)
        return _users(zip(names, texts, strict=True))


def _users(definitions: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, text in definitions:
        for bucket in sorted(set(_IN_DEFINITION.findall(text))):
            found.setdefault(bucket, []).append(name)
    return found


def read_folder(aws: Aws, bucket: str, prefix: str, token: str = "") -> Folder:
    """Return a page of what is in a folder, or of what starts with a prefix. It is one call."""
    more: Any = {"ContinuationToken": token} if token else {}
    answer = aws.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix, Delimiter="/", MaxKeys=PAGE, **more)
    return Folder(
        [each["Prefix"] for each in answer.get("CommonPrefixes", [])],
        answer.get("Contents", []),
        answer.get("NextContinuationToken", ""),
    )


def is_object(aws: Aws, bucket: str, key: str) -> bool:
    """Return whether there is an object with exactly this key. It is one call, which needs the right to list."""
    # The key itself comes first in the order of keys.
    answer = aws.client("s3").list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)
    return any(each["Key"] == key for each in answer.get("Contents", []))


def describe_object(aws: Aws, bucket: str, key: str) -> Document:
    """Return what AWS says of an object."""
    found: Document = aws.client("s3").head_object(Bucket=bucket, Key=key)
    return {name: value for name, value in found.items() if name != "ResponseMetadata"}


def read_start(aws: Aws, bucket: str, key: str, most: int) -> bytes:
    """Return the first bytes of an object that is not empty."""
    answer = aws.client("s3").get_object(Bucket=bucket, Key=key, Range=f"bytes=0-{most - 1}")
    content: bytes = answer["Body"].read()
    return content
