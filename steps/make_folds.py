"""Splits a CSV dataset into cross-validation folds, in the format of SageMaker's built-in algorithms.

Runs with spark-submit, in SageMaker's Spark container or wherever pyspark is installed. Spark's workers need the
package ``folds``, from a zip archive (--py-files) or on PYTHONPATH. The input is read twice: first to check and count
its rows, then to write each row into the test set of its fold. Training sets are copies of the other folds' test
sets, which S3 makes, or manifests that name them. With folds.all_rows there is one more training set, of all rows, for
refitting a model:

    <output>/vc1/test/part-*.csv      the rows of fold 1: the label first, no header
    <output>/vc1/train/part-*.csv     all other rows, if folds.layout is folders
    <output>/vc1/train.manifest       the names of the files of all other rows, if folds.layout is manifest
    <output>/all/part-*.csv           all rows, with folds.all_rows, if folds.layout is folders
    <output>/all.manifest             the names of the files of all rows, likewise if folds.layout is manifest
    <output>/rejected/part-*.jsonl    rejected lines, if folds.on_bad_rows is quarantine
    <output>/folds.json               the report on input and folds, written last

The report's ``warnings`` are sentences for the user; each is also printed. Its ``suggested`` are linear-learner's
``mini_batch_size`` and ``epochs`` for so many rows.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from folds.columns import from_header, without_header
from folds.counts import counted
from folds.deal import Folds, by_stratum, grouped, in_order, shuffled, stratified
from folds.errors import FoldError, explain
from folds.judge import Table, with_declared
from folds.learning import resolved
from folds.number import Distribute, Item, Result, Survey, sampling_of, take_survey
from folds.options import Options, for_fewer_folds, read_options
from folds.output import Writer, arrange, clear, write_report
from folds.report import check_rejected, report_of
from folds.spans import Span, blocks, spans_of, task_count
from folds.storage import Place, find_input, place
from folds.text import number_of
from py4j.protocol import Py4JError  # type: ignore[import-untyped]
from pyspark import SparkConf, SparkContext
from pyspark.errors import PySparkException

_SAMPLE = 1000
"""The number of lines from which the number of rows is estimated."""

_FIRST_BLOCK = 1 << 16
_PATIENCE = 60
"""Seconds to wait for other tasks after one has failed."""

_KEPT_MEMORY = {"MALLOC_MMAP_THRESHOLD_": 1 << 26, "MALLOC_TRIM_THRESHOLD_": 1 << 28}
"""Settings of glibc for Spark's Python workers, in bytes: below these sizes a worker keeps its memory for reuse.

Otherwise every array is new memory from the system. Clearing its pages took a third of the time of a large dataset.
"""


def make_folds(options: Options, distribute: Distribute) -> dict[str, Any]:
    """Make the folds.

    Args:
        options: the options of the job.
        distribute: runs functions in parallel.

    Returns:
        what folds.json holds.

    Raises:
        FoldError: the input or the options are wrong. The output then has its earlier folds or none.
    """
    sizes = find_input(options.input)
    output = place(options.output, options.kms_key)
    _check_apart(options.input, output)
    spans = spans_of(sizes)
    tasks = task_count(sum(sizes.values()), len(spans), options.target_bytes * options.folds)
    lines = _first_lines(spans, options, len(sizes))
    table = _table(lines, options)
    sampling = sampling_of(sizes, lines)
    survey = take_survey(spans, table, sampling=sampling, source=options.input, tasks=tasks, distribute=distribute)
    check_rejected(survey, table, options)
    if survey.rows < options.folds:
        raise FoldError(
            f"{number_of(survey.rows, 'usable row is', 'usable rows are')} fewer than {options.folds} folds: "
            f"{for_fewer_folds(options.folds, 'give more rows')}"
        )
    table = with_declared(table, resolved(table.columns.declared, survey.learned))
    dealt, warnings = _deal(survey, options)
    counts = counted(dealt, options.folds, options.columns.preparation.classes, survey.classes)
    warnings += counts.warnings()
    for warning in warnings:
        print(f"make_folds: warning: {warning}")
    report = report_of(survey, table, options, counts, files=len(sizes), warnings=warnings)
    writer = Writer(table, options.folds, options.seed if options.shuffle else None, output.uri, options.kms_key)
    try:
        clear(output)
        written = writer.write(survey, dealt, tasks, distribute)
        arrange(written, survey, output, options)
        write_report(report, output)
    except BaseException:
        # The user must see the first error, not a later one.
        with suppress(OSError, BotoCoreError, ClientError, FoldError):
            clear(output)
        raise
    return report


def by_spark(started: Callable[[], SparkContext]) -> Distribute:
    """Run functions in Spark's Python workers. None of them runs any more when this returns or fails.

    Args:
        started: waits until Spark has started, and returns its context.
    """

    def distribute(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        spark = started()
        try:
            results: list[Result] = spark.parallelize(items, max(1, len(items))).map(work).collect()
        except BaseException:
            await_tasks(spark)
            raise
        return results

    return distribute


def await_tasks(spark: SparkContext) -> None:
    """Wait until no task runs. Spark stops the tasks of a failed job, but does not wait for their end."""
    give_up = time.monotonic() + _PATIENCE
    # If Spark is unreachable, no tasks run.
    with suppress(Py4JError, OSError):
        executors = spark._jsc.sc().statusTracker().getExecutorInfos
        while any(executor.numRunningTasks() for executor in executors()) and time.monotonic() < give_up:
            time.sleep(0.1)


def main(arguments: list[str]) -> int:
    """Run the program and return its exit status."""
    try:
        options = read_options(arguments)
        # With labels or groups, the results of tasks grow with the number of rows.
        settings = SparkConf().setAppName("make-folds").set("spark.driver.maxResultSize", "0")
        for name, value in _KEPT_MEMORY.items():
            settings.setExecutorEnv(name, str(value))
        # Spark takes a second to start, in which this thread looks at the input. It takes up to another to stop, and is
        # not stopped here: Java does that when this program ends.
        with ThreadPoolExecutor(1) as starting:
            report = make_folds(options, by_spark(starting.submit(SparkContext.getOrCreate, settings).result))
    except FoldError as error:
        return _fail(error.sentence, error.details)
    except (PySparkException, Py4JError, BotoCoreError, ClientError, OSError) as error:
        return _fail(explain(error))
    sizes = ", ".join(str(fold["test_rows"]) for fold in report["folds"])
    print(f"make_folds: {report['rows']} rows in {options.folds} folds of {sizes}: {options.output or ''}")
    if dropped := report["dropped"]["total"]:
        print(f"make_folds: {number_of(dropped, 'row')} dropped because of missing values")
    about = "" if report["duplicate_rows_exact"] else "about "
    print(f"make_folds: {report['rejected']['total']} rows rejected, {about}{report['duplicate_rows']} duplicates kept")
    return 0


def _fail(sentence: str, details: Sequence[str] = ()) -> int:
    """Print why there are no folds, with the error on the last line, and return the exit status.

    The log is the only place where SageMaker shows it. What this program writes to ``/opt/ml/output/message``,
    smspark-submit overwrites with the command line:
    https://github.com/aws/sagemaker-spark-container/blob/master/src/smspark/errors.py
    """
    for detail in details:
        print(f"make_folds: {detail}", file=sys.stderr)
    print(f"make_folds: error: {' '.join(sentence.splitlines())}", file=sys.stderr)
    return 1


def _check_apart(source: str, output: Place) -> None:
    """Refuse an output that overlaps with the input, because a run would read its folds as input."""
    read = f"{_comparable(source)}/"
    written = f"{_comparable(output.uri)}/"
    if output.is_file:
        raise FoldError(f"{output.uri} is a file: the output is a folder")
    if read.startswith(written) or written.startswith(read):
        raise FoldError(f"the input {source} and the output {output.uri} overlap: give the folds a folder of their own")


def _comparable(uri: str) -> str:
    return uri.replace("s3a://", "s3://", 1).rstrip("/")


def _first_lines(spans: Sequence[Span], options: Options, files: int) -> list[str]:
    """Return the first lines of the first file that is not empty."""
    for span in (span for span in spans if not span.start):
        block = next(blocks(span, _FIRST_BLOCK), b"")
        lines = [line for line in options.form.decode(block).split("\n")[:_SAMPLE] if line]
        if lines:
            return lines
    raise FoldError(f"{options.input} holds no rows: its {number_of(files, 'file is', 'files are')} empty")


def _table(lines: Sequence[str], options: Options) -> Table:
    form, declared = options.form, options.columns
    by_column = declared.groups is not None or options.stratify is not None
    if form.header:
        return Table(from_header(declared, lines[0], form.delimiter), form, lines[0], by_column)
    return Table(without_header(declared), form, None, by_column)


def _deal(survey: Survey, options: Options) -> tuple[Folds, list[str]]:
    """Return the fold of each row, and warnings for the user."""
    rows, folds = survey.rows, options.folds
    if options.columns.groups is not None:
        dealt, largest = grouped(survey.keys, folds, options.seed if options.shuffle else None)
        if largest * folds <= 2 * rows:
            return dealt, []
        share = f"{largest / rows:.0%} of the rows"
        return dealt, [f"one group of {options.columns.groups} holds {share}: folds differ in size"]
    if options.shuffle and options.columns.preparation.classes:
        return by_stratum(survey.classes, folds, options.seed), []
    if options.stratify is not None:
        return stratified(survey.keys, folds, options.seed, options.stratify), []
    return (shuffled(rows, folds, options.seed) if options.shuffle else in_order(rows, folds)), []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
