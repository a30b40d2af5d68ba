from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from local.app.server import hold_folder
from local.core.settings import Settings
from pipeline.errors import UserError
from scripts import runs
from scripts.console import console

RESULTS: dict[str, Any] = {
    "pipeline_name": "prices",
    "status": "Succeeded",
    "failure_reason": None,
    "selection_rule": "one_standard_error",
    "estimate": {"mse": 129140951.7, "low": 110215525.9, "high": 148066377.4},
    "best_hyperparameters": {"learning_rate": "0.000316227766", "l1": "0.001"},
    "rows": 1338,
    "rejected_rows": 2,
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(console, "width", 80)
    return tmp_path


def leave_run(name: str, hour: int, **results: Any) -> None:
    folder = Path(".local/runs") / name
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text("pipeline: {name: prices}")
    document = {**RESULTS, "ended": f"2026-01-31T{hour:02}:30:00+00:00", **results}
    (folder / "last-run.json").write_text(json.dumps(document))


def test_the_runs_are_listed_the_newest_first(capsys) -> None:
    leave_run("aaaaaaaaaaaa", 9)
    leave_run("bbbbbbbbbbbb", 11, estimate={"mse": 1.25, "low": None, "high": None}, selection_rule="lowest_mse")
    leave_run("cccccccccccc", 10, metric="validation:objective_loss", metric_title="log loss")
    assert runs.main([], standalone_mode=False) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[3] for line in lines if not line.startswith(" ")] == [
        "bbbbbbbbbbbb",
        "cccccccccccc",
        "aaaaaaaaaaaa",
    ]
    assert lines[1] == "  MSE 1.25 on one fold, rule lowest_mse"
    assert lines[4].startswith("  log loss 129,140,952 (")
    assert lines[-2:] == [
        "  MSE 129,140,952 (110,215,526 to 148,066,377), rule one_standard_error",
        "  learning_rate 0.0003162, l1 0.001; 1,338 rows, 2 rejected",
    ]


def test_a_run_without_a_model_has_its_reason(capsys) -> None:
    leave_run("aaaaaaaaaaaa", 9, status="Failed", failure_reason="MakeFolds failed: no rows\nmore", estimate=None)
    runs.main([], standalone_mode=False)
    first, reason = capsys.readouterr().out.splitlines()
    assert first.split()[2:] == ["Failed", "aaaaaaaaaaaa", "prices"]
    assert reason == "  MakeFolds failed: no rows"


@pytest.mark.parametrize(
    ("is_served", "expected"), [(False, "  interrupted"), (True, "  still running, or interrupted")]
)
def test_a_run_that_was_interrupted_is_listed_without_results(is_served, expected, folder, capsys) -> None:
    leave_run("aaaaaaaaaaaa", 9)
    Path(".local/runs/aaaaaaaaaaaa/last-run.json").unlink()
    settings = Settings(folder / ".local")
    with hold_folder(settings) if is_served else nullcontext():
        runs.main([], standalone_mode=False)
    hold_folder(settings).close()  # Looking at the lock leaves it free.
    first, note = capsys.readouterr().out.splitlines()
    assert first.endswith("No results  aaaaaaaaaaaa  prices")
    assert note == expected


def test_no_line_is_longer_than_80_characters(capsys) -> None:
    estimate = {"mse": 1.7976931348e300, "low": -1.7976931348e290, "high": 1.7976931348e300}
    leave_run("aaaaaaaaaaaa", 9, pipeline_name="x" * 32, estimate=estimate, failure_reason="y" * 200)
    runs.main([], standalone_mode=False)
    assert max(len(line) for line in capsys.readouterr().out.splitlines()) <= 80


def test_no_run_is_a_sentence() -> None:
    with pytest.raises(UserError, match=r"There is no run in .*: start one with 'make run'"):
        runs.main([], standalone_mode=False)
