"""Reads objects from S3: small ones whole, of large ones evenly spread pieces."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from pipeline.operate.aws_errors import is_gone
from pipeline.report.parts import MissingError
from pipeline.s3_uris import split_uri

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import GetObjectOutputTypeDef

PIECES, PIECE_BYTES = 64, 1 << 17
"""Of objects with more than 64 times 128 KiB, that much is read: a fifth of a million rows with predictions."""

_THREADS = 16


def read_object(s3: S3Client, uri: str) -> bytes:
    """Return an object's content.

    Raises:
        MissingError: it is not there.
    """
    return _get(s3, uri)["Body"].read()


def read_lines(s3: S3Client, uri: str) -> list[bytes]:
    """Return the lines of a text after the first; of a large one, those of pieces that are evenly spread.

    Raises:
        MissingError: the object is not there, or has no such line.
    """
    lines = _lines(s3, uri)
    if not lines:
        raise MissingError(f"{uri} has no rows.")
    return lines


def _lines(s3: S3Client, uri: str) -> list[bytes]:
    beginning = _get(s3, uri, Range=_range(0, PIECES * PIECE_BYTES))
    size = int(beginning["ContentRange"].rpartition("/")[2])
    if size <= PIECES * PIECE_BYTES:
        return beginning["Body"].read().splitlines()[1:]
    beginning["Body"].close()

    def piece(number: int) -> list[bytes]:
        start = number * (size - PIECE_BYTES) // (PIECES - 1)
        text = _get(s3, uri, Range=_range(start, PIECE_BYTES))["Body"].read()
        # The first line and the last are rarely whole.
        return text.split(b"\n")[1:-1]

    with ThreadPoolExecutor(_THREADS) as pool:
        return [line for lines in pool.map(piece, range(PIECES)) for line in lines]


def _range(start: int, length: int) -> str:
    return f"bytes={start}-{start + length - 1}"


def _get(s3: S3Client, uri: str, **options: str) -> GetObjectOutputTypeDef:
    bucket, key = split_uri(uri)
    try:
        return s3.get_object(Bucket=bucket, Key=key, **options)  # type: ignore[arg-type]
    except ClientError as error:
        if not is_gone(error):
            raise
        raise MissingError(
            f"{uri} is not there: it was deleted, or an earlier version of this project wrote the results."
        ) from error
