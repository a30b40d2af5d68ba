"""Datasets of numbers only, written as the folds hold them: surveyed and split as bytes, not by Spark's SQL.

Such are the files that SageMaker's built-in algorithms train on: comma-separated, the label first, with a header or
without, no quotes, no blanks. Spark hands spans of the files to its Python workers, and numpy does the rest, in about
a third of the time that SQL takes. All other datasets are ``fold_table``'s, and so are those of which a single line
turns out to be no row: only there it is judged what is wrong.
"""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from fold_assignment import ByNumber
from fold_blocks import Span, blocks, survey, write
from fold_bytes import are_rows, line_ends
from fold_columns import FileColumns
from fold_errors import FoldError
from fold_grammar import Verdict
from fold_lines import COMPRESSED, SAMPLE
from fold_options import Options
from fold_output import Written
from fold_storage import Place, place
from fold_survey import Piece, Survey, one_in, survey_of
from py4j.protocol import Py4JError  # type: ignore[import-untyped]
from pyspark.sql import SparkSession

_PLAIN_URI = re.compile(r"[a-z0-9]+://[\w.-]*(/[\w.=-]+)+", re.ASCII)
"""Spark's URIs for these are the same: the order of the files, from which rows have their numbers, does not depend on
who reads them."""

_PLAIN_NAME = re.compile(r'[^\s",]+( [^\s",]+)*')
"""Names that stand in a header as they are."""

_PATIENCE = 60
"""Seconds to wait for tasks to end after one has failed."""


@dataclass(frozen=True)
class PlainTable:
    """A surveyed dataset of numbers only.

    Attributes:
        spark: the session.
        spans: the pieces of its files, in order.
        tasks: how many tasks read them.
        header: the line that begins each file, its line break included, or nothing.
        columns: what the files hold.
        survey: how many rows there are.
    """

    spark: SparkSession
    spans: Sequence[Span]
    tasks: int
    header: bytes
    columns: FileColumns
    survey: Survey

    def stage(self, fold: ByNumber, kms_key: str | None, output: Place) -> Written:
        """Write each row once, aside: a file for each task and fold. No task still writes when it returns."""
        header, uri = self.header, output.uri

        def of_task(task: int, work: Iterable[tuple[Span, int]]) -> Iterator[Written]:
            yield write(work, header, fold, place(uri, kms_key), task)

        work = list(zip(self.spans, self.survey.first_rows(), strict=True))
        try:
            written = self.spark.sparkContext.parallelize(work, self.tasks).mapPartitionsWithIndex(of_task).collect()
        except BaseException:
            await_tasks(self.spark)
            raise
        return Written(sum(task.rows for task in written), sum(task.bytes for task in written))


def examine_plain(
    spark: SparkSession, sizes: Mapping[str, int], options: Options, split: int, tasks: int | None
) -> PlainTable | None:
    """Read a dataset once, to check and count its rows.

    Args:
        spark: the session.
        sizes: bytes of each file, by URI.
        options: what is to be made of them.
        split: bytes of a piece.
        tasks: how many tasks should read them, or None for one a piece.

    Returns:
        None if it is not of numbers only, or if it may be but only SQL can tell.
    """
    columns = FileColumns(options.columns, options.columns.numbers)
    header = f"{','.join(columns.names)}\n".encode() if options.form.header else b""
    spans = _spans(sizes, split)
    if not spans or not _declared_plain(options, columns) or not all(map(_plain_file, sizes)):
        return None
    first = _first_rows(spans[0], header, len(columns.names))
    if not first:
        return None
    _ship(spark)
    tasks = tasks or len(spans)
    every, width = one_in(sizes, first), len(columns.names)
    found = spark.sparkContext.parallelize(spans, tasks).map(lambda span: survey(span, header, width, every)).collect()
    counted = _survey_of(spans, found, every)
    return PlainTable(spark, spans, tasks, header, columns, counted) if counted else None


def await_tasks(spark: SparkSession) -> None:
    """Wait until no task runs: Spark tells those of a failed job to end, but not when they have."""
    give_up = time.monotonic() + _PATIENCE
    # A Spark that answers no more runs no tasks.
    with suppress(Py4JError, OSError):
        executors = spark.sparkContext._jsc.sc().statusTracker().getExecutorInfos
        while any(executor.numRunningTasks() for executor in executors()) and time.monotonic() < give_up:
            time.sleep(0.1)


def _spans(sizes: Mapping[str, int], split: int) -> list[Span]:
    return [
        Span(file, start, min(start + split, size))
        for file, size in sorted(sizes.items())
        for start in range(0, size, split)
    ]


def _declared_plain(options: Options, columns: FileColumns) -> bool:
    form = options.form
    ordinary = options.columns.groups is None and options.stratify is None
    names = not form.header or all(map(_PLAIN_NAME.fullmatch, columns.names))
    return ordinary and names and columns.written_as_read and form.delimiter == "," and form.is_utf8


def _plain_file(uri: str) -> bool:
    return _PLAIN_URI.fullmatch(uri) is not None and not uri.endswith(COMPRESSED)


def _first_rows(span: Span, header: bytes, columns: int) -> list[str]:
    """The first rows, if a glance at the beginning of the first file shows nothing else."""
    try:
        block = next(blocks(span), b"")
    except FoldError:
        return []
    rows = block.removeprefix(header)
    # A header that could be a row would not be noticed among the rows.
    if not are_rows(rows, line_ends(rows), columns) or (header and are_rows(header, line_ends(header), columns)):
        return []
    return rows.decode("ascii").splitlines()[:SAMPLE]


def _survey_of(spans: Sequence[Span], found: Sequence[tuple[int, list[int]] | None], every: int) -> Survey | None:
    """The survey that surveys of spans make; None if one is missing."""
    pieces, compared = [], []
    for number, (span, result) in enumerate(zip(spans, found, strict=True)):
        if result is None:
            return None
        rows, hashes = result
        pieces.append(Piece(span.file, span.start, number, Counter({Verdict.ROW: rows})))
        compared += hashes
    return survey_of(pieces, len(compared), len(set(compared)), every)


def _ship(spark: SparkSession) -> None:
    """Give our modules to the Python workers, if they have them neither by --py-files, as a zip, nor by PYTHONPATH."""
    context, folder = spark.sparkContext, Path(__file__).parent
    on_path = context.master.startswith("local[") and str(folder) in os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if folder.is_dir() and not on_path:
        for module in folder.glob("fold_*.py"):
            context.addPyFile(str(module))
