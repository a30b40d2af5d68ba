from __future__ import annotations

import pytest

from pipeline.operate.answers import AnswerError, score_of, scores_of


def test_an_endpoint_answers_with_a_score_for_each_row() -> None:
    assert scores_of(b'{"predictions": [{"score": 1.5}, {"score": 2, "predicted_label": 1}]}') == [1.5, 2.0]


@pytest.mark.parametrize(
    "answer", [b"1.5", b"{}", b'{"predictions": [{"score": [0.1, 0.9]}]}', b'{"predictions": [1]}']
)
def test_an_answer_without_scores_is_refused(answer) -> None:
    with pytest.raises(AnswerError):
        scores_of(answer)


def test_a_line_of_a_transform_job_follows_its_type() -> None:
    assert score_of('{"score": 1.5}\n', "application/jsonlines") == 1.5
    assert score_of("1.5\n", "text/csv") == 1.5
    for line, content_type in (("1.5", "application/jsonlines"), ('{"score": 1}', "text/csv"), ("[1]", "text/csv")):
        with pytest.raises(AnswerError):
            score_of(line, content_type)
