"""A shell says the commands of docs/tutorial.md one after the other, in a folder as after a clone."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from tests.docs.commands import block_commands, make_calls, snippets
from tests.examples.clones import ROOT, SERVE, STOP, run_shell

PAGE = ROOT / "docs/tutorial.md"
TEXT = PAGE.read_text("utf-8")
COMMANDS = block_commands(PAGE)
SHELL = {"make local": SERVE, "make clean-local KEEP=1": f"{STOP}\ncp -r .local/runs runs\nmake clean-local KEEP=1"}
"""Commands that a person says in another way: in another shell, and after a look at the results."""


CHECKLIST = re.findall(r"^\| \d+ \| (.+) \| (.+) \|$", TEXT, re.MULTILINE)
"""What a person does, and sees."""


def results_of_runs(folder: Path) -> list[dict]:
    runs = [json.loads(path.read_text()) for path in folder.glob("*/last-run.json")]
    return sorted(runs, key=lambda run: run["started"])


def test_the_tutorial_names_the_commands_of_a_persons_way() -> None:
    assert [target for command in COMMANDS for target, _ in make_calls(command)] == [
        *("check-data", "init", "check-data", "run", "init", "run", "runs"),
        *("local", "local-env", "predict", "clean-local"),
    ]


def test_the_checklist_has_the_tutorials_commands() -> None:
    listed = {command for done, _ in CHECKLIST for command in re.findall(r"`(make [^`]+)`", done)}
    walked = {command for command in COMMANDS if command.startswith("make ")}
    assert listed - walked == {"make setup", "make clean-all"}
    assert {command for command in walked - listed if "houses-trees" not in command} == set()


@pytest.mark.long
@pytest.mark.slow
def test_every_command_does_what_the_tutorial_says(clone) -> None:
    script = "\n".join(SHELL.get(command, command) for command in COMMANDS)
    done = run_shell(script, clone)
    assert done.returncode == 0, done.stdout + done.stderr
    printed = [line.rstrip() for line in done.stdout.splitlines()]
    runs = results_of_runs(clone / "runs")
    assert results_of_runs(clone / ".local/runs") == runs[1:]
    assert [run["status"] for run in runs] == ["Succeeded", "Succeeded"]
    quoted = [float(number.replace(",", "")) for number in re.findall(r"MSE +([\d,]+) \(", TEXT)]
    linear, trees = (run["estimate"]["mse"] for run in runs)
    assert quoted == pytest.approx([linear, trees, linear], rel=0.02)
    page = next(each.text for each in snippets(PAGE) if each.language == "text")
    assert [line for line in page.splitlines() if line not in ("", "...") and line not in printed] == []
    with (clone / "scored.csv").open(newline="") as file:
        scored = list(csv.DictReader(file))
    assert len(scored) == 5
    assert all(float(row["prediction"]) == pytest.approx(float(row["price"]), rel=0.25) for row in scored)
    assert set(printed) >= {row["prediction"] for row in scored}
    said = done.stdout + done.stderr + (clone / "local.log").read_text()
    # Not the set-up, and not the end: the environment is that of these tests.
    for _, seen in CHECKLIST[1:-1]:
        for quoted_text in re.findall("`([^`]+)`", seen):
            assert re.search(re.escape(quoted_text).replace(r"\.\.\.", ".*"), said), quoted_text
