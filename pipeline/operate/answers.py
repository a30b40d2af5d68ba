"""Reads the answers of models."""

from __future__ import annotations

import json
import math
from typing import Any

Answer = tuple[float, ...]
"""What a model answers for a row, as numbers.

That is one score, the prediction, if the label is a number. If the label has classes, it is one score for two classes,
or one for each of more; and then the number of the predicted class, which is NaN if the model does not say it.
"""


_OF_TWO_CLASSES = 2
"""The length of an answer with the score of the second class, and the predicted class."""


class AnswerError(ValueError):
    """An answer does not have the numbers for each row; the text says what it has."""


def answers_in(document: bytes, length: int) -> list[Answer]:
    """Return each row's answer in an endpoint's response of ``application/json``.

    Args:
        document: the response's body.
        length: the number of numbers of each row.

    Raises:
        AnswerError: the response has another form.
    """
    try:
        predictions = json.loads(document)["predictions"]
        if length == 1:  # several times as fast
            return [(_number(found["score"]),) for found in predictions]
        return [answer_in(found, length) for found in predictions]
    except (ValueError, KeyError, TypeError) as error:
        raise _misfit(error) from None


def answer_in_line(line: str, content_type: str, length: int) -> Answer:
    """Return the answer in a line of a transform job's output.

    Args:
        line: the line.
        content_type: the output's type: ``application/jsonlines``, or ``text/csv`` with nothing but the score, or with
            a list of scores in brackets.
        length: the number of numbers of a row.

    Raises:
        AnswerError: the line has another form.
    """
    try:
        found = json.loads(line)
        return answer_in(found if content_type == "application/jsonlines" else {"score": found}, length)
    except (ValueError, KeyError, TypeError) as error:
        raise _misfit(error) from None


def answer_in(prediction: Any, length: int) -> Answer:
    """Return the answer in the JSON object that a model gives for a row.

    Args:
        prediction: the object: ``{"score": 0.4, "predicted_label": 0}``. Some algorithms give no label.
        length: the number of numbers of a row; 1 if the label is a number, and then a label is left out.

    Raises:
        AnswerError: the object has another form.
    """
    try:
        found = prediction["score"]
        scores = tuple(map(_number, found if length > _OF_TWO_CLASSES else [found]))
        label = prediction.get("predicted_label")
        numbers = scores if length == 1 else (*scores, math.nan if label is None else _number(label))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _misfit(error) from None
    if len(numbers) != length:
        raise AnswerError(f"it has {len(scores)} scores for a row, and {length - 1} are expected")
    return numbers


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is not a number")
    return float(value)


def _misfit(error: Exception) -> AnswerError:
    return error if isinstance(error, AnswerError) else AnswerError(repr(error))
