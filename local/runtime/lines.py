"""Split a program's output into lines."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import IO

LONGEST_LINE = 256 * 1024
"""Maximum bytes per line. Longer lines are split. CloudWatch Logs limited events to 256 KB until 2025.
Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
"""

_CHUNK = 1 << 16


def read_lines(stream: IO[bytes]) -> Iterator[list[str]]:
    """Read a program's output until it ends.

    Args:
        stream: the program's output.

    Yields:
        Lists of new lines, without line breaks, as soon as they arrive. Undecodable bytes become U+FFFD.
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
