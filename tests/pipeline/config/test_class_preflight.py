"""What is told of a label with classes before anything is started."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.models import Config
from tests.pipeline.config.conftest import faults_of_input

GOOD = "size,kind\n" + "1,no\n2,yes\n" * 20


@pytest.fixture
def faults(tmp_path: Path):
    """Return what finds the faults of a file for the classes no and yes."""

    def find(content: str, folds: dict[str, Any] | None = None, **dataset: Any) -> list[str]:
        path = tmp_path / "rows.csv"
        path.write_text(content)
        usual = {"input": str(path), "label": "kind", "classes": ["no", "yes"], "numeric": ["size"]}
        config = Config.model_validate(
            {
                "pipeline": {"name": "rows"},
                "training": {"problem": "binary"},
                "dataset": {**usual, **dataset},
                "folds": folds or {},
            }
        )
        return faults_of_input(config, tmp_path)

    return find


def test_a_file_that_fits_has_no_faults(faults) -> None:
    assert faults(GOOD) == []
    assert faults(GOOD.replace("1,no", '1, "no" ', 1).replace('"', "")) == [], "blanks around a class"
    assert faults("no,1\nyes,2\n" * 20, header=False) == []


def test_values_that_are_no_class_are_named_with_their_rows(faults) -> None:
    (fault,) = faults(GOOD + "1,Yes\n" * 2 + "1,maybe\n")
    assert fault.startswith(
        "dataset.classes: kind has other values in rows.csv, with their rows: 'Yes' (2), 'maybe' (1). "
    )


def test_values_that_are_missing_or_set_aside_are_no_fault(faults) -> None:
    assert faults(GOOD + "1,NA\n") == [], "MakeFolds says how missing values may be treated"
    quarantine = {"on_bad_rows": "quarantine", "max_bad_share": 0.1}
    assert faults(GOOD + "1,maybe\n" * 4, quarantine) == []
    assert len(faults(GOOD + "1,maybe\n" * 5, quarantine)) == 1


def test_a_class_that_no_row_has_is_told(faults) -> None:
    assert faults("size,kind\n" + "1,no\n" * 20) == [
        "dataset.classes: no row of rows.csv has the class 'yes': remove or correct it"
    ]


def test_too_few_rows_of_every_class_are_told(faults) -> None:
    few = "size,kind\n" + "1,no\n2,yes\n" * 4
    assert faults(few) == ["folds.count: every class has fewer rows than 5 folds: 'no' (4), 'yes' (4)"]
    assert faults(few + "1,no\n") == [], "MakeFolds warns only"


def test_of_a_large_file_the_start_is_looked_at(faults) -> None:
    rows = "1234567,no\n" * 100_000
    assert faults(f"size,kind\n{rows}") == [], "the other class may follow, and the last row may be cut"
    (fault,) = faults(f"size,kind\n1,maybe\n{rows}")
    assert re.search(r"in the first 9\d{4} rows of rows\.csv", fault)
    assert "'maybe' (1)" in fault
