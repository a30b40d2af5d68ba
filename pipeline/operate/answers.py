"""Reads the scores in the answers of models."""

from __future__ import annotations

import json
from typing import Any


class AnswerError(ValueError):
    """An answer does not have a score for each row; the text says what it has."""


def scores_of(document: bytes) -> list[float]:
    """Return the scores in an endpoint's answer of ``application/json``.

    Raises:
        AnswerError: the answer has another form.
    """
    try:
        return [_score(found["score"]) for found in json.loads(document)["predictions"]]
    except (ValueError, KeyError, TypeError) as error:
        raise AnswerError(repr(error)) from None


def score_of(line: str, content_type: str) -> float:
    """Return the score in a line of a transform job's output.

    Args:
        line: the line.
        content_type: the output's type: ``application/jsonlines``, or ``text/csv`` with nothing but the score.

    Raises:
        AnswerError: the line has another form.
    """
    try:
        answer = json.loads(line)
        return _score(answer["score"] if content_type == "application/jsonlines" else answer)
    except (ValueError, KeyError, TypeError) as error:
        raise AnswerError(repr(error)) from None


def _score(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is not a number")
    return float(value)
