"""README.md and its Spanish counterpart say the same, and name commands that exist."""

from __future__ import annotations

import re

import pytest

from tests.commands import ROOT

README, SPANISH = ROOT / "README.md", ROOT / "README.es.md"


def commands(text: str) -> list[str]:
    """Return the lines of a document's code blocks, without comments and diagrams."""
    blocks = re.findall(r"\n\n((?:    .*\n|\n(?=    ))+)", text)
    lines = [line.strip().partition(" #")[0].rstrip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line and not re.search("[─│└├┌┘]", line)]


def test_both_languages_have_the_same_commands() -> None:
    english, spanish = (commands(page.read_text("utf-8")) for page in (README, SPANISH))
    assert "make run" in english
    assert english == spanish


def test_both_languages_have_the_same_sections_tables_and_pictures() -> None:
    english, spanish = (page.read_text("utf-8") for page in (README, SPANISH))
    for mark in (r"^## ", r"^\| ", r"<img src=\"[^\"]+\" width=\"\d+\""):
        found = [re.findall(mark, page, re.MULTILINE) for page in (english, spanish)]
        assert found[0]
        assert found[0] == found[1], mark


@pytest.mark.parametrize("page", [README, SPANISH], ids=["english", "spanish"])
def test_each_make_command_exists(page) -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake (?:-s )?([a-z][a-z-]+)", page.read_text("utf-8"))) <= targets
