"""The counting pass: counts the rows of each span, so that each row has a number, and the rejected lines."""

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

from folds.errors import FoldError, name_under
from folds.judge import UNKNOWN, HeaderMissingError, Judge, Known, QuotedAcrossLinesError, Table
from folds.learning import LEARNED_ROWS, Learned, Learner, merged
from folds.plain import lengths, line_ends
from folds.spans import COMPRESSED, Span, shared
from folds.text import shortened
from folds.verdicts import Judged, Rejected, Verdict

Item = TypeVar("Item")
Result = TypeVar("Result")


class Distribute(Protocol):
    """Calls a function with each item, possibly on other machines, and returns the results in order."""

    def __call__(self, work: Callable[[Item], Result], items: Sequence[Item], /) -> list[Result]:
        """Return the results of the work on each item, in the order of the items."""
        ...


COMPARED = 1 << 17
"""Up to about this many rows, all are compared to count duplicates; of more rows, a sample is compared."""

SAMPLED = 1 << 14
"""The approximate number of rows in the sample."""

_SURE = 5
"""Duplicates are reported if the sample is smaller by this many standard deviations than that of distinct rows."""

_OFFENDERS = 10
"""The number of rejected lines that an error shows."""

_COMPRESSION = 10
"""The assumed ratio between the sizes of data and of its compressed file."""

_WORD = 8
_LONG = 512
"""Lines up to this size in bytes are hashed together, word by word; a block has few longer lines."""

_ODD = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(0x165667B19E3779F9)


@dataclass(frozen=True)
class Sampling:
    """Which rows are looked at more closely than to count them.

    Attributes:
        compared: one row in this many is compared with others to count duplicates; a power of two.
        learned: one row in this many contributes to medians.
    """

    compared: int = 1
    learned: int = 1


@dataclass
class Counted:
    """The counts of a span.

    Attributes:
        span: the span.
        rows: the number of rows.
        known: what need not be checked when the span is read again.
        lines: the number of lines, including the header.
        blank: the number of blank lines.
        dropped: the number of rows that were left out because of a missing value, by column.
        by_verdict: the number of rejected lines by fault.
        first_rejected: the first rejected lines, numbered from the span's first line, which is 0.
        sampled: the hashes of the rows in the sample.
        keys: each row's label or the hash of its group, if they are needed.
        classes: each row's class, if the label has classes.
        learned: what its rows have shown for the preparation of columns.
        fault: why the span could not be read.
    """

    span: Span
    rows: int = 0
    known: Known = UNKNOWN
    lines: int = 0
    blank: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    by_verdict: Counter[Verdict] = field(default_factory=Counter)
    first_rejected: list[Rejected] = field(default_factory=list)
    sampled: list[int] = field(default_factory=list)
    keys: npt.NDArray[Any] | None = None
    classes: npt.NDArray[np.uint16] | None = None
    learned: Learned = field(default_factory=Learned)
    fault: type[Exception] | None = None

    def add(self, judged: Judged) -> None:
        """Add lines."""
        room = _OFFENDERS - len(self.first_rejected)
        self.first_rejected += [
            replace(rejected, line=self.lines + rejected.line) for rejected in judged.rejected[:room]
        ]
        self.by_verdict.update(rejected.verdict for rejected in judged.rejected)
        self.rows += judged.rows
        self.lines += judged.lines
        self.blank += judged.blank
        self.dropped.update(judged.dropped)


@dataclass(frozen=True)
class Survey:
    """The results of the counting pass.

    Attributes:
        spans: all spans, in the order of the files' URIs and of their positions in the files.
        duplicates: the number of rows that repeat an earlier row.
        compared_all: whether ``duplicates`` is exact; otherwise it is estimated from a sample.
    """

    spans: Sequence[Counted]
    duplicates: int
    compared_all: bool

    @property
    def rows(self) -> int:
        """The number of rows."""
        return sum(span.rows for span in self.spans)

    @property
    def blank(self) -> int:
        """The number of blank lines."""
        return sum(span.blank for span in self.spans)

    @property
    def rejected(self) -> dict[Verdict, int]:
        """The number of rejected lines by fault, the most frequent fault first."""
        total: Counter[Verdict] = sum((span.by_verdict for span in self.spans), Counter())
        return dict(total.most_common())

    @property
    def dropped(self) -> dict[str, int]:
        """The number of rows that were left out because of a missing value, by column."""
        return dict(sum((span.dropped for span in self.spans), Counter()))

    @property
    def learned(self) -> Learned:
        """What all rows have shown for the preparation of columns."""
        return merged(span.learned for span in self.spans)

    @property
    def keys(self) -> npt.NDArray[Any]:
        """The label, or a hash of the group, of each row."""
        return np.concatenate([span.keys for span in self.spans if span.keys is not None])

    @property
    def classes(self) -> npt.NDArray[np.uint16]:
        """The class of each row; empty if the label has none."""
        parts = [span.classes for span in self.spans if span.classes is not None]
        return np.concatenate(parts) if parts else np.empty(0, np.uint16)

    def first_lines(self) -> list[int]:
        """Return for each span the number of lines before it in its file."""
        before: Counter[str] = Counter()
        first = []
        for counted in self.spans:
            first.append(before[counted.span.file])
            before[counted.span.file] += counted.lines
        return first

    def first_offenders(self) -> Iterator[tuple[str, Rejected]]:
        """Return the first rejected lines, each with its file and its number in the file, from 1."""
        offenders = (
            (counted.span.file, replace(rejected, line=first + rejected.line + 1))
            for counted, first in zip(self.spans, self.first_lines(), strict=True)
            for rejected in counted.first_rejected
        )
        return islice(offenders, _OFFENDERS)


def take_survey(  # noqa: PLR0913 - what is read, how it is read, and who reads it
    spans: Sequence[Span], table: Table, *, sampling: Sampling, source: str, tasks: int, distribute: Distribute
) -> Survey:
    """Count the rows of all spans.

    A file in which a quoted field contains a line break is read again as one span.

    Args:
        spans: the spans of all files.
        table: the table of the dataset.
        sampling: which rows are looked at more closely.
        source: the user's name of the input.
        tasks: the number of tasks.
        distribute: runs the tasks.

    Raises:
        FoldError: a file does not begin with the header of the others.
    """

    def survey(wanted: Sequence[Span]) -> list[Counted]:
        shares = shared(((span, span.end - span.start) for span in wanted), tasks)
        found = distribute(partial(_count_task, table, sampling), shares)
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
    return _survey_of(counts, sampling.compared)


def sampling_of(sizes: Mapping[str, int], lines: Sequence[str]) -> Sampling:
    """Return which rows to look at more closely: all of few rows, else a sample.

    Args:
        sizes: the input files' sizes in bytes, by URI.
        lines: some lines, from whose length the number of rows is estimated.
    """
    text = sum(size * (_COMPRESSION if name.endswith(COMPRESSED) else 1) for name, size in sizes.items())
    rows = text * len(lines) // sum(len(line) + 1 for line in lines) if lines else 0
    return Sampling(
        compared=1 if rows <= COMPARED else 1 << (rows // SAMPLED).bit_length(), learned=max(1, rows // LEARNED_ROWS)
    )


def _count_task(table: Table, sampling: Sampling, spans: Sequence[Span]) -> list[Counted]:
    judge = Judge(table)
    return [_count(span, judge, table, sampling) for span in spans]


def _count(span: Span, judge: Judge, table: Table, sampling: Sampling) -> Counted:
    counted = Counted(span, lines=1 if table.header is not None and not span.start else 0)
    learner = Learner(table.columns.declared, sampling.learned)
    keys, classes, plain = [], [], True
    try:
        for judged in judge.read(span):
            counted.add(judged)
            learner.add(judged)
            ends = line_ends(judged.raw) if judged.ends is None else judged.ends
            counted.sampled += [hash_of_text(line) for line in sample(judged.raw, ends, sampling.compared)]
            plain = plain and judged.columns is None
            if table.by_column and judged.rows:
                keys.append(_keys(judge, judged, table))
            if table.columns.declared.preparation.classes and judged.rows:
                classes.append(judge.classes(judged))
    except (HeaderMissingError, QuotedAcrossLinesError) as error:
        return Counted(span, fault=type(error))
    counted.learned = learner.learned
    all_rows = not (counted.blank or counted.by_verdict or counted.dropped)
    counted.known = Known(all_rows, plain and all_rows)
    if keys:
        counted.keys = np.concatenate(keys)
    if classes:
        counted.classes = np.concatenate(classes)
    return counted


def _keys(judge: Judge, judged: Judged, table: Table) -> npt.NDArray[Any]:
    if table.columns.declared.groups is None:
        return judge.labels(judged)
    groups = judge.groups(judged)
    hashes = {group: hash_of_text(group.encode("utf-8", "surrogateescape")) for group in set(groups)}
    return np.fromiter(map(hashes.__getitem__, groups), np.uint64, judged.rows)


def _survey_of(spans: Sequence[Counted], every: int) -> Survey:
    """Return the survey of counted spans, with the duplicates estimated from the sample.

    Copies of a row are sampled together or not at all. If a dominant row is missed, too few distinct rows appear, and
    each stands for ``every`` rows; that shortfall is counted as duplicates.
    """
    rows = sum(span.rows for span in spans)
    compared = sum(len(span.sampled) for span in spans)
    distinct = len(set().union(*(span.sampled for span in spans)))
    duplicates = every * (compared - distinct)
    missing = rows - every * distinct
    # The standard deviation of the number of distinct rows in the sample is about its square root.
    if missing > _SURE * every * math.sqrt(distinct + 1):
        duplicates = missing
    return Survey(spans, max(0, min(duplicates, rows - 1)), compared_all=every == 1)


def sample(block: bytes, ends: npt.NDArray[np.int64], one_in: int) -> list[bytes]:
    """Return a sample of a block's lines. Equal lines are in the sample together or not at all.

    Args:
        block: the lines; none of them is empty.
        ends: the positions of their line breaks.
        one_in: the interval of the sample, a power of two.
    """
    starts = ends - lengths(ends) + 1
    chosen = np.flatnonzero(_hashes(block, starts, ends) & np.uint64(one_in - 1) == 0) if one_in > 1 else slice(None)
    return [block[start:end] for start, end in zip(starts[chosen].tolist(), ends[chosen].tolist(), strict=True)]


def hash_of_text(text: bytes) -> int:
    """Return a 64-bit hash."""
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest())


def _hashes(block: bytes, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """Return a hash of each line, from its 8-byte words; the last word ends with the line."""
    padded = b"\0" * _WORD + block
    words = np.ndarray((len(block) + 1,), "<u8", padded, strides=(1,))
    sizes = ends - starts
    short = sizes <= _LONG
    # The word of a shorter line also contains the bytes before the line, in its lowest bytes: they must not count.
    unwanted = (8 * np.maximum(_WORD - sizes, 0)).astype(np.uint64)
    hashes = sizes.astype(np.uint64)
    for offset in range(0, int(sizes[short].max(initial=0)), _WORD):
        word = words[np.minimum(starts + offset + _WORD, ends)] >> unwanted
        mixed = (hashes ^ word) * _ODD
        hashes = np.where(offset < sizes, mixed ^ mixed >> np.uint64(32), hashes)
    for place in np.flatnonzero(~short).tolist():
        hashes[place] = hash_of_text(block[starts[place] : ends[place]])
    # As in XXH64's final mix, every bit of the result depends on every bit of the input.
    hashes = (hashes ^ (hashes >> np.uint64(33))) * _MIX_1
    hashes = (hashes ^ (hashes >> np.uint64(29))) * _MIX_2
    return np.asarray(hashes ^ (hashes >> np.uint64(32)), dtype=np.uint64)
