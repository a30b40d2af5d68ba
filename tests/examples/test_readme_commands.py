"""A shell says the commands of README.md, in a folder as after a clone, to a local service.

CI says those of the section Development, and tests/end_to_end `make run` without a configuration.
"""

from __future__ import annotations

import csv
import json
import random
import re
from pathlib import Path

import pytest

from tests.examples.clones import ROOT, SERVE, STOP, run_shell

SECTIONS = {
    part.partition("\n")[0]: part for part in re.split(r"^## ", (ROOT / "README.md").read_text("utf-8"), flags=re.M)
}
ROWS = "age,sex,bmi,children,smoker,region\n19,female,27.9,0,yes,southwest\n18,male,33.77,1,no,southeast\n"
OTHER_STATUS = {
    "make doctor": "a new account is not ready",
    "make rollback": "there was one deployment only",
}
"""Commands that end with another status than 0 here, and why."""


def lines_of(section: str) -> list[str]:
    """Return the commands of a section's code blocks, without comments."""
    blocks = re.findall(r"\n\n((?:    .*\n|\n(?=    ))+)", SECTIONS[section])
    code = "".join(blocks).replace("\\\n", " ")
    lines = [line.strip().partition(" #")[0].strip() for line in code.splitlines()]
    return [line for line in lines if re.match(r"make |aws |eval |PATH=", line)]


def script_of(lines: list[str]) -> str:
    said = []
    for line in lines:
        said.append(f"echo '+ {line}'".replace("$", ""))
        said.append(f"{line} || test $? -le 2" if line in OTHER_STATUS else line)
    return "\n".join(said)


def write_houses(file: Path, rows: int) -> None:
    """Write a file of houses whose prices follow from their sizes and places."""
    chance = random.Random(7)
    with file.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["area", "rooms", "place", "price"])
        for _ in range(rows):
            area, rooms, place = chance.randint(40, 200), chance.randint(1, 6), chance.choice(["city", "village"])
            price = 1500 * area + 9000 * rooms + (60000 if place == "city" else 0) + chance.gauss(0, 8000)
            writer.writerow([area, rooms, place, round(price)])


@pytest.mark.slow
@pytest.mark.long
def test_every_command_of_the_front_page_runs(clone: Path) -> None:
    write_houses(clone / "houses.csv", 300)
    write_houses(clone / "new-rows.csv", 5)
    (clone / "rows.csv").write_text(ROWS)
    own, aws = lines_of("Your own data"), lines_of("On AWS")
    local, use = lines_of("The local service"), lines_of("Using the endpoint")
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
        STOP,
        script_of(after),
    ]
    done = run_shell("\n".join(parts), clone, YES="1")
    assert done.returncode == 0, done.stdout + done.stderr
    said = [line for line in done.stdout.splitlines() if line.startswith("+ ")]
    assert len(said) == len(own) + len(aws) + len(local) - 1 + len(use)
    run = json.loads((clone / ".local/last-run.json").read_text())
    assert run["status"] == "Succeeded"
    with (clone / "scored.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 5
