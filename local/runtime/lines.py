"""A program's output as lines, whatever it writes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import IO

LONGEST_LINE = 256 * 1024
"""Bytes of a line; a longer one is cut into several. An event of CloudWatch Logs had at most 256 KB until 2025.
Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
"""

_CHUNK = 1 << 16


def read_lines(stream: IO[bytes]) -> Iterator[list[str]]:
    """Read what a program writes until it ends.

    Args:
        stream: its output.

    Yields:
        As soon as there are any: lines without their line breaks. Undecodable bytes become U+FFFD.
    """
    rest: list[bytes] = []
    size = 0
    while chunk := os.read(stream.fileno(), _CHUNK):
        first, *others = chunk.split(b"\n")
        rest.append(first)
        size += len(first)
        if not others and size < LONGEST_LINE:
            continue
        *lines, last = [b"".join(rest), *others] if others else [b"".join(rest), b""]
        yield [_text(line) for line in lines]
        rest, size = [last], len(last)
    if size:
        yield [_text(b"".join(rest))]


def _text(line: bytes) -> str:
    return line.decode(errors="replace").rstrip("\r")
