from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.docs.pages import ROOT

TEXT = (ROOT / "docs/errors.md").read_text("utf-8")
CODES = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \| \d{3} \|", TEXT, re.MULTILINE)))
REASONS = re.findall(r"^\| `(\w+: )", TEXT, re.MULTILINE)
SENTENCES = re.findall(r"`((?:[A-Z]|… )[^`]* [^`]*)`", TEXT.partition("## Executions")[0])
SOURCE = "".join(path.read_text("utf-8") for path in (ROOT / "local").rglob("*.py"))


def test_the_page_lists_messages_reasons_and_codes() -> None:
    assert len(SENTENCES) > 10
    assert len(REASONS) > 2
    assert len(CODES) > 8


@pytest.mark.parametrize("code", CODES)
def test_the_local_service_has_the_code(code) -> None:
    assert f'"{code}"' in SOURCE


@pytest.mark.parametrize("reason", REASONS)
def test_jobs_of_the_local_service_fail_with_the_reason(reason) -> None:
    assert f'"{reason}' in SOURCE


@cache
def messages() -> str:
    """Return every text of the commands, with … for what they fill in."""
    sources = [path for folder in ("scripts", "pipeline") for path in (ROOT / folder).rglob("*.py")]
    nodes = [node for path in sources for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    return "\n".join(filter(None, map(message, nodes)))


def message(node: ast.AST) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in parts)
    return ""


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_command_says_the_sentence(sentence) -> None:
    assert sentence in messages()
