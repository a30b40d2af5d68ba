"""How text is shown to people."""

from __future__ import annotations

import io

import pytest
from evaluation.text import number_of as number_of_evaluation
from folds.text import number_of as number_of_folds

from definition_language.streams import shown
from definition_language.text import broken, number_of


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


@pytest.mark.parametrize("said", [number_of, number_of_evaluation, number_of_folds])
def test_one_of_something_has_no_plural(said) -> None:
    assert [said(count, "row") for count in (0, 1, 2)] == ["0 rows", "1 row", "2 rows"]
    assert [said(count, "class", "classes") for count in (1, 1000)] == ["1 class", "1000 classes"]
    assert said(1000, "row", form=",") == "1,000 rows"
