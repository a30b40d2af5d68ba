from __future__ import annotations

import math

import pytest

from pipeline.errors import UserError
from pipeline.operate.answers import AnswerError, answer_in_line, answers_in
from pipeline.operate.model_columns import ModelColumns, Prediction

LETTERS = ("a", "b", "c")


def predicted(classes: tuple[str, ...], document: str) -> list[Prediction]:
    columns = ModelColumns("label", {}, None, "the model package", classes=classes)
    return [columns.prediction_of(answer) for answer in answers_in(document.encode(), columns.answer_length)]


def test_a_number_is_predicted_by_one_score() -> None:
    document = '{"predictions": [{"score": 1.5}, {"score": 2, "predicted_label": 1}]}'
    assert predicted((), document) == [Prediction(1.5), Prediction(2.0)]


def test_of_two_classes_the_models_own_label_counts() -> None:
    document = '{"predictions": [{"score": 0.4, "predicted_label": 1}, {"score": 0.6, "predicted_label": 0.0}]}'
    assert predicted(("no", "yes"), document) == [Prediction("yes", (0.4,)), Prediction("no", (0.6,))]


def test_without_a_label_the_most_probable_class_is_predicted() -> None:
    two = '{"predictions": [{"score": 0.51}, {"score": 0.5}, {"score": 0.49}]}'
    assert [found.value for found in predicted(("no", "yes"), two)] == ["yes", "no", "no"]
    three = '{"predictions": [{"score": [0.2, 0.3, 0.5]}, {"score": [0.4, 0.2, 0.4]}]}'
    assert predicted(LETTERS, three) == [Prediction("c", (0.2, 0.3, 0.5)), Prediction("a", (0.4, 0.2, 0.4))]


def test_of_more_classes_the_models_own_label_counts() -> None:
    document = '{"predictions": [{"score": [0.2, 0.3, 0.5], "predicted_label": 1}]}'
    assert predicted(LETTERS, document) == [Prediction("b", (0.2, 0.3, 0.5))]


@pytest.mark.parametrize("label", ["3", "-1", "0.5"])
def test_a_class_that_is_not_there_is_told(label) -> None:
    with pytest.raises(UserError, match=rf"predicts the class {label}, and the model package has 3 classes"):
        predicted(LETTERS, f'{{"predictions": [{{"score": [0.2, 0.3, 0.5], "predicted_label": {label}}}]}}')


@pytest.mark.parametrize(
    ("length", "answer"),
    [
        *((1, answer) for answer in ("1.5", "{}", '{"predictions": [{"score": [0.1]}]}', '{"predictions": [1]}')),
        *(
            (2, f'{{"predictions": [{found}]}}')
            for found in ('{"score": [0.1]}', '{"score": 1, "predicted_label": "a"}')
        ),
        *((4, f'{{"predictions": [{{"score": {found}}}]}}') for found in ("0.1", "[0.1, 0.9]", "[0.1, 0.2, true]")),
    ],
)
def test_an_answer_of_another_form_is_refused(length, answer) -> None:
    with pytest.raises(AnswerError):
        answers_in(answer.encode(), length)


def test_a_line_of_a_transform_job_follows_its_type() -> None:
    assert answer_in_line('{"score": 1.5}\n', "application/jsonlines", 1) == (1.5,)
    assert answer_in_line('{"score": 0.5, "predicted_label": 1}\n', "application/jsonlines", 2) == (0.5, 1.0)
    assert answer_in_line("1.5\n", "text/csv", 1) == (1.5,)
    *scores, label = answer_in_line("[0.25, 0.5, 0.25]\n", "text/csv", 4)
    assert scores == [0.25, 0.5, 0.25]
    assert math.isnan(label)
    for line, content_type in (("1.5", "application/jsonlines"), ('{"score": 1}', "text/csv"), ("[1]", "text/csv")):
        with pytest.raises(AnswerError):
            answer_in_line(line, content_type, 1)
