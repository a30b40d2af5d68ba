"""The counting pass: how many rows each piece of the input has, and what is wrong with the other lines."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fold_columns import FileColumns, shortened
from fold_grammar import DESCRIPTIONS, NOT_TEXT, ROWS, Grammar, Verdict
from fold_lines import COMPRESSED, Lines, by_partition
from fold_offenders import detail, own_names
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as f

_COMPARED = 1 << 17
"""About as many rows are all compared with each other to count duplicates; of more rows, a sample is."""

_SAMPLED = 1 << 14
"""About as many rows are in the sample."""

_SURE = 5
"""Standard deviations by which a sample has to fall short of what is expected of rows that all differ."""

_NOT_COMPARED = 0
"""The hash that stands for rows which are not compared. A row that has it by chance is not compared either."""

_DIGITS = 15
"""Hexadecimal digits, of the MD5 of a file's name, that stand for it. Of a million names, two have the same once in two
million datasets."""

_PILES = len(Verdict)
_COMPRESSION = 10
"""Compressed files are taken to hold this many times their size."""


@dataclass(frozen=True)
class Piece:
    """A piece of a file: a partition.

    Attributes:
        file: URI of the file.
        start: where in the file the piece begins, in bytes.
        partition: the partition's number.
        counts: lines by verdict.
    """

    file: str
    start: int
    partition: int
    counts: Counter[Verdict]

    @property
    def rows(self) -> int:
        """Lines that can be used."""
        return sum(self.counts[verdict] for verdict in ROWS)


@dataclass(frozen=True)
class Survey:
    """What the counting pass found.

    Attributes:
        pieces: in the order of the files' URIs and of the places in the files.
        duplicates: rows whose text another row has already.
        compared_all: whether ``duplicates`` is exact; else it is estimated from a sample of the rows.
    """

    pieces: Sequence[Piece]
    duplicates: int
    compared_all: bool

    @property
    def counts(self) -> Counter[Verdict]:
        """Lines by verdict."""
        return sum((piece.counts for piece in self.pieces), Counter())

    @property
    def rows(self) -> int:
        """Lines that can be used."""
        return sum(piece.rows for piece in self.pieces)

    @property
    def rejected(self) -> dict[Verdict, int]:
        """Rejected lines by what is wrong with them, the most frequent fault first."""
        return {verdict: count for verdict, count in self.counts.most_common() if verdict in DESCRIPTIONS}

    @property
    def order(self) -> list[int]:
        """For each partition, its place in the order of the pieces."""
        return self._of_partitions(range(len(self.pieces)))

    def first_rows(self) -> list[int]:
        """For each partition, how many rows stand before it."""
        counts, before = [], 0
        for piece in self.pieces:
            counts.append(before)
            before += piece.rows
        return self._of_partitions(counts)

    def first_lines(self) -> list[int]:
        """For each partition, how many lines of its file stand before it."""
        counts: list[int] = []
        lines_so_far: Counter[str] = Counter()
        for piece in self.pieces:
            counts.append(lines_so_far[piece.file])
            lines_so_far[piece.file] += piece.counts.total()
        return self._of_partitions(counts)

    def _of_partitions(self, values: Iterable[int]) -> list[int]:
        # Partitions without lines have no piece, and need no value.
        by_number = [0] * (1 + max((piece.partition for piece in self.pieces), default=0))
        for piece, value in zip(self.pieces, values, strict=True):
            by_number[piece.partition] = value
        return by_number


def verdict_of(lines: Lines, grammar: Grammar, sample: Sequence[str], header: str | None) -> Column:
    """The verdict on a line, as the number of a ``Verdict``, in frames with the columns of ``Lines.located``.

    Args:
        lines: where the line comes from.
        grammar: which lines are rows.
        sample: lines from which the usual form of rows is learned.
        header: the line that begins each file, if one does.
    """
    value = f.col("value")
    usual_row, longest = grammar.usual_row(sample)
    usual = value.rlike(usual_row)
    questions = [
        (usual if longest is None else (f.octet_length(value) <= longest) & usual, Verdict.ROW),
        (value.rlike(grammar.row()), Verdict.ROW),
        (value.rlike(grammar.padded_row()), Verdict.PADDED_ROW),
        (f.trim(value) == "", Verdict.BLANK),
        (value.rlike(NOT_TEXT), Verdict.WRONG_ENCODING),
        (~value.rlike(grammar.fields()), Verdict.WRONG_COLUMNS),
        (value.rlike(grammar.empty_field()), Verdict.EMPTY_FIELD),
        (value.rlike(grammar.not_finite()), Verdict.NOT_FINITE),
        (value.rlike(grammar.not_numeric()), Verdict.NOT_NUMERIC),
    ]
    if not lines.parsed:
        quotes = f.length(value) - f.length(f.replace(value, f.lit('"'), f.lit("")))
        questions[4:4] = [(quotes % 2 == 1, Verdict.QUOTED_ACROSS_LINES), (quotes > 0, Verdict.QUOTED)]
        # Before all others: names of columns may look like a row of numbers.
        first = (f.col("start") == 0) & (f.col("row") == 0)
        at_header = [(value == header) & first, (value == header) & ~first] if header is not None else []
        questions[:0] = zip(at_header, (Verdict.HEADER, Verdict.HEADER_AMONG_ROWS), strict=False)
    verdict = f
    for condition, answer in questions:
        verdict = verdict.when(condition, int(answer))
    return verdict.otherwise(int(Verdict.UNKNOWN_CATEGORY))


def take_survey(lines: Lines, verdict: Column, sizes: Mapping[str, int], sample: Sequence[str]) -> Survey:
    """Count the lines of each piece by verdict, and the duplicates among the rows, in one pass.

    Args:
        lines: the input.
        verdict: of ``verdict_of``.
        sizes: bytes of each input file, by URI.
        sample: lines, from whose length the number of rows is estimated.
    """
    every = one_in(sizes, sample)
    text_hash = f.xxhash64("value")
    # Numbers only, none of them null in a key: what Spark counts fastest. So the file is a number too; it is the same
    # on all lines of a piece, and found for one.
    found = (
        lines.gathered(lines.located())
        .select(
            (f.col("partition") * _PILES + verdict).alias("pile"),
            f.when(text_hash.bitwiseAND(every - 1) == 0, text_hash).otherwise(_NOT_COMPARED).alias("hash"),
            f.when(f.col("row") == 0, _number_of_file()).alias("file"),
            "start",
        )
        .groupBy("pile", "hash")
        .agg(f.count("*").alias("lines"), f.max("file").alias("file"), f.max("start").alias("start"))
        .collect()
    )
    compared = Counter[int]()
    for group in found:
        if group["hash"] != _NOT_COMPARED and group["pile"] % _PILES in ROWS:
            compared[group["hash"]] += group["lines"]
    pieces = _pieces(found, lines.frame.inputFiles())
    return survey_of(pieces, compared.total(), len(compared), every)


def survey_of(pieces: Sequence[Piece], compared: int, distinct: int, every: int) -> Survey:
    """The survey of pieces of which a sample of rows was compared.

    Equal rows are in the sample together or not at all. So a row that makes up much of the dataset is most likely
    not in it; but then so much fewer distinct rows are, each of which stands for ``every``, that it is seen by that.

    Args:
        pieces: all pieces, in order.
        compared: rows in the sample.
        distinct: how many of them differ from all others, each text counted once.
        every: one in so many distinct rows is in the sample; 1 if all rows are.
    """
    rows = sum(piece.rows for piece in pieces)
    duplicates = every * (compared - distinct)
    missing = rows - every * distinct
    # The number of distinct rows in the sample is random, its standard deviation about the square root.
    if missing > _SURE * every * math.sqrt(distinct + 1):
        duplicates = missing
    return Survey(pieces, max(0, min(duplicates, rows - 1)), compared_all=every == 1)


def one_in(sizes: Mapping[str, int], sample: Sequence[str]) -> int:
    """Of how many rows one is compared with others: 1 for few rows, else the power of two that makes a sample.

    Args:
        sizes: bytes of each input file, by URI.
        sample: lines, from whose length the number of rows is estimated.
    """
    text = sum(size * (_COMPRESSION if name.endswith(COMPRESSED) else 1) for name, size in sizes.items())
    rows = text * len(sample) // sum(len(line) + 1 for line in sample) if sample else 0
    return 1 if rows <= _COMPARED else 1 << (rows // _SAMPLED).bit_length()


def rejected_lines(lines: Lines, verdict: Column, survey: Survey) -> DataFrame:
    """The rejected lines: ``file``, ``line`` (from 1; of parsed CSV, the record), ``reason`` and ``text``."""
    judged = lines.located().withColumn("verdict", verdict)
    names = f.create_map(*(f.lit(text) for fault in DESCRIPTIONS for text in (int(fault), fault.reason)))
    return lines.gathered(
        judged.where(f.col("verdict").isin(*map(int, DESCRIPTIONS))).select(
            "file",
            (by_partition(survey.first_lines(), f.col("partition")) + f.col("row") + 1).alias("line"),
            names[f.col("verdict")].alias("reason"),
            f.col("value").alias("text"),
            "partition",
        )
    )


def first_offenders(lines: Lines, verdict: Column, survey: Survey, columns: FileColumns, most: int) -> list[str]:
    """The first rejected lines: where each is, what is wrong with it, and what it says."""
    bad = rejected_lines(lines, verdict, survey)
    first = bad.orderBy(by_partition(survey.order, f.col("partition")), "line").limit(most).collect()
    kind = "record" if lines.parsed else "line"
    names = own_names(piece.file for piece in survey.pieces)
    said = []
    for row in first:
        fault = Verdict[row["reason"].upper()]
        where = detail(fault, row["text"].split(lines.delimiter), columns)
        place = f"{names[row['file']]}, {kind} {row['line']}"
        said.append(f"{place}: {DESCRIPTIONS[fault]}: {shortened(row['text'])}{where}")
    return said


def _pieces(found: Sequence[Any], files: Iterable[str]) -> list[Piece]:
    names = _by_number(files)
    firsts = {group["pile"] // _PILES: group for group in found if group["file"] is not None}
    pieces = {
        number: Piece(names[group["file"]], group["start"], number, Counter()) for number, group in firsts.items()
    }
    for group in found:
        number, verdict = divmod(group["pile"], _PILES)
        pieces[number].counts[Verdict(verdict)] += group["lines"]
    return sorted(pieces.values(), key=lambda piece: (piece.file, piece.start))


def _number_of_file() -> Column:
    """The number that stands for the file of a line; ``_by_number`` has the file."""
    return f.conv(f.substring(f.md5("file"), 1, _DIGITS), 16, 10).cast("long")


def _by_number(files: Iterable[str]) -> dict[int, str]:
    digests = ((hashlib.md5(file.encode(), usedforsecurity=False).hexdigest(), file) for file in files)
    return {int(digest[:_DIGITS], 16): file for digest, file in digests}
