"""Measures ``make run``: from the command to its last line, in a folder where nothing ran before.

With another checkout of the repository, for example of an earlier commit, runs of both take turns.

Run: ``python -m benchmarks.run [--runs 3] [--other FOLDER]``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

_HERE = Path(__file__).resolve().parents[1]
_LONG = 0.1
"""Seconds of a step that has a row of its own."""

Phases = dict[str, float]


def main() -> None:
    """Run the benchmark and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=3, help="runs of each checkout; the table has their medians")
    parser.add_argument("--other", type=Path, metavar="FOLDER", help="another checkout, after its make setup")
    options = parser.parse_args()
    checkouts = [_HERE, *([options.other.resolve()] if options.other else [])]
    measured: dict[Path, list[Phases]] = defaultdict(list)
    for _ in range(options.runs):
        for checkout in checkouts:
            measured[checkout].append(run(checkout))
    medians = [_medians(measured[checkout]) for checkout in checkouts]
    table = Table("phase", "seconds", *(["seconds of the other", "it / the other"] if options.other else []))
    for phase, seconds in medians[0].items():
        others = [other.get(phase, 0.0) for other in medians[1:]]
        ratios = [f"{seconds / other:.2f}" if other else "" for other in others]
        table.add_row(phase, f"{seconds:.1f}", *(f"{other:.1f}" for other in others), *ratios)
    console = Console()
    console.print(table)
    console.print(f"Medians of {options.runs} runs on {os.cpu_count()} processors.")


def run(checkout: Path) -> Phases:
    """Run the pipeline of a checkout in an empty folder, and return the seconds of its phases.

    Raises:
        RuntimeError: the run failed.
    """
    command = [str(checkout / ".venv/bin/python"), "-m", "scripts.run"]
    command += ["--data", str(checkout / "data/insurance.csv")]
    variables = {"PYTHONPATH": str(checkout), "CONFIG": str(checkout / "config.yaml"), "PYTHONUNBUFFERED": "1"}
    with tempfile.TemporaryDirectory() as folder:
        times = {}
        started = time.monotonic()
        with subprocess.Popen(
            command, cwd=folder, env=os.environ | variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            assert process.stdout is not None
            said = []
            for line in process.stdout:
                times[line.partition(" ")[0]] = time.monotonic()
                said.append(line)
        ended = time.monotonic()
        if process.returncode:
            raise RuntimeError("".join(said))
        result = json.loads(Path(folder, ".local/last-run.json").read_text())
    executed = times["Execution:"] - times["Published"]
    return {
        "starting, building and publishing": times["Published"] - started,
        **_steps(result["step_seconds"], executed),
        "results and page": ended - times["Execution:"],
        "all": ended - started,
    }


def _steps(seconds: Phases, executed: float) -> Phases:
    """Return the seconds of the longer steps, and of all that was executed otherwise."""
    tuning = max(each for name, each in seconds.items() if name.startswith("TuneFold"))
    longer = {name: each for name, each in seconds.items() if each >= _LONG and not name.startswith("TuneFold")}
    folds = {"MakeFolds": longer.pop("MakeFolds"), "TuneFold1 to 5, side by side": tuning}
    steps = folds | longer
    return steps | {"other steps, and between the steps": executed - sum(steps.values())}


def _medians(runs: Sequence[Phases]) -> Phases:
    return {phase: statistics.median(each.get(phase, 0.0) for each in runs) for phase in runs[0]}


if __name__ == "__main__":
    main()
