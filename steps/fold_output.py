"""Writing the folds: all of them or none."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fold_errors import FoldError
from fold_storage import UNFINISHED, Place
from fold_table import Table
from pyspark.sql import Column, DataFrameWriter, Observation
from pyspark.sql import functions as f

_REPORT = "folds.json"
_STAGING = "_staging"
_OURS = re.compile(
    rf"vc\d+/(train|test)/|vc\d+/train\.manifest$|rejected/|{_STAGING}/|{re.escape(_REPORT)}$"
    rf"|(vc\d+/)?{UNFINISHED}[^/]*$"
)
_PART = re.compile(r"(?:fold=(?P<fold>\d+)|rejected)/part-(?P<task>\d+)-[^/]*$")


@dataclass(frozen=True)
class Written:
    """What was written into all folds together.

    Attributes:
        rows: how many rows.
        bytes: their size, line breaks included.
    """

    rows: int
    bytes: int


def clear(output: Place) -> None:
    """Remove what an earlier run made, or a failed one left: its report first, so that it never lies."""
    output.delete(output.files(_REPORT))
    for beginning in ("vc", "rejected/", f"{_STAGING}/", UNFINISHED):
        output.delete([name for name in output.files(beginning) if _OURS.match(name)])


def stage(table: Table, fold: Column, folds: int, output: Place) -> Written:
    """Write each row once, aside: a file for each task and fold, which Spark names.

    Args:
        table: the dataset.
        fold: of a row, from 1, for the frame ``table.rows()``.
        folds: how many folds there are.
        output: where they go.
    """
    # A file for each fold is open at the same time. Spark sorts the rows once as many are open as this says.
    table.lines.frame.sparkSession.conf.set("spark.sql.maxConcurrentOutputFileWriters", str(folds + 1))
    counted = Observation()
    rows = table.rows().select("line", fold.alias("fold"))
    rows = rows.observe(counted, f.count("*").alias("rows"), f.sum(f.octet_length("line") + 1).alias("bytes"))
    _writer(table.lines.gathered(rows)).partitionBy("fold").text(f"{output.uri}/{_STAGING}")
    if table.survey.rejected:
        _writer(table.rejected()).json(f"{output.uri}/{_STAGING}/rejected")
    return Written(counted.get["rows"], counted.get["bytes"])


def staged_name(fold: int, task: int) -> str:
    """The name, aside, of the file of a task and fold, where Spark's SQL does not choose one."""
    return f"{_STAGING}/fold={fold}/part-{task:05}-rows.csv"


def arrange(written: Written, rows: int, folds: int, output: Place, layout: str) -> None:
    """Make test and training sets of the files that were written aside.

    Putting copies of them in their places is left to S3 (or to links, on a disk), and moves no data through the
    cluster.

    Args:
        written: what was.
        rows: how many should have been.
        folds: how many folds there are.
        output: where they go.
        layout: ``folders`` or ``manifest``.

    Raises:
        FoldError: not all rows arrived there.
    """
    staged = {name: size for name, size in output.files(f"{_STAGING}/").items() if size and _PART.search(name)}
    _check_complete(rows, written, staged)
    targets = _targets(staged, folds, layout)
    output.copy(targets)
    if layout == "manifest":
        _write_manifests(targets, folds, output)
    output.delete(output.files(f"{_STAGING}/"))


def write_report(report: Mapping[str, Any], output: Place) -> None:
    """Write folds.json, which says that all else is there."""
    _write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", _REPORT, output)


def _writer(frame: Any) -> DataFrameWriter:
    return frame.write.options(**{"mapreduce.fileoutputcommitter.marksuccessfuljobs": "false"})


def _check_complete(rows: int, written: Written, staged: Mapping[str, int]) -> None:
    if written.rows != rows:
        raise FoldError(
            f"{rows} rows were counted and {written.rows} written: "
            "the input changed in between. Run again when it is complete"
        )
    there = sum(size for name, size in staged.items() if "/fold=" in name)
    if there != written.bytes:
        raise FoldError(
            f"{written.bytes} bytes were written and {there} are in the output: a file:// output must be "
            "a disk that all machines of the cluster share, and s3:// the same store for Spark and for boto3"
        )


def _targets(staged: Iterable[str], folds: int, layout: str) -> dict[str, list[str]]:
    targets: dict[str, list[str]] = {}
    for name in sorted(staged):
        part = _PART.search(name)
        assert part is not None
        fold, task = part["fold"], part["task"]
        if fold is None:
            targets[name] = [f"rejected/part-{task}.jsonl"]
            continue
        file = f"part-fold{fold}-{task}.csv"
        others = [other for other in range(1, folds + 1) if str(other) != fold and layout == "folders"]
        targets[name] = [f"vc{fold}/test/{file}", *(f"vc{other}/train/{file}" for other in others)]
    return targets


def _write_manifests(targets: Mapping[str, list[str]], folds: int, output: Place) -> None:
    """Write what names the files of each training set, in the form of SageMaker's S3DataType ManifestFile.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html
    """
    parts = defaultdict(list)
    for name in (name for names in targets.values() for name in names if name.startswith("vc")):
        parts[name.partition("/")[0]].append(name)
    prefix = {"prefix": f"{output.uri.replace('s3a://', 's3://', 1)}/"}
    for fold in range(1, folds + 1):
        names = [name for other in range(1, folds + 1) if other != fold for name in parts[f"vc{other}"]]
        _write_text(json.dumps([prefix, *names]), f"vc{fold}/train.manifest", output)


def _write_text(text: str, name: str, output: Place) -> None:
    with output.writing(name) as file:
        file.write(text.encode())
