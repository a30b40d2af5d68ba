from __future__ import annotations

import re

import pytest

from tests.docs.pages import ROOT

TEXT = (ROOT / "docs/errors.md").read_text("utf-8")
CODES = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \| \d{3} \|", TEXT, re.MULTILINE)))
SOURCE = "".join(path.read_text("utf-8") for path in (ROOT / "local").rglob("*.py"))


def test_the_page_lists_codes() -> None:
    assert len(CODES) >= 8


@pytest.mark.parametrize("code", CODES)
def test_the_local_service_has_the_code(code) -> None:
    assert f'"{code}"' in SOURCE


@pytest.mark.parametrize("sentence", re.findall(r"`([A-Z][^`]* [^`…]*?) ?…?`", TEXT))
def test_a_command_says_the_sentence(sentence) -> None:
    beginning = sentence.partition(" http")[0]
    assert beginning in (ROOT / "scripts/console.py").read_text("utf-8")
