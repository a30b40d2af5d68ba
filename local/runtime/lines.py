"""Split a program's output into lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

LONGEST_LINE = 1024 * 1024 - 26
"""Maximum bytes per line. Longer lines are split, because an event of CloudWatch Logs has at most 1 MB with its 26
bytes of overhead.
Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
"""

_CONTINUATION, _CONTINUATION_MASK = 0b1000_0000, 0b1100_0000
"""Bytes of a UTF-8 character after its first: 10xxxxxx."""


def read_lines(chunks: Iterable[bytes]) -> Iterator[list[str]]:
    """Split a program's output into lines.

    Args:
        chunks: the program's output, as it arrives.

    Yields:
        Lists of new lines, without line breaks, as soon as they arrive. Undecodable bytes become U+FFFD.
    """
    rest: list[bytes] = []
    size = 0
    for chunk in chunks:
        rest.append(chunk)
        size += len(chunk)
        if b"\n" not in chunk and size <= LONGEST_LINE:
            continue
        # Joined only when there is something to yield. Otherwise a long line would take quadratic time.
        *lines, last = b"".join(rest).split(b"\n")
        *pieces, last = split_long(last)
        yield [_text(piece) for line in lines for piece in split_long(line)] + [_text(piece) for piece in pieces]
        rest, size = [last], len(last)
    if size:
        yield [_text(b"".join(rest))]


def split_long(line: bytes) -> list[bytes]:
    """Split a line into pieces of at most ``LONGEST_LINE`` bytes, between characters of UTF-8."""
    pieces, start = [], 0
    while len(line) - start > LONGEST_LINE:
        end = start + LONGEST_LINE
        # A character has at most four bytes. Other bytes are not text, and may be split anywhere.
        first = next((place for place in range(end, end - 4, -1) if not _continues(line[place])), end)
        pieces.append(line[start:first])
        start = first
    return [*pieces, line[start:]]


def _continues(byte: int) -> bool:
    return byte & _CONTINUATION_MASK == _CONTINUATION


def _text(line: bytes) -> str:
    return line.decode(errors="replace").rstrip("\r")
