"""How many rows were set aside, why and where: said in one line."""

from __future__ import annotations

import pytest
from folds.verdicts import DESCRIPTIONS

from pipeline.operate.results import RejectedRows
from scripts import rejected_rows
from scripts.rejected_rows import print_rejected_rows

URI = "s3://bucket/prices/executions/ab12/folds/rejected/"
ROWS = RejectedRows(12, 1350, {"not_numeric": 9, "wrong_columns": 2, "missing_value": 1}, URI)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_line_has_the_number_the_reasons_and_the_place(capsys, monkeypatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    print_rejected_rows(ROWS)
    reasons = "9 not a number, 2 wrong number of columns, 1 missing value"
    assert capsys.readouterr().out == f"Rows set aside: 12 of 1,350 ({reasons}): {URI}\n"


def test_the_line_has_the_folder_of_this_machine_if_there_is_one(capsys, monkeypatch, folder) -> None:
    place = ".local/s3/bucket/prices/executions/ab12/folds/rejected"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:8566")
    print_rejected_rows(ROWS)
    assert place not in capsys.readouterr().out
    (folder / place).mkdir(parents=True)
    print_rejected_rows(ROWS)
    assert capsys.readouterr().out.endswith(f"{URI} ({place})\n")


def test_nothing_is_said_if_no_row_was_set_aside(capsys) -> None:
    print_rejected_rows(None)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("verdict", DESCRIPTIONS)
def test_a_reason_has_the_words_of_the_job(verdict) -> None:
    assert rejected_rows._words(verdict.reason) == DESCRIPTIONS[verdict]
