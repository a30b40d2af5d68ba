"""A shell says the commands of README.md, in a folder as after a clone, to a local service.

CI says those of the section Development.
"""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from tests.docs.commands import block_commands, section_commands, snippets
from tests.examples.clones import ROOT, SERVE, STOP, run_shell
from tests.examples.houses import write_houses

README, SPANISH = ROOT / "README.md", ROOT / "README.es.md"
ROWS = "age,sex,bmi,children,smoker,region\n19,female,27.9,0,yes,southwest\n18,male,33.77,1,no,southeast\n"
FAILS = {"make rollback": "there was one deployment only"}
"""Commands that end with status 2 here, and why."""


def script_of(lines: list[str]) -> str:
    said = []
    for line in lines:
        said.append(f"echo '+ {line}'".replace("$", ""))
        said.append(f"{line} && exit 9 || test $? -eq 2" if line in FAILS else line)
    return "\n".join(said)


@pytest.mark.slow
@pytest.mark.long
def test_every_command_of_the_front_page_runs(clone: Path) -> None:
    write_houses(clone / "houses.csv", 300)
    write_houses(clone / "new-rows.csv", 5)
    (clone / "rows.csv").write_text(ROWS)
    own, aws = section_commands(README, "Your own data"), section_commands(README, "On AWS")
    local, use = section_commands(README, "The local service"), section_commands(README, "Using the endpoint")
    (code,) = [each.text for each in snippets(README) if each.language == "python"]
    (clone / "use.py").write_text(code)
    assert [len(own), len(aws), len(local), len(use)] == [6, 10, 8, 4]
    assert local[0] == "make local"
    before, scored, after = own[:3], own[3:4], own[4:]
    parts = [
        script_of(before),
        SERVE,
        script_of(local[1:3]),
        # First, because an account whose pipeline was published has the bucket that bootstrap creates.
        script_of(aws),
        script_of(local[3:]),
        "aws s3 mb s3://bucket && aws s3 cp rows.csv s3://bucket/prefix/",
        script_of([*use, *scored]),
        ".venv/bin/python use.py",
        STOP,
        script_of(after),
    ]
    done = run_shell("\n".join(parts), clone, YES="1")
    assert done.returncode == 0, done.stdout + done.stderr
    said = [line for line in done.stdout.splitlines() if line.startswith("+ ")]
    assert len(said) == len(own) + len(aws) + len(local) - 1 + len(use)
    assert re.search(
        r"^b'\{\"predictions\": \[\{\"score\": [\d.]+\}, \{\"score\": [\d.]+\}\]\}'$", done.stdout, re.MULTILINE
    )
    run = json.loads((clone / ".local/last-run.json").read_text())
    assert run["status"] == "Succeeded"
    with (clone / "scored.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 5


@pytest.mark.slow
@pytest.mark.long
def test_the_first_command_gives_the_results_that_the_page_quotes(clone: Path) -> None:
    first = block_commands(README)[0]
    assert first == "make run"
    done = run_shell(first, clone)
    assert done.returncode == 0, done.stdout + done.stderr
    run = json.loads((clone / ".local/last-run.json").read_text())
    assert [run["status"], run["endpoint_name"], len(run["predictions"])] == ["Succeeded", run["pipeline_name"], 3]
    english, spanish = README.read_text("utf-8"), SPANISH.read_text("utf-8")
    for value in (run["best_mse"], *(run["estimate"][name] for name in ("mse", "low", "high"))):
        assert f"{value / 1e6:.1f}" in english
        assert f"{value / 1e6:.1f}".replace(".", ",") in spanish
    (folder,) = (clone / ".local/runs").iterdir()
    assert (folder / "last-run.json").read_text() == (clone / ".local/last-run.json").read_text()
    assert {"report.html", "config.yaml"} <= {file.name for file in folder.iterdir()}
    again = run_shell(first, clone)
    assert again.returncode == 0, again.stdout + again.stderr
    second = json.loads((clone / ".local/last-run.json").read_text())
    assert second["model_package_arn"] == run["model_package_arn"]
