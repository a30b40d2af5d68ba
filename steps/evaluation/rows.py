"""Reads the rows of the folds from S3, a block at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

Numbers = npt.NDArray[np.float64]

_BLOCK = 1 << 22
"""The bytes that are parsed at once: a hundred megabytes of memory."""


@dataclass(frozen=True)
class Block:
    """Rows of a fold.

    Attributes:
        table: labels and features, of shape (rows, 1 + features).
        lines: the rows' text, label first.
    """

    table: Numbers
    lines: list[bytes]

    @property
    def labels(self) -> Numbers:
        """The labels, of shape (rows,)."""
        return self.table[:, 0]

    @property
    def features(self) -> Numbers:
        """The features, of shape (rows, features)."""
        return self.table[:, 1:]


def fold_blocks(s3: S3Client, folds_uri: str, fold: int) -> Iterator[Block]:
    """Yield the rows of a fold's test set, in the order of the files' names."""
    return map(_parsed, _texts(s3, f"{folds_uri.rstrip('/')}/vc{fold}/test/"))


def fold_lines(s3: S3Client, folds_uri: str, folds: list[int], every: int) -> Iterator[bytes]:
    """Yield every n-th row of the folds' test sets, the label first."""
    number = 0
    for fold in folds:
        for text in _texts(s3, f"{folds_uri.rstrip('/')}/vc{fold}/test/"):
            for line in text.split(b"\n"):
                if number % every == 0:
                    yield line
                number += 1


def _texts(s3: S3Client, prefix: str) -> Iterator[bytes]:
    """Yield whole lines, without the last line break."""
    bucket, _, begin = prefix.removeprefix("s3://").partition("/")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=begin)
    for page in pages:
        for item in page.get("Contents", []):
            body = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"]
            rest = b""
            for chunk in body.iter_chunks(_BLOCK):
                whole, _, rest = (rest + chunk).rpartition(b"\n")
                if whole:
                    yield whole
            if rest:
                yield rest


def _parsed(text: bytes) -> Block:
    lines = text.split(b"\n")
    return Block(np.array(text.replace(b"\n", b",").split(b","), np.float64).reshape(len(lines), -1), lines)
