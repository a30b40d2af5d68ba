"""Reads objects from S3: small ones whole, of large ones evenly spread pieces."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from pipeline.report.parts import MissingError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PIECES, PIECE_BYTES = 64, 1 << 17
"""Of objects with more than 64 times 128 KiB, that much is read: a fifth of a million rows with predictions."""

_THREADS = 16


def read_object(s3: S3Client, uri: str) -> bytes:
    """Return an object's content.

    Raises:
        MissingError: it is not there.
    """
    place = urlsplit(uri)
    try:
        return s3.get_object(Bucket=place.netloc, Key=place.path.lstrip("/"))["Body"].read()
    except ClientError as error:
        raise _missing(error, uri) from error


def read_lines(s3: S3Client, uri: str) -> list[bytes]:
    """Return the lines of a text after the first; of a large one, those of pieces that are evenly spread.

    Raises:
        MissingError: the object is not there.
    """
    place = urlsplit(uri)
    bucket, key = place.netloc, place.path.lstrip("/")
    try:
        size = s3.head_object(Bucket=bucket, Key=key)["ContentLength"]
    except ClientError as error:
        raise _missing(error, uri) from error
    if size <= PIECES * PIECE_BYTES:
        return read_object(s3, uri).splitlines()[1:]

    def piece(number: int) -> list[bytes]:
        start = number * (size - PIECE_BYTES) // (PIECES - 1)
        asked = f"bytes={start}-{start + PIECE_BYTES - 1}"
        text = s3.get_object(Bucket=bucket, Key=key, Range=asked)["Body"].read()
        # The first line and the last are rarely whole.
        return text.split(b"\n")[1:-1]

    with ThreadPoolExecutor(_THREADS) as pool:
        return [line for lines in pool.map(piece, range(PIECES)) for line in lines]


def _missing(error: ClientError, uri: str) -> Exception:
    if error.response["Error"]["Code"] not in ("NoSuchKey", "NoSuchBucket", "404"):
        return error
    return MissingError(f"{uri} is not there: it was deleted, or an earlier version of this project wrote the results.")
