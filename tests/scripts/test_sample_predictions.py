"""The table of predictions that ``make run`` prints."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.config.columns import DatasetSection
from pipeline.operate.prediction import ScoredRow
from scripts.sample_predictions import side_by_side

DATASET = DatasetSection(input="rows.csv", label="risk", numeric=["size", "age"])


def scored(prediction: Any, label: str, *scores: float) -> ScoredRow:
    file: Any = SimpleNamespace(layout=SimpleNamespace(names=["size", "risk", "age"]))
    return ScoredRow(file, 1, ["1.5", label, "30"], prediction, scores, None)


def words(lines: list[str]) -> list[list[str]]:
    return [line.split() for line in lines]


def test_a_number_stands_beside_the_labels_number() -> None:
    head, row = words(side_by_side([scored(1234.567, " 1000 ")], DATASET, (), 80))
    assert head == ["size", "age", "prediction", "actual", "risk"]
    assert row == ["1.5", "30", "1,234.57", "1,000.00"]


def test_numbers_have_the_files_decimal_separator() -> None:
    dataset = DATASET.model_copy(update={"decimal": ","})
    (_, row) = words(side_by_side([scored(255515.691, "170493,5")], dataset, (), 80))
    assert row[2:] == ["255515,69", "170493,50"]
    (_, row) = words(side_by_side([scored("yes", "no", 0.75)], dataset, ("probability_yes",), 80))
    assert row[2:] == ["yes", "0,7500", "no"]


def test_a_class_stands_beside_the_labels_text_with_its_probability() -> None:
    head, row = words(side_by_side([scored("1", " 0 ", 0.75)], DATASET, ("probability_1",), 80))
    assert head == ["size", "age", "prediction", "probability_1", "actual", "risk"]
    assert row == ["1.5", "30", "1", "0.7500", "0"]


def test_of_many_classes_the_predicted_ones_probability_is_shown() -> None:
    columns = ("probability_low", "probability_middle", "probability_high")
    head, row = words(side_by_side([scored("high", "low", 0.1, 0.2, 0.7)], DATASET, columns, 80))
    assert head[2:5] == ["prediction", "its", "probability"]
    assert row == ["1.5", "30", "high", "0.7000", "low"]


def test_features_that_do_not_fit_the_line_are_counted() -> None:
    (head, _) = side_by_side([scored("high", "low", 0.7)], DATASET, ("probability_high",), 50)
    assert "(1 more)" in head
    assert "age" not in head


@pytest.mark.parametrize(("width", "features"), [(200, 6), (80, 3), (20, 1)])
def test_predictions_have_as_many_features_as_fit(width, features) -> None:
    names = [f"a_long_name_{number}" for number in range(8)]
    row: Any = SimpleNamespace(
        file=SimpleNamespace(layout=SimpleNamespace(names=[*names, "y"])), fields=["1"] * 9, prediction=2.0, scores=()
    )
    dataset: Any = SimpleNamespace(label="y", decimal=".")
    header, values = side_by_side([row], dataset, (), width)
    assert [name in header for name in names] == [True] * features + [False] * (8 - features)
    assert f"({8 - features} more)" in header
    assert values.split()[-2:] == ["2.00", "1.00"]
    assert len(header) <= width or features == 1
