"""A shell says the commands of docs/tutorial.md one after the other, in a folder as after a clone."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.examples.clones import ROOT

TEXT = (ROOT / "docs/tutorial.md").read_text("utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
# `make local` serves until the shell ends. A port of its own: another service may run on this machine.
SERVE = """
make local > local.log 2>&1 &
trap 'kill $(jobs -p); wait' EXIT
for _ in $(seq 600); do make -s local-env > /dev/null 2>&1 && break; sleep 0.1; done
"""


def results_of_runs(folder: Path) -> list[dict]:
    runs = [json.loads(path.read_text()) for path in folder.glob(".local/runs/*/last-run.json")]
    return sorted(runs, key=lambda run: run["started"])


def test_the_tutorial_names_the_commands_of_a_persons_way() -> None:
    commands = re.findall(r"^make ([a-z-]+)|\bmake -s ([a-z-]+)", "\n".join(BLOCKS), re.MULTILINE)
    assert ["".join(pair) for pair in commands] == [
        *("check-data", "init", "run", "run", "runs", "local", "local-env", "predict")
    ]


@pytest.mark.slow
def test_every_command_does_what_the_tutorial_says(clone, free_port) -> None:
    script = "\n".join(SERVE if block.strip() == "make local" else block for block in BLOCKS)
    environment = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    environment |= {"PORT": str(free_port), "COLUMNS": "100"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=clone, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    shown = [re.sub(r"\s+", " ", line) for line in done.stdout.splitlines()]
    for block in re.findall(r"^```text\n(id|column.*?)^```$", TEXT, re.MULTILINE | re.DOTALL):
        said = [re.sub(r"\s+", " ", line) for line in block.splitlines() if line not in ("", "...")]
        assert [line for line in said if line not in shown and line.rstrip() not in map(str.rstrip, shown)] == []
    runs = results_of_runs(clone)
    assert [run["status"] for run in runs] == ["Succeeded", "Succeeded"]
    quoted = [float(number.replace(",", "")) for number in re.findall(r"MSE +([\d,]+) \(", TEXT)]
    assert quoted == pytest.approx([run["estimate"]["mse"] for run in runs], rel=0.02)
    with (clone / "scored.csv").open(newline="") as file:
        scored = list(csv.DictReader(file))
    assert len(scored) == 5
    assert all(float(row["prediction"]) > 50_000 for row in scored)
