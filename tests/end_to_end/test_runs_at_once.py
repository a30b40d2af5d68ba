"""Two ``make run`` at once in one folder: each ends well, however the other ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.config.loading import load_config
from tests.processes import commands_with

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 240

pytestmark = pytest.mark.slow


class Runs:
    """Processes of ``make run`` in one folder, each with a pipeline of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[str]] = []

    def start(self, name: str) -> subprocess.Popen[str]:
        """Start a run of a small pipeline of this name."""
        dataset = {"input": str(ROOT / "data/insurance.csv"), "label": "charges", "numeric": ["age", "bmi", "children"]}
        tuning = {"learning_rate": [0.1], "l1": [0.001]}
        document = {"pipeline": {"name": name}, "dataset": dataset, "folds": {"count": 2}, "tuning": tuning}
        (self.folder / f"{name}.yaml").write_text(yaml.safe_dump(document))
        inherited = {variable: os.environ[variable] for variable in ("PATH", "HOME") if variable in os.environ}
        process = subprocess.Popen(
            [sys.executable, "-m", "scripts.run"],
            cwd=self.folder,
            env={**inherited, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "CONFIG": f"{name}.yaml"},
            stdout=(self.folder / f"{name}.txt").open("w"),
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.processes.append(process)
        return process

    def said(self, name: str) -> str:
        """Return the output of a run so far."""
        return (self.folder / f"{name}.txt").read_text()

    def results(self, name: str) -> dict[str, Any]:
        """Return the results of the one run of a pipeline."""
        (found,) = [
            document
            for path in self.folder.glob(".local/runs/*/last-run.json")
            if (document := json.loads(path.read_text()))["pipeline_name"] == name
        ]
        return found

    def is_served(self) -> bool:
        """Whether a process has announced its service."""
        lock = self.folder / ".local/service.lock"
        return lock.exists() and "AWS_ENDPOINT_URL" in lock.read_text()

    def end(self) -> None:
        """Kill the processes that still run."""
        for process in self.processes:
            process.kill()
            process.wait()


def wait_until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    started = Runs(tmp_path)
    yield started
    started.end()


def test_two_runs_share_a_service_and_have_results_of_their_own(runs) -> None:
    first = runs.start("first")
    wait_until(lambda: "MakeFolds: Succeeded" in runs.said("first"))
    second = runs.start("second")
    assert first.wait(SECONDS) == 0, runs.said("first")
    assert second.wait(SECONDS) == 0, runs.said("second")
    for name in ("first", "second"):
        results = runs.results(name)
        assert (results["status"], results["endpoint_name"]) == ("Succeeded", name)
        assert len(results["predictions"]) == 3
        folder = runs.folder / ".local/runs" / results["pipeline_execution_arn"].rpartition("/")[2]
        assert load_config(folder / "config.yaml") == load_config(runs.folder / f"{name}.yaml")
    # The first waited with its service, so nothing of the second had to be repeated.
    assert "Another run still uses the local service" in runs.said("first")
    assert "Going on with another one" not in runs.said("second")
    assert json.loads((runs.folder / ".local/last-run.json").read_text()) == runs.results("second")
    assert commands_with(str(runs.folder)) == []


@pytest.mark.parametrize("at", [pytest.param("Published", marks=pytest.mark.long), "MakeFolds: Succeeded"])
def test_a_run_goes_on_when_the_one_with_the_service_is_killed(runs, at) -> None:
    first = runs.start("first")
    wait_until(runs.is_served)
    second = runs.start("second")
    wait_until(lambda: at in runs.said("second"))
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert second.wait(SECONDS) == 0, runs.said("second")
    assert "Going on with another one" in runs.said("second")
    assert runs.results("second")["status"] == "Succeeded"
    assert commands_with(str(runs.folder)) == []


def test_ctrl_c_in_the_run_with_the_service_does_not_wait_for_the_other(runs) -> None:
    first = runs.start("first")
    wait_until(runs.is_served)
    second = runs.start("second")
    wait_until(lambda: "MakeFolds: Executing" in runs.said("second"))
    first.send_signal(signal.SIGINT)
    assert first.wait(SECONDS) == 130, runs.said("first")
    assert second.poll() is None, runs.said("first")
    assert "Interrupted. Repeat the command" in runs.said("first")
    assert second.wait(SECONDS) == 0, runs.said("second")


def test_a_run_does_not_wait_for_one_that_was_killed(runs) -> None:
    first = runs.start("first")
    wait_until(runs.is_served)
    second = runs.start("second")
    wait_until(lambda: "MakeFolds: Executing" in runs.said("second"))
    second.send_signal(signal.SIGKILL)
    second.wait()
    assert first.wait(SECONDS) == 0, runs.said("first")
    assert "Another run still uses" not in runs.said("first")
    assert commands_with(str(runs.folder)) == []
