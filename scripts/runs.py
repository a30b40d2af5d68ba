"""make runs: list the runs of this folder, the newest first.

Each ``make run`` leaves a folder ``.local/runs/<execution id>`` with ``config.yaml``, the configuration with all its
defaults, and ``last-run.json``, the results. ``.local/last-run.json`` has the results of the newest run.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from pipeline.errors import UserError
from pipeline.operate.objective import own_value_of
from scripts.command_line import command
from scripts.console import console, run
from scripts.report import amount, short
from scripts.run_folders import LAST_RUN, RUNS, has_service, run_folders

_WIDTH = 80


@dataclass(frozen=True)
class Run:
    """A run of this folder.

    Attributes:
        folder: its folder; the folder's name is the execution's id.
        time: when it ended; when it started if it has no results.
        pipeline: the pipeline's name.
        results: the content of last-run.json; None if the run has not ended or was interrupted.
    """

    folder: Path
    time: datetime
    pipeline: str
    results: dict[str, Any] | None

    @property
    def execution_id(self) -> str:
        """The execution's id."""
        return self.folder.name


@command("runs")
def main() -> int:
    """List the runs of this folder with their results, the newest first."""
    runs = all_runs()
    if not runs:
        raise UserError(f"There is no run in {RUNS.absolute()}: start one with 'make run'.")
    for each in runs:
        for line in _lines(each):
            console.print(line, markup=False)
    return 0


def all_runs() -> list[Run]:
    """Return the runs of this folder, the newest first."""
    return sorted((_read(folder) for folder in run_folders()), key=lambda each: each.time, reverse=True)


def _read(folder: Path) -> Run:
    try:
        results = json.loads((folder / LAST_RUN.name).read_text("utf-8"))
    except FileNotFoundError:
        path = folder / "config.yaml"
        name = yaml.safe_load(path.read_text("utf-8"))["pipeline"]["name"]
        return Run(folder, datetime.fromtimestamp(path.stat().st_mtime, UTC), name, None)
    return Run(folder, datetime.fromisoformat(results["ended"]), results["pipeline_name"], results)


def _lines(each: Run) -> list[str]:
    """Return a run's description, with lines of at most 80 characters."""
    status = each.results["status"] if each.results else "No results"
    first = f"{each.time.astimezone():%Y-%m-%d %H:%M}  {status:10}  {each.execution_id}  {each.pipeline}"
    return [line if len(line) <= _WIDTH else f"{line[: _WIDTH - 3]}..." for line in (first, *_details(each.results))]


def _details(results: dict[str, Any] | None) -> list[str]:
    if results is None:
        return ["  still running, or interrupted" if has_service() else "  interrupted"]
    lines = []
    if results["estimate"]:
        # Runs of former versions have no title of their metric, or no metric.
        metric = (results.get("metric") or "validation:mse").rpartition(":")[2]
        title = results.get("metric_title") or ("MSE" if metric == "mse" else metric)
        lines = [f"  {title} {_estimate(results['estimate'])}, rule {results['selection_rule']}"]
        tuned = sorted(results["best_hyperparameters"].items(), reverse=True)
        hyperparameters = ", ".join(f"{name} {short(value)}" for name, value in tuned)
        lines += [f"  {hyperparameters}; {results['rows']:,} rows, {results['rejected_rows']:,} rejected"]
    if results["failure_reason"]:
        lines += [f"  {results['failure_reason'].splitlines()[0]}"]
    return lines


def _estimate(estimate: dict[str, float | None]) -> str:
    shown, low, high = (
        number if number is None else amount(number)
        for number in (own_value_of(estimate), estimate["low"], estimate["high"])
    )
    return f"{shown} on one fold" if low is None else f"{shown} ({low} to {high})"


if __name__ == "__main__":
    run(main)
