"""Writes the folds: all of them or none."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO

import numpy as np

from folds.deal import Folds, in_folds
from folds.errors import FoldError
from folds.judge import Judge, Known, Table
from folds.number import Distribute, Survey
from folds.options import Options
from folds.spans import Span, shared
from folds.storage import UNFINISHED, Place, place
from folds.verdicts import Rejected

_REPORT = "folds.json"
_ALL_MANIFEST = "all.manifest"
_OURS = re.compile(
    rf"vc\d+/(train|test)/|vc\d+/train\.manifest$|rejected/|_staging/|{re.escape(_REPORT)}$"
    rf"|all/part-fold\d+-\d+\.csv$|{re.escape(_ALL_MANIFEST)}$|(vc\d+/)?{UNFINISHED}[^/]*$"
)
PART = re.compile(r"vc(\d+)/test/(part-fold\d+-\d+\.csv)$")
_BUFFER, _LARGEST_BUFFER, _PLACES = 1 << 23, 1 << 25, 8
"""The bytes that a task holds and shuffles at once: rows from several places of the input, up to a limit."""


@dataclass(frozen=True)
class Written:
    """The totals of all folds.

    Attributes:
        rows: the number of rows.
        bytes: their size, including line breaks.
        rejected: the number of lines that were set aside.
    """

    rows: int
    bytes: int
    rejected: int


@dataclass(frozen=True)
class Work:
    """A span to write.

    Attributes:
        span: the span.
        known: what the counting pass has shown about it.
        first_line: the number of lines before it in its file.
        folds: the fold of each of its rows.
    """

    span: Span
    known: Known
    first_line: int
    folds: Folds


@dataclass(frozen=True)
class Writer:
    """Writes spans into folds, in a task.

    Attributes:
        table: the table of the dataset.
        folds: the number of folds.
        seed: the seed of the rows' order; None keeps the order.
        output: the URI of the folder for the folds.
        kms_key: the ARN of the key that encrypts them in S3, or None.
    """

    table: Table
    folds: int
    seed: int | None
    output: str
    kms_key: str | None

    def write(self, survey: Survey, dealt: Folds, tasks: int, distribute: Distribute) -> Written:
        """Write each row into the test set of its fold, and rejected lines into a file of their own.

        The seed deals spans to tasks, and each task mixes the rows of its spans. So neighbours in a file come from all
        over the input, and the files do not depend on the cluster.
        """
        works = []
        ends = np.cumsum([counted.rows for counted in survey.spans])
        for counted, first_line, end in zip(survey.spans, survey.first_lines(), ends.tolist(), strict=True):
            works.append(Work(counted.span, counted.known, first_line, dealt[end - counted.rows : end]))
        order = range(len(works)) if self.seed is None else np.random.RandomState(self.seed).permutation(len(works))
        shares = shared(((works[number], works[number].span.end - works[number].span.start) for number in order), tasks)
        written = distribute(partial(_write_task, self), list(enumerate(shares)))
        return Written(
            sum(task.rows for task in written),
            sum(task.bytes for task in written),
            sum(task.rejected for task in written),
        )


def _write_task(writer: Writer, share: tuple[int, Sequence[Work]]) -> Written:
    task, works = share
    with ExitStack() as opened:
        return _Task(writer, task, opened).run(works)


class _Task:
    """Writes the rows of some spans into the folds' files of one task."""

    def __init__(self, writer: Writer, task: int, opened: ExitStack) -> None:
        self._writer, self._task, self._opened = writer, task, opened
        self._output = place(writer.output, writer.kms_key)
        self._judge = Judge(writer.table)
        self._files: dict[str, BinaryIO] = {}
        self._texts: list[bytes] = []
        self._folds: list[Folds] = []
        self._buffered = self._places = self._flushed = 0

    def run(self, works: Sequence[Work]) -> Written:
        rows = size = rejected = 0
        for work in works:
            in_span, line = 0, work.first_line + (self._writer.table.header is not None and not work.span.start)
            for judged in self._judge.read(work.span, work.known):
                self._reject(work.span, line, judged.rejected)
                line += judged.lines
                rejected += len(judged.rejected)
                if judged.rows:
                    size += self._take(self._judge.encode(judged), judged.rows, work.folds[in_span:])
                    in_span += judged.rows
            rows += in_span
            self._places += 1
            if self._buffered >= _BUFFER and self._places >= _PLACES:
                self._flush()
        self._flush()
        return Written(rows, size, rejected)

    def _take(self, text: bytes, rows: int, dealt: Folds) -> int:
        self._texts.append(text)
        # If there are more rows than were counted, the totals show it.
        self._folds.append(dealt[:rows] if len(dealt) >= rows else np.ones(rows, np.uint8))
        self._buffered += len(text)
        if self._buffered >= _LARGEST_BUFFER:
            self._flush()
        return len(text)

    def _flush(self) -> None:
        if not self._texts:
            return
        seed = None if self._writer.seed is None else [self._writer.seed, self._task, self._flushed]
        parts = in_folds(b"".join(self._texts), np.concatenate(self._folds), self._writer.folds, seed)
        for fold, pieces in enumerate(parts, start=1):
            if pieces:
                self._file(f"vc{fold}/test/part-fold{fold}-{self._task:05}.csv").writelines(pieces)
        self._texts, self._folds, self._buffered, self._places = [], [], 0, 0
        self._flushed += 1

    def _reject(self, span: Span, first_line: int, rejected: Sequence[Rejected]) -> None:
        for line in rejected:
            row = {
                "file": span.file,
                "line": first_line + line.line + 1,
                "reason": line.verdict.reason,
                "detail": line.detail,
                "text": line.text.encode("utf-8", "surrogateescape").decode("utf-8", "replace"),
            }
            text = json.dumps(row, ensure_ascii=False)
            self._file(f"rejected/part-{self._task:05}.jsonl").write(f"{text}\n".encode("utf-8", "replace"))

    def _file(self, name: str) -> BinaryIO:
        if name not in self._files:
            self._files[name] = self._opened.enter_context(self._output.writing(name))
        return self._files[name]


def clear(output: Place) -> None:
    """Delete the output of earlier runs, the report first, because it says that the folds are complete."""
    output.delete(output.files(_REPORT))
    for beginning in ("vc", "all/part-", _ALL_MANIFEST, "rejected/", "_staging/", UNFINISHED):
        output.delete([name for name in output.files(beginning) if _OURS.match(name)])


def arrange(written: Written, survey: Survey, output: Place, options: Options) -> None:
    """Make the training sets from the test sets: one for each fold and, if the options ask for it, one of all rows.

    S3 copies the files (on a disk, links are made), so no data moves through the cluster.

    Args:
        written: the totals that were written.
        survey: the totals that were counted.
        output: the folder of the folds.
        options: the options of the job.

    Raises:
        FoldError: the output does not contain all rows.
    """
    there = output.files("vc")
    # On a disk, a task whose executor was killed leaves its unfinished file; Spark has rerun that task.
    left = [name for name in (*there, *output.files("rejected/")) if name.rpartition("/")[2].startswith(UNFINISHED)]
    output.delete(left)
    parts = {name: size for name, size in there.items() if PART.match(name)}
    check_complete(survey, written, parts)
    if options.layout == "manifest":
        write_manifests(parts, options.folds, output, all_rows=options.all_rows)
    else:
        output.copy(training_copies(parts, options.folds, all_rows=options.all_rows))


def write_report(report: Mapping[str, Any], output: Place) -> None:
    """Write folds.json, which says that the folds are complete."""
    _write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", _REPORT, output)


def check_complete(survey: Survey, written: Written, parts: Mapping[str, int]) -> None:
    """Check that all rows and all bytes have arrived.

    Raises:
        FoldError: some have not.
    """
    rejected = sum(survey.rejected.values())
    if (written.rows, written.rejected) != (survey.rows, rejected):
        raise FoldError(
            f"{survey.rows + rejected} rows were counted and {written.rows + written.rejected} written: "
            "the input changed in between. Run again when it is complete"
        )
    there = sum(parts.values())
    if there != written.bytes:
        raise FoldError(
            f"{written.bytes} bytes were written and {there} are in the output: a file:// output must be "
            "a disk that all machines of the cluster share, and s3:// the same store for all of them"
        )


def training_copies(parts: Iterable[str], folds: int, *, all_rows: bool) -> dict[str, list[str]]:
    """Return for each file of a test set its names in the training sets that contain it.

    Args:
        parts: the names of the files of all test sets. Each file's name contains its fold, so names are unique in
            every training set.
        folds: the number of folds.
        all_rows: whether there is a training set of all rows.
    """
    copies = {}
    for name in sorted(parts):
        part = PART.match(name)
        assert part is not None
        copies[name] = [f"vc{other}/train/{part[2]}" for other in range(1, folds + 1) if other != int(part[1])]
        if all_rows:
            copies[name].append(f"all/{part[2]}")
    return copies


def write_manifests(parts: Iterable[str], folds: int, output: Place, *, all_rows: bool) -> None:
    """Write a manifest of each training set, in the format of SageMaker's S3DataType ManifestFile.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html
    """
    by_fold = defaultdict(list)
    for name in sorted(parts):
        by_fold[name.partition("/")[0]].append(name)
    prefix = {"prefix": f"{output.uri.replace('s3a://', 's3://', 1)}/"}
    for fold in range(1, folds + 1):
        names = [name for other in range(1, folds + 1) if other != fold for name in by_fold[f"vc{other}"]]
        _write_text(json.dumps([prefix, *names]), f"vc{fold}/train.manifest", output)
    if all_rows:
        _write_text(json.dumps([prefix, *sorted(parts)]), _ALL_MANIFEST, output)


def _write_text(text: str, name: str, output: Place) -> None:
    with output.writing(name) as file:
        file.write(text.encode())
