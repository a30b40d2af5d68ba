"""Cuts the input into spans, and reads each span in blocks of whole lines."""

from __future__ import annotations

import bz2
import gzip
import math
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any, TypeVar

from folds.errors import FoldError
from folds.storage import read_from

_MEGABYTE = 1024**2
LONGEST_LINE = 16 * _MEGABYTE
SMALLEST_SPAN, LARGEST_SPAN, _SPANS = _MEGABYTE, 4 * _MEGABYTE, 512
_SMALL_TASK, ONE_TASK_BYTES, _MOST_TASKS = 64 * _MEGABYTE, 8 * _MEGABYTE, 64
_SPANS_OF_TASK = 256

_OPENERS: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open}
COMPRESSED = tuple(_OPENERS)
_UNREADABLE = (".deflate", ".lz4", ".snappy", ".zst", ".xz", ".zip")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

Item = TypeVar("Item")


@dataclass(frozen=True)
class Span:
    """A part of a file: the lines that begin within a range of its bytes.

    Attributes:
        file: the file's URI.
        start: the range's first byte.
        end: the byte after the range's last.
        across_lines: whether quoted fields may contain line breaks; then the span is the whole file.
    """

    file: str
    start: int
    end: int
    across_lines: bool = False


def spans_of(sizes: Mapping[str, int]) -> list[Span]:
    """Cut files into spans, in the order of their URIs. A compressed file is one span.

    Spans depend only on the files' sizes. They are small, so that a task can mix rows from many places.

    Args:
        sizes: the files' sizes in bytes, by URI.

    Raises:
        FoldError: a file is compressed in a form that cannot be read.
    """
    for file in sizes:
        if file.endswith(_UNREADABLE):
            raise FoldError(f"{file} is compressed in a form that is not read: use {' or '.join(COMPRESSED)}")
    length = max(SMALLEST_SPAN, min(LARGEST_SPAN, sum(sizes.values()) // _SPANS))
    return [
        Span(file, start, min(start + step, size))
        for file, size in sorted(sizes.items())
        for step in [size if file.endswith(COMPRESSED) else length]
        for start in range(0, size, step or 1)
    ]


def task_count(total: int, spans: int, largest: int) -> int:
    """Return the number of tasks. It does not depend on the cluster, because each task writes its own files.

    Args:
        total: the input's size in bytes.
        spans: the number of spans.
        largest: the maximum size of a task's input, in bytes.
    """
    wide = 1 if total <= ONE_TASK_BYTES else min(_MOST_TASKS, 4 * math.ceil(total / (4 * _SMALL_TASK)))
    return max(1, min(spans, max(wide, math.ceil(total / largest), min(_MOST_TASKS, spans // _SPANS_OF_TASK))))


def shared(items: Iterable[tuple[Item, int]], tasks: int) -> list[list[Item]]:
    """Cut weighted items into at most as many consecutive runs as there are tasks, of about equal weight."""
    weighed = list(items)
    total = sum(weight for _, weight in weighed) or 1
    runs: dict[int, list[Item]] = {}
    before = 0
    for item, weight in weighed:
        runs.setdefault(min(tasks - 1, (2 * before + weight) * tasks // (2 * total)), []).append(item)
        before += weight
    return [runs[number] for number in sorted(runs)]


def blocks(span: Span, size: int) -> Iterator[bytes]:
    r"""Yield the lines of a span in blocks of about the given size, each line ended by ``\n``.

    Raises:
        FoldError: a line is too long, or a compressed file is damaged.
    """
    try:
        for number, block in enumerate(_raw_blocks(span, size)):
            text = block if block.endswith(b"\n") else block + b"\n"
            if not number and not span.start:
                text = text.removeprefix(_BYTE_ORDER_MARK)
            if b"\r" in text:
                text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            yield text
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FoldError(f"{span.file} is damaged: {error}") from None


def _raw_blocks(span: Span, size: int) -> Iterator[bytes]:
    position = max(span.start - 1, 0)
    with _opened(span, position) as stream:

        def rest_of_line() -> bytes:
            rest = stream.readline(LONGEST_LINE)
            if len(rest) == LONGEST_LINE and not rest.endswith(b"\n"):
                raise FoldError(f"{span.file} has a line of more than {LONGEST_LINE} bytes")
            return rest

        # The line that began before the span belongs to the previous span.
        position += len(rest_of_line()) if span.start else 0
        end = math.inf if span.file.endswith(COMPRESSED) else span.end
        while position < end:
            block = stream.read(int(min(size, end - position)) - 1) + rest_of_line()
            if not block:
                return
            position += len(block)
            yield block


def _opened(span: Span, position: int) -> IO[bytes]:
    stream = read_from(span.file, position, span.end)
    for ending, opener in _OPENERS.items():
        if span.file.endswith(ending):
            opened: IO[bytes] = opener(stream)
            return opened
    return stream
