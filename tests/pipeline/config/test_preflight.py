"""What is told of a local input before anything is started."""

from __future__ import annotations

import bz2
import gzip
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.models import Config
from pipeline.config.preflight import check_input
from tests.pipeline.config.conftest import faults_of_input

HEADER = "age,sex,bmi,children,smoker,region,charges\n"
ROW = "19,female,27.9,0,yes,southwest,16884.924\n"
GOOD = HEADER + ROW * 200


@pytest.fixture
def faults(config: Config, tmp_path: Path):
    """Return what finds the faults of a file with the project's own configuration, changed in some keys."""

    def find(content: bytes | str | None, name: str = "rows.csv", **changes: Any) -> list[str]:
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        folds = {key: changes.pop(key) for key in list(changes) if key in ("count",)}
        tuning = {key: changes.pop(key) for key in list(changes) if key == "static_hyperparameters"}
        changed = config.model_copy(
            update={
                "dataset": config.dataset.model_copy(update={"input": str(path), **changes}),
                "folds": config.folds.model_copy(update=folds),
                "tuning": config.tuning.model_copy(update=tuning),
            }
        )
        return faults_of_input(changed, tmp_path)

    return find


def test_a_file_that_fits_has_no_faults(faults) -> None:
    assert faults(GOOD) == []
    assert faults("\ufeff" + GOOD) == []
    assert faults(gzip.compress(GOOD.encode()), "rows.csv.gz") == []
    assert faults(bz2.compress(GOOD.encode()), "rows.csv.bz2") == []


def test_an_input_in_s3_is_not_looked_at(config: Config) -> None:
    check_input(config.model_copy(update={"dataset": config.dataset.model_copy(update={"input": "s3://b/k"})}))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "dataset.input: there is no file 'rows.csv'"),
        (" \n", "dataset.input: rows.csv is empty: is it the right file? It needs a header and rows"),
        ("\n" + GOOD, "dataset.input: the first line of rows.csv is blank: remove it"),
        (
            GOOD.replace("bmi", "BMI"),
            "dataset.numeric: the header of rows.csv has no column 'bmi'; did you mean 'BMI'?",
        ),
        (
            GOOD.replace("smoker", "habits"),
            "dataset.categorical: the header of rows.csv has no column 'smoker'. It has:",
        ),
        (GOOD.replace("bmi", '"new\nline"', 1), "dataset.input: rows.csv: the header has a line break within quotes"),
        (GOOD.replace("bmi", '"bmi\r\n"', 1), "dataset.input: rows.csv: the header has a line break within quotes"),
        (GOOD.replace("bmi", '"bmi', 1), "dataset.input: rows.csv: the header has a line break within quotes"),
        (GOOD.replace(",", ";"), "dataset.delimiter: the first line of rows.csv has one field with ',': ';'?"),
        (GOOD.encode().replace(b"yes", b"\xe4"), "dataset.encoding: rows.csv, line 2: is not UTF-8"),
        ("1,2,3\n" * 200, "dataset.header: the first line of rows.csv holds numbers and no names"),
        ('"sep=,"\r\n' + GOOD, "dataset.input: rows.csv: its first line, sep=,, is for Excel only: remove it"),
        (GOOD.encode("utf-16"), "dataset.input: rows.csv is UTF-16, which is not supported: save it as UTF-8"),
        (HEADER + ROW * 4, "folds.count: 5 folds need as many rows, and rows.csv has 4: add rows, or lower it to 4"),
        (HEADER, "folds.count: 5 folds need as many rows, and rows.csv has 0: add rows"),
        (HEADER + ROW * 100, "tuning.static_hyperparameters.mini_batch_size: 100 is more than the 80 rows"),
    ],
)
def test_a_file_that_does_not_fit_is_told_with_the_key(faults, content, expected) -> None:
    (fault,) = faults(content)
    assert fault.startswith(expected)


def test_all_missing_columns_are_told_at_once(faults) -> None:
    found = faults(GOOD, label="cost", groups="family")
    assert [fault.partition(":")[0] for fault in found] == ["dataset.label", "dataset.groups"]


def test_many_missing_columns_of_a_key_are_one_sentence(faults) -> None:
    (fault,) = faults(GOOD, numeric=[f"x{n}" for n in range(100)])
    assert fault == (
        "dataset.numeric: the header of rows.csv lacks 100 columns: 'x0', 'x1', 'x2' and 97 more. "
        "It has: age, sex, bmi, children, smoker, region, charges"
    )


def test_a_name_may_be_a_number(faults) -> None:
    assert faults(GOOD.replace("bmi", "2019", 1), numeric=["age", "2019", "children"]) == []


def test_a_first_row_may_have_a_line_break(faults) -> None:
    assert faults(ROW.replace("27.9", '"27.9\n"') + ROW * 200, header=False) == []
    assert faults(GOOD.replace("bmi", "bmi,a\u2028b", 1)) == []


def test_a_column_that_the_header_has_twice_is_told(faults) -> None:
    assert faults(GOOD.replace("charges\n", "charges,bmi\n", 1)) == [
        "dataset.numeric: the header of rows.csv names the column 'bmi' twice: rename one of them in the file"
    ]
    # A column that is not used may be there twice.
    assert faults(GOOD.replace("charges\n", "charges,x,x\n", 1)) == []


def test_a_file_without_a_header_has_the_declared_number_of_columns(faults) -> None:
    assert faults(ROW * 200, header=False) == []
    (fault,) = faults("1,2,3\n" * 200, header=False)
    assert fault.startswith("dataset.header: the first line of rows.csv has 3 fields, and 7 columns are declared")


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_rows_are_counted_whatever_ends_a_line(faults, newline) -> None:
    static = {"static_hyperparameters": {"mini_batch_size": 160}}
    assert faults(GOOD.replace("\n", newline), **static) == []
    assert len(faults((HEADER + ROW * 199).replace("\n", newline), **static)) == 1
    # A batch that is not set follows the rows.
    assert faults(HEADER + ROW * 5, static_hyperparameters={}) == []


def test_a_damaged_archive_is_a_sentence(faults) -> None:
    whole = gzip.compress(GOOD.encode())
    # Cut off, another file, and with other bytes inside: each is another exception in Python.
    for damaged in (whole[:40], b"no archive", whole[:20] + b"\xff" * 20 + whole[40:]):
        (fault,) = faults(damaged, "rows.csv.gz")
        assert fault.startswith("dataset.input: rows.csv.gz cannot be read")


def test_a_character_that_the_first_megabyte_cuts_is_no_fault(faults) -> None:
    text = HEADER + "x" * ((1 << 20) - len(HEADER) - 1) + "é" * 9 + "\n"
    assert faults(text) == []
