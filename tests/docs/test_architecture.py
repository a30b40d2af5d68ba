from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/architecture.md").read_text()
WALKS = {walk.splitlines()[0]: walk for walk in TEXT.split("\n### A ")[1:]}


def test_every_file_that_the_page_names_is_there() -> None:
    named = re.findall(r"`([\w/]+/\w+\.(?:py|json|csv))`", TEXT)
    assert named
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_there_are_the_four_walks() -> None:
    assert [name.partition(":")[0] for name in WALKS] == ["configuration value", "request", "row", "step"]


@pytest.mark.parametrize("walk", WALKS)
def test_a_walk_visits_no_file_twice(walk: str) -> None:
    files = re.findall(r"^\d+\. `([\w/.]+)`", WALKS[walk], re.MULTILINE)
    assert len(files) >= 10
    assert len(set(files)) == len(files)
