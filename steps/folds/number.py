"""The counting pass: how many rows each span has, so that each has a number, and what is wrong with other lines."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from folds.errors import FoldError, name_under, shortened
from folds.judge import (
    UNKNOWN,
    HeaderMissingError,
    Judge,
    Judged,
    Known,
    QuotedAcrossLinesError,
    Rejected,
    Table,
    Verdict,
)
from folds.plain import lengths, line_ends
from folds.spans import COMPRESSED, Span, shared

Item = TypeVar("Item")
Result = TypeVar("Result")


class Distribute(Protocol):
    """Calls a function with each of some items, on whatever machines, and returns the results in order."""

    def __call__(self, work: Callable[[Item], Result], items: Sequence[Item], /) -> list[Result]:
        """Return the results of the work on each item, in the order of the items."""
        ...


_COMPARED = 1 << 17
"""About as many rows are all compared with each other to count duplicates; of more rows, a sample is."""

_SAMPLED = 1 << 14
"""About as many rows are in the sample."""

_SURE = 5
"""Standard deviations by which a sample has to fall short of what is expected of rows that all differ."""

_OFFENDERS = 10
"""Rejected lines that an error shows."""

_COMPRESSION = 10
"""Compressed files are taken to hold this many times their size."""

_WORD = 8
_LONG = 512
"""Bytes up to which lines are hashed all at once, word by word; longer ones are few in a block."""

_ODD = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(0x165667B19E3779F9)


@dataclass
class Counted:
    """What a span holds.

    Attributes:
        span: the span.
        rows: usable lines.
        known: what may be taken for granted when the span is read again.
        lines: all lines, the header included.
        blank: lines that hold nothing.
        by_verdict: rejected lines by what is wrong with them.
        first_rejected: the first of them, their numbers counted from the span's first line, which is 0.
        sampled: hashes of the rows in the sample.
        keys: of each row its label, or a hash of its group, if they are asked for.
        fault: why the span could not be read.
    """

    span: Span
    rows: int = 0
    known: Known = UNKNOWN
    lines: int = 0
    blank: int = 0
    by_verdict: Counter[Verdict] = field(default_factory=Counter)
    first_rejected: list[Rejected] = field(default_factory=list)
    sampled: list[int] = field(default_factory=list)
    keys: npt.NDArray[Any] | None = None
    fault: type[Exception] | None = None


@dataclass(frozen=True)
class Survey:
    """What the counting pass found.

    Attributes:
        spans: all spans, in the order of the files' URIs and of the places in the files.
        duplicates: rows whose text another row has already.
        compared_all: whether ``duplicates`` is exact; else it is estimated from a sample of the rows.
    """

    spans: Sequence[Counted]
    duplicates: int
    compared_all: bool

    @property
    def rows(self) -> int:
        """Lines that can be used."""
        return sum(span.rows for span in self.spans)

    @property
    def blank(self) -> int:
        """Lines that hold nothing."""
        return sum(span.blank for span in self.spans)

    @property
    def rejected(self) -> dict[Verdict, int]:
        """Rejected lines by what is wrong with them, the most frequent fault first."""
        total: Counter[Verdict] = sum((span.by_verdict for span in self.spans), Counter())
        return dict(total.most_common())

    @property
    def keys(self) -> npt.NDArray[Any]:
        """The label, or a hash of the group, of each row."""
        return np.concatenate([span.keys for span in self.spans if span.keys is not None])

    def first_lines(self) -> list[int]:
        """For each span, how many lines of its file stand before it."""
        before: Counter[str] = Counter()
        first = []
        for counted in self.spans:
            first.append(before[counted.span.file])
            before[counted.span.file] += counted.lines
        return first

    def first_offenders(self) -> Iterator[tuple[str, Rejected]]:
        """Return the first rejected lines: the file of each, and the line with its number in the file, from 1."""
        offenders = (
            (counted.span.file, replace(rejected, line=first + rejected.line + 1))
            for counted, first in zip(self.spans, self.first_lines(), strict=True)
            for rejected in counted.first_rejected
        )
        return islice(offenders, _OFFENDERS)


def take_survey(  # noqa: PLR0913 - what is read, how it is read, and who reads it
    spans: Sequence[Span], table: Table, *, every: int, source: str, tasks: int, distribute: Distribute
) -> Survey:
    """Count the rows of all spans.

    A file in which a quoted field turns out to hold a line break is read again, from end to end.

    Args:
        spans: of all files.
        table: what is known of the dataset.
        every: of how many rows to compare one with others: a power of two.
        source: the input, as the user names it.
        tasks: how many share the spans.
        distribute: hands them out.

    Raises:
        FoldError: a file does not begin with the header of the others.
    """

    def survey(wanted: Sequence[Span]) -> list[Counted]:
        shares = shared(((span, span.end - span.start) for span in wanted), tasks)
        found = distribute(partial(_count_task, table, every), shares)
        return [counted for of_task in found for counted in of_task]

    counts = survey(spans)
    again = {counted.span.file for counted in counts if counted.fault is QuotedAcrossLinesError}
    if again:
        ends = {span.file: span.end for span in spans}
        counts = [counted for counted in counts if counted.span.file not in again]
        counts += survey([Span(file, 0, ends[file], across_lines=True) for file in sorted(again)])
        counts.sort(key=lambda counted: (counted.span.file, counted.span.start))
    for counted in counts:
        if counted.fault is HeaderMissingError:
            raise FoldError(
                f"{name_under(source, counted.span.file)}: its first line is not {shortened(str(table.header))}, "
                "the header of another file. Every file must begin with the same header, or none with any"
            )
    return _survey_of(counts, every)


def one_in(sizes: Mapping[str, int], lines: Sequence[str]) -> int:
    """Return of how many rows one is compared with others: 1 for few rows, else the power of two that makes a sample.

    Args:
        sizes: bytes of each input file, by URI.
        lines: some, from whose length the number of rows is estimated.
    """
    text = sum(size * (_COMPRESSION if name.endswith(COMPRESSED) else 1) for name, size in sizes.items())
    rows = text * len(lines) // sum(len(line) + 1 for line in lines) if lines else 0
    return 1 if rows <= _COMPARED else 1 << (rows // _SAMPLED).bit_length()


def _count_task(table: Table, every: int, spans: Sequence[Span]) -> list[Counted]:
    judge = Judge(table)
    return [_count(span, judge, table, every) for span in spans]


def _count(span: Span, judge: Judge, table: Table, every: int) -> Counted:
    counted = Counted(span, lines=1 if table.header is not None and not span.start else 0)
    keys, plain = [], True
    try:
        for judged in judge.read(span):
            room = _OFFENDERS - len(counted.first_rejected)
            counted.first_rejected += [
                replace(rejected, line=counted.lines + rejected.line) for rejected in judged.rejected[:room]
            ]
            counted.by_verdict.update(rejected.verdict for rejected in judged.rejected)
            counted.rows += judged.rows
            counted.lines += judged.lines
            counted.blank += judged.blank
            ends = line_ends(judged.raw) if judged.ends is None else judged.ends
            counted.sampled += [hash_of_text(line) for line in sample(judged.raw, ends, every)]
            plain = plain and judged.columns is None
            if table.by_column and judged.rows:
                keys.append(_keys(judge, judged, table))
    except (HeaderMissingError, QuotedAcrossLinesError) as error:
        return Counted(span, fault=type(error))
    all_rows = not counted.blank and not counted.by_verdict
    counted.known = Known(all_rows, plain and all_rows)
    if keys:
        counted.keys = np.concatenate(keys)
    return counted


def _keys(judge: Judge, judged: Judged, table: Table) -> npt.NDArray[Any]:
    if table.columns.declared.groups is None:
        return judge.labels(judged)
    groups = judge.groups(judged)
    hashes = {group: hash_of_text(group.encode("utf-8", "surrogateescape")) for group in set(groups)}
    return np.fromiter(map(hashes.__getitem__, groups), np.uint64, judged.rows)


def _survey_of(spans: Sequence[Counted], every: int) -> Survey:
    """Return the survey of spans of which a sample of rows was compared.

    Copies of a row are sampled together or not at all. If a dominant row is missed, too few distinct rows appear, each
    of which stands for ``every``; that shortfall is counted as duplicates.
    """
    rows = sum(span.rows for span in spans)
    compared = sum(len(span.sampled) for span in spans)
    distinct = len(set().union(*(span.sampled for span in spans)))
    duplicates = every * (compared - distinct)
    missing = rows - every * distinct
    # The number of distinct rows in the sample is random, its standard deviation about the square root.
    if missing > _SURE * every * math.sqrt(distinct + 1):
        duplicates = missing
    return Survey(spans, max(0, min(duplicates, rows - 1)), compared_all=every == 1)


def sample(block: bytes, ends: npt.NDArray[np.int64], one_in: int) -> list[bytes]:
    """Return about one in so many of the lines of a block, the same of equal lines in any block.

    Args:
        block: lines, none of them empty.
        ends: where they end.
        one_in: a power of two.
    """
    starts = ends - lengths(ends) + 1
    chosen = np.flatnonzero(_hashes(block, starts, ends) & np.uint64(one_in - 1) == 0) if one_in > 1 else slice(None)
    return [block[start:end] for start, end in zip(starts[chosen].tolist(), ends[chosen].tolist(), strict=True)]


def hash_of_text(text: bytes) -> int:
    """Return a hash of 64 bits."""
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest())


def _hashes(block: bytes, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """A hash of each line, which depends on nothing else: from its words of eight bytes, the last of which ends it."""
    padded = b"\0" * _WORD + block
    words = np.ndarray((len(block) + 1,), "<u8", padded, strides=(1,))
    sizes = ends - starts
    short = sizes <= _LONG
    # Of a line shorter than a word, what stands before it must not count: it is the lowest bytes of the word.
    unwanted = (8 * np.maximum(_WORD - sizes, 0)).astype(np.uint64)
    hashes = sizes.astype(np.uint64)
    for offset in range(0, int(sizes[short].max(initial=0)), _WORD):
        word = words[np.minimum(starts + offset + _WORD, ends)] >> unwanted
        mixed = (hashes ^ word) * _ODD
        hashes = np.where(offset < sizes, mixed ^ mixed >> np.uint64(32), hashes)
    for place in np.flatnonzero(~short).tolist():
        hashes[place] = hash_of_text(block[starts[place] : ends[place]])
    # Every bit of the result depends on every bit of what is given, as at the end of XXH64.
    hashes = (hashes ^ (hashes >> np.uint64(33))) * _MIX_1
    hashes = (hashes ^ (hashes >> np.uint64(29))) * _MIX_2
    return np.asarray(hashes ^ (hashes >> np.uint64(32)), dtype=np.uint64)
