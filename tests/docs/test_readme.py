"""README.md and its Spanish counterpart say the same, and name commands that exist."""

from __future__ import annotations

import re

from tests.docs.commands import block_commands, snippets
from tests.docs.pages import ROOT

README, SPANISH = ROOT / "README.md", ROOT / "README.es.md"


def test_both_languages_have_the_same_commands() -> None:
    english, spanish = (block_commands(page) for page in (README, SPANISH))
    assert "make run" in english
    assert english == spanish
    code = [
        [each.text.partition("  #")[0] for each in snippets(page) if each.language == "python"]
        for page in (README, SPANISH)
    ]
    assert code[0] == code[1] != []


def test_both_languages_have_the_same_sections_tables_and_pictures() -> None:
    english, spanish = (page.read_text("utf-8") for page in (README, SPANISH))
    for mark in (r"^## ", r"^\| ", r"<img src=\"[^\"]+\" width=\"\d+\""):
        found = [re.findall(mark, page, re.MULTILINE) for page in (english, spanish)]
        assert found[0]
        assert found[0] == found[1], mark
