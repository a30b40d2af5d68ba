"""What Spark's Python workers do with a span of a file: they read it in blocks, and survey or split these."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import BinaryIO

from fold_assignment import ByNumber
from fold_bytes import are_rows, deal, hash_of_line, line_ends, sample
from fold_errors import FoldError
from fold_output import Written, staged_name
from fold_storage import Place, read_from

_BLOCK = 1 << 20
"""Bytes of a block: few enough that what is made of it stays in a core's cache."""

_LONGEST_LINE = 1 << 24


@dataclass(frozen=True)
class Span:
    """A piece of a file, to be read: the lines that begin within a range of its bytes.

    Attributes:
        file: its URI.
        start: the range's first byte.
        end: the byte after its last.
    """

    file: str
    start: int
    end: int


def blocks(span: Span, size: int = _BLOCK) -> Iterator[bytes]:
    """The lines of a span, in blocks of about so many bytes. The last line of a file gets the line break it lacks.

    Raises:
        FoldError: a line is too long to be held.
    """
    position = max(span.start - 1, 0)
    with read_from(span.file, position) as stream:

        def rest_of_line() -> bytes:
            rest = stream.readline(_LONGEST_LINE)
            if len(rest) == _LONGEST_LINE and not rest.endswith(b"\n"):
                raise FoldError(f"{span.file} has a line of more than {_LONGEST_LINE} bytes")
            return rest

        # A line that began before the span ends in it, or right before it.
        position += len(rest_of_line()) if span.start else 0
        while position < span.end:
            block = stream.read(min(size, span.end - position) - 1) + rest_of_line()
            if not block:
                return
            position += len(block)
            yield block if block.endswith(b"\n") else block + b"\n"


def survey(span: Span, header: bytes, columns: int, one_in: int) -> tuple[int, list[int]] | None:
    """Check the lines of a span.

    Args:
        span: where they are.
        header: the line that the file must begin with, its line break included; or nothing.
        columns: how many numbers a row has.
        one_in: a power of two: of how many rows to take one into the sample.

    Returns:
        how many rows there are, and hashes of those in the sample; None if some line is no row.
    """
    rows, hashes = 0, []
    try:
        for block in _without_header(span, header):
            ends = line_ends(block)
            if not are_rows(block, ends, columns):
                return None
            rows += len(ends)
            hashes += [hash_of_line(line) for line in sample(block, ends, one_in)]
    except FoldError:
        return None
    return rows, hashes


def write(work: Iterable[tuple[Span, int]], header: bytes, fold: ByNumber, output: Place, task: int) -> Written:
    """Write the rows of some spans into the folds' files of one task.

    Args:
        work: the spans, and for each the number that its first row has in the whole input.
        header: the line that each file begins with, or nothing.
        fold: which fold a row goes to.
        output: where the folds go.
        task: its number.
    """
    rows = size = 0
    with ExitStack() as opened:
        files: dict[int, BinaryIO] = {}
        for span, first in work:
            rows_of_span = 0
            for block in _without_header(span, header):
                ends = line_ends(block)
                folds = fold.of_rows(first + rows_of_span, len(ends))
                rows_of_span += len(ends)
                for own, text in enumerate(deal(block, ends, folds, fold.count), start=1):
                    if text and own not in files:
                        files[own] = opened.enter_context(output.writing(staged_name(own, task)))
                    if text:
                        size += files[own].write(text)
            rows += rows_of_span
    return Written(rows, size)


def _without_header(span: Span, header: bytes) -> Iterator[bytes]:
    for number, block in enumerate(blocks(span)):
        if number or span.start:
            yield block
        elif block.startswith(header):
            yield block[len(header) :]
        else:
            raise FoldError(f"{span.file} does not begin with the line {header.decode()!r}")
