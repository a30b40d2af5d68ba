"""Open and copy the sources of copy requests."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO
from urllib.parse import unquote

from local.api.s3.checksums import BodyDigests
from local.api.s3.conditions import check_copy_source
from local.api.s3.errors import invalid_argument, s3_error
from local.api.s3.files import ObjectFiles
from local.api.s3.requests import S3Request
from local.api.s3.sidecars import ObjectInfo
from local.core.errors import ServiceError

_BATCH = 1024 * 1024


def copy_range(file: IO[bytes], wanted: tuple[int, int], path: Path, digests: BodyDigests) -> None:
    """Copy a range of a file to a new file, and sync the new file to disk.

    Args:
        file: the source.
        wanted: the offset of the first byte and the number of bytes.
        path: the new file.
        digests: updated with the copied bytes.

    Raises:
        ServiceError: the source became shorter during the copy.
    """
    start, length = wanted
    file.seek(start)
    with path.open("xb") as copy:
        while length:
            if not (part := file.read(min(_BATCH, length))):
                raise s3_error("SlowDown", "The source object became shorter during the copy.")
            copy.write(part)
            digests.update(part)
            length -= len(part)
        copy.flush()
        os.fsync(copy.fileno())


def open_source(files: ObjectFiles, request: S3Request) -> tuple[IO[bytes], ObjectInfo]:
    """Open the source of a copy request.

    Returns:
        The open file and the object's properties.

    Raises:
        ServiceError: the source does not exist, or does not meet the request's conditions.
    """
    bucket, key = copy_source(request)
    try:
        file, info = files.open(bucket, key)
    except ServiceError as error:
        # The error is about the source, which the request's path does not name.
        error.details = {"NoSuchKey": {"Key": key}, "NoSuchBucket": {"BucketName": bucket}}.get(error.code, {})
        raise
    try:
        check_copy_source(request.headers, info)
    except BaseException:
        file.close()
        raise
    return file, info


def copy_source(request: S3Request) -> tuple[str, str]:
    """Return the bucket and the key of a copy request's source.

    Raises:
        ServiceError: InvalidArgument, the header ``x-amz-copy-source`` is malformed.
    """
    try:
        path, _, version = request.headers["x-amz-copy-source"].partition("?versionId=")
        text = unquote(path, errors="strict")
    except UnicodeDecodeError:
        raise invalid_argument("Copy Source is not UTF-8 text") from None
    bucket, _, key = text.removeprefix("/").partition("/")
    if not bucket or not key or version not in ("", "null"):
        raise invalid_argument("Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
    return bucket, key
