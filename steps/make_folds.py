"""Splits a CSV dataset into cross-validation folds, in the form that SageMaker's built-in algorithms train on.

Runs under spark-submit in SageMaker's Spark container, and wherever else pyspark is. The input is read twice: once to
check and count its rows, and once to write each into the test set of its fold. Training sets are copies of the other
folds' test sets, which S3 makes by itself, or manifests that name them:

    <output>/vc1/test/part-*.csv      the rows of fold 1: the label first, no header
    <output>/vc1/train/part-*.csv     all other rows, with --layout folders
    <output>/vc1/train.manifest       the names of the files that hold them, with --layout manifest
    <output>/rejected/part-*.jsonl    rows that cannot be used, with --on-bad-rows quarantine
    <output>/folds.json               what was made of what, written last
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from fold_assignment import fold_sizes, grouped, in_order, shuffled, stratified
from fold_errors import FoldError, explain
from fold_grammar import DESCRIPTIONS, Verdict
from fold_lines import configure, split_size
from fold_options import Options, read_options
from fold_output import Written, arrange, clear, stage, write_report
from fold_plain import PlainTable, examine_plain
from fold_storage import Place, find_input, place
from fold_table import Table, check, examine
from py4j.protocol import Py4JError  # type: ignore[import-untyped]
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession


def make_folds(spark: SparkSession, options: Options) -> dict[str, Any]:
    """Make the folds.

    Returns:
        what folds.json holds.

    Raises:
        FoldError: the input or the options do not allow it. Folds are there as they were before, or not at all.
    """
    path, sizes = find_input(options.input)
    output = place(options.output, options.kms_key)
    _check_apart(options.input, output)
    split = split_size(sum(sizes.values()), spark.sparkContext.defaultParallelism, options.target_bytes * options.folds)
    tasks = configure(spark, sizes, split)
    table: Table | PlainTable | None = examine_plain(spark, sizes, options, split, tasks)
    if table is None:
        table = examine(spark, path, sizes, options, tasks)
        check(table, options)
    rows = table.survey.rows
    if rows < options.folds:
        raise FoldError(f"{rows} usable rows are fewer than {options.folds} folds: lower folds.count")
    write, sizes_of_folds = _assign(spark, table, options)
    report = _report(table, options, sizes_of_folds, len(sizes))
    try:
        clear(output)
        arrange(write(output), rows, options.folds, output, options.layout)
        write_report(report, output)
    except BaseException:
        # What went wrong first is what the user must know.
        with suppress(OSError, BotoCoreError, ClientError, FoldError):
            clear(output)
        raise
    return report


def main(arguments: list[str]) -> int:
    """Run as a program; returns its exit status."""
    try:
        options = read_options(arguments)
        spark = _session(options)
        # Not stopped here, which would wait up to a second for Python's side: Java stops it when this program ends.
        report = make_folds(spark, options)
    except FoldError as error:
        print(f"make_folds: error: {error}", file=sys.stderr)
        return 1
    except (PySparkException, Py4JError, BotoCoreError, ClientError, OSError) as error:
        print(f"make_folds: error: {explain(error)}", file=sys.stderr)
        return 1
    sizes = ", ".join(str(fold["test_rows"]) for fold in report["folds"])
    print(f"make_folds: {report['rows']} rows in {options.folds} folds of {sizes}: {options.output or ''}")
    about = "" if report["duplicate_rows_exact"] else "about "
    print(f"make_folds: {report['rejected']['total']} rows rejected, {about}{report['duplicate_rows']} duplicates kept")
    return 0


def _session(options: Options) -> SparkSession:
    builder = SparkSession.builder.appName("make-folds")
    if options.kms_key:
        # https://hadoop.apache.org/docs/r3.3.6/hadoop-aws/tools/hadoop-aws/encryption.html
        builder = builder.config("spark.hadoop.fs.s3a.encryption.algorithm", "SSE-KMS")
        builder = builder.config("spark.hadoop.fs.s3a.encryption.key", options.kms_key)
    return builder.getOrCreate()


def _check_apart(source: str, output: Place) -> None:
    """Refuse an output whose folds would be read as input, now or in the next run."""
    read = f"{_comparable(source)}/"
    written = f"{_comparable(output.uri)}/"
    if output.is_file:
        raise FoldError(f"{output.uri} is a file: the output is a folder")
    if read.startswith(written) or written.startswith(read):
        raise FoldError(f"the input {source} and the output {output.uri} overlap: give the folds a folder of their own")


def _comparable(uri: str) -> str:
    return uri.replace("s3a://", "s3://", 1).rstrip("/")


def _assign(
    spark: SparkSession, table: Table | PlainTable, options: Options
) -> tuple[Callable[[Place], Written], list[int]]:
    """What writes the rows to their folds, and how many each fold has."""
    rows, folds = table.survey.rows, options.folds
    sizes = fold_sizes(rows, folds)
    if isinstance(table, Table) and options.columns.groups is not None:
        fold, sizes = grouped(table.rows(), folds, options.seed if options.shuffle else None)
    elif isinstance(table, Table) and options.stratify is not None:
        fold = stratified(table.rows(), rows, folds, options.seed, options.stratify)
    else:
        by_number = shuffled(spark, rows, folds, options.seed) if options.shuffle else in_order(rows, folds)
        if isinstance(table, PlainTable):
            return partial(table.stage, by_number, options.kms_key), sizes
        fold = by_number.column()
    return partial(stage, table, fold, folds), sizes


def _report(table: Table | PlainTable, options: Options, sizes: list[int], files: int) -> dict[str, Any]:
    declared, survey = table.columns.declared, table.survey
    rejected = survey.rejected
    return {
        "rows": survey.rows,
        "folds": [
            {"fold": number, "test_rows": size, "train_rows": survey.rows - size}
            for number, size in enumerate(sizes, start=1)
        ],
        "columns": {"label": declared.label, "features": declared.features},
        "feature_dim": len(declared.features),
        "encoding": {name: list(values) for name, values in declared.categorical.items()},
        "ignored_columns": table.columns.ignored,
        "shuffle": options.shuffle,
        "seed": options.seed,
        "groups": declared.groups,
        "stratify": options.stratify,
        "layout": options.layout,
        "input": options.input,
        "input_files": files,
        "data_version": options.data_version,
        "rejected": {
            "total": sum(rejected.values()),
            "by_reason": {fault.reason: rejected.get(fault, 0) for fault in DESCRIPTIONS},
        },
        "duplicate_rows": survey.duplicates,
        "duplicate_rows_exact": survey.compared_all,
        "blank_lines": survey.counts[Verdict.BLANK],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
