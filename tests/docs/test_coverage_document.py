from __future__ import annotations

from pathlib import Path

from local.app.coverage import document

PAGE = Path(__file__).parents[2] / "docs/coverage.md"


def test_the_page_says_what_the_code_has() -> None:
    assert PAGE.read_text() == document(), "run: .venv/bin/python -m local.app.coverage > docs/coverage.md"
