"""The importance of a variable is the mean growth of the error over all permutations of its values."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from evaluation.importance import importance_of, variables_of
from evaluation.linear_model import LinearModel
from evaluation.moments import Moments, Scale
from evaluation.rows import Block

FOLDS = {
    "columns": {"label": "y", "features": ["age", "day_year", "day_month", "age_missing", "sex_f", "sex_other"]},
    "encoding": {"sex": ["f"]},
    "preparation": {"dates": {"day": {"parts": ["year", "month"]}}, "missing_indicators": ["age"], "other": ["sex"]},
}
VARIABLES = {"age": [0, 3], "day": [1, 2], "sex": [4, 5]}


def moments_of(table: np.ndarray, scale: Scale) -> Moments:
    moments = Moments(scale)
    moments.add(Block(table, []))
    return moments


def error(model: LinearModel, table: np.ndarray) -> float:
    return float(np.mean((model.predict(table[:, 1:]) - table[:, 0]) ** 2))


def growth(model: LinearModel, table: np.ndarray, places: list[int]) -> float:
    columns = [place + 1 for place in places]
    errors = []
    for order in itertools.permutations(range(len(table))):
        exchanged = table.copy()
        exchanged[:, columns] = table[np.ix_(order, columns)]
        errors.append(error(model, exchanged))
    return float(np.mean(errors)) - error(model, table)


def test_features_of_one_variable_belong_together() -> None:
    assert variables_of(FOLDS) == VARIABLES


def test_the_importance_is_the_mean_over_all_permutations() -> None:
    random = np.random.RandomState(3)
    tables = [random.normal(size=(rows, 7)) * 4 + 2 for rows in (5, 6)]
    models = [LinearModel(random.normal(size=6), 1.5) for _ in tables]
    scale = Scale.of(Block(tables[0], []))
    found = importance_of(FOLDS, models, [moments_of(table, scale) for table in tables])
    assert [row["mse_increase"] for row in found] == sorted((row["mse_increase"] for row in found), reverse=True)
    for row in found:
        places = VARIABLES[row["variable"]]
        expected = [growth(model, table, places) for model, table in zip(models, tables, strict=True)]
        assert row["features"] == 2
        assert row["fold_mse_increase"] == pytest.approx(expected)
        assert row["mse_increase"] == pytest.approx(np.average(expected, weights=[5, 6]))


def test_without_models_or_with_too_many_features_it_is_not_known() -> None:
    scale = Scale(np.zeros(2002), np.ones(2002))
    wide = moments_of(np.ones((3, 2002)), scale)
    assert importance_of(FOLDS, [], []) == []
    assert importance_of(FOLDS, [LinearModel(np.ones(2001), 0.0)], [wide]) == []
