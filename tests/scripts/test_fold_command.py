"""``make fold``: the folds of files of this machine, without SageMaker."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.commands import run_command
from tests.processes import commands_with

PROJECT = Path(__file__).parents[2]
INSURANCE = PROJECT / "data" / "insurance.csv"


def start(folder: Path, **options: object) -> subprocess.Popen[str]:
    """Start what ``make fold`` runs, its options given as make gives them."""
    (folder / "temporary").mkdir()
    environment = os.environ | {"TMPDIR": str(folder / "temporary")}
    return subprocess.Popen(
        [sys.executable, "-m", "scripts.fold"],
        cwd=PROJECT,
        env=environment | {name: str(value) for name, value in options.items()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_a_file_is_split_and_spark_shows_no_more_than_its_progress(tmp_path: Path) -> None:
    output = tmp_path / "folds"
    out, err = start(tmp_path, INPUT=INSURANCE, OUTPUT=output, FOLDS=3, LAYOUT="manifest").communicate(timeout=300)
    assert f"1338 rows in 3 folds of 446, 446, 446: file://{output}" in out
    assert not [line for line in err.replace("\r", "\n").splitlines() if line.strip() and not line.startswith("[Stage")]
    report = json.loads((output / "folds.json").read_text())
    assert (report["rows"], report["layout"]) == (1338, "manifest")
    rows = [line for file in output.glob("vc*/test/*.csv") for line in file.read_text().splitlines()]
    assert len(rows) == 1338
    assert not any((tmp_path / "temporary").iterdir())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"OUTPUT": "folds"}, "INPUT is missing: make fold INPUT=folder OUTPUT=folder"),
        ({"INPUT": INSURANCE}, "OUTPUT is missing"),
        ({"INPUT": "not/there", "OUTPUT": "folds"}, "INPUT: Path 'not/there' does not exist."),
        ({"INPUT": INSURANCE, "OUTPUT": "folds", "FOLDS": "1"}, "FOLDS: '1' is not a whole number from 2 to 20."),
        (
            {"INPUT": INSURANCE, "OUTPUT": "folds", "LAYOUT": "tree"},
            "LAYOUT: 'tree' is not one of 'folders', 'manifest'.",
        ),
    ],
)
def test_a_wrong_option_is_one_sentence(options: dict[str, object], message: str) -> None:
    finished = run_command("fold", os.environ | {name: str(value) for name, value in options.items()})
    assert (finished.returncode, finished.stdout, finished.stderr.count("\n")) == (2, "", 1)
    assert message in finished.stderr


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_says_so_and_leaves_no_program(tmp_path: Path, number: signal.Signals) -> None:
    output = tmp_path / "folds"
    process = start(tmp_path, INPUT=INSURANCE, OUTPUT=output)
    # Java is under way once it has files of its own.
    deadline = time.monotonic() + 60
    while not any((tmp_path / "temporary").glob("make-fold-*/spark-*")):
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Stopped." in err
    assert "Traceback" not in err
    assert not (output / "folds.json").exists()
    assert not any((tmp_path / "temporary").iterdir())
    assert commands_with(str(tmp_path)) == []
