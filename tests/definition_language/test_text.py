"""How text is shown to people."""

from __future__ import annotations

import io

import pytest

from definition_language.streams import shown
from definition_language.text import broken


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("fits", ["fits"]),
        ("", [""]),
        ("one line\nand another one that is too long", ["one line", "and another one that", "is too long"]),
        ("the mean is 124,425,755", ["the mean is", "124,425,755"]),
        ("MSE     124,425 (95 % of all)", ["MSE     124,425 (95", "        % of all)"]),
        ("ARN     arn:aws:a:1234567 (new)", ["ARN", "arn:aws:a:1234567", "(new)"]),
        ("  deleted the function of it", ["  deleted the", "  function of it"]),
        ("left-out rows are in-between", ["left-out rows are", "in-between"]),
        ("a long word: arn:aws:sagemaker:us-east-1", ["a long word:", "arn:aws:sagemaker:us-east-1"]),
        ("look, then: make run CONFIG=houses.yaml", ["look, then:", "make run CONFIG=houses.yaml"]),
        ("or: python -m scripts.init --label", ["or:", "python -m scripts.init --label"]),
        ("export PATH=/a/long/path/of/many", ["export PATH=/a/long/path/of/many"]),
    ],
)
def test_lines_break_between_words_and_not_within_commands(text, lines) -> None:
    assert broken(text, 20).split("\n") == lines


def test_only_a_terminal_gets_broken_lines(monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "10")
    stream = io.StringIO()
    assert shown("some words\x1b here", stream) == "some words\\x1b here"
    monkeypatch.setattr(stream, "isatty", lambda: True)
    assert shown("some words here", stream) == "some words\nhere"
