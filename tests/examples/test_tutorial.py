"""A shell says the commands of docs/tutorial.md one after the other, in a folder as after a clone."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from tests.examples.clones import ROOT, SERVE, run_shell

TEXT = (ROOT / "docs/tutorial.md").read_text("utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def results_of_runs(folder: Path) -> list[dict]:
    runs = [json.loads(path.read_text()) for path in folder.glob(".local/runs/*/last-run.json")]
    return sorted(runs, key=lambda run: run["started"])


def test_the_tutorial_names_the_commands_of_a_persons_way() -> None:
    commands = re.findall(r"^make ([a-z-]+)|\bmake -s ([a-z-]+)", "\n".join(BLOCKS), re.MULTILINE)
    assert ["".join(pair) for pair in commands] == [
        *("check-data", "init", "run", "run", "runs", "local", "local-env", "predict")
    ]


@pytest.mark.long
@pytest.mark.slow
def test_every_command_does_what_the_tutorial_says(clone) -> None:
    script = "\n".join(SERVE if block.strip() == "make local" else block for block in BLOCKS)
    done = run_shell(script, clone)
    assert done.returncode == 0, done.stdout + done.stderr
    printed = [line.rstrip() for line in done.stdout.splitlines()]
    runs = results_of_runs(clone)
    assert [run["status"] for run in runs] == ["Succeeded", "Succeeded"]
    quoted = [float(number.replace(",", "")) for number in re.findall(r"MSE +([\d,]+) \(", TEXT)]
    linear, trees = (run["estimate"]["mse"] for run in runs)
    assert quoted == pytest.approx([linear, trees, linear], rel=0.02)
    page = TEXT.partition("```text\n")[2].partition("```")[0]
    assert [line for line in page.splitlines() if line not in ("", "...") and line not in printed] == []
    with (clone / "scored.csv").open(newline="") as file:
        scored = list(csv.DictReader(file))
    assert len(scored) == 5
    assert all(float(row["prediction"]) > 50_000 for row in scored)
