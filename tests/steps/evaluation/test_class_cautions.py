from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from evaluation.class_cautions import class_cautions
from evaluation.metrics import METRICS
from evaluation.objective import Objective

LOG_LOSS = Objective("validation:logloss", metric="logloss", properties=METRICS["binary"]["logloss"])
ACCURACY = Objective("validation:accuracy", True, "accuracy", METRICS["binary"]["accuracy"])


def folds(counts: list[list[int]], **more: Any) -> dict[str, Any]:
    return {
        "classes": ["no", "yes"],
        "class_rows": np.sum(counts, axis=0).tolist(),
        "folds": [{"class_rows": own} for own in counts],
        "columns": {"features": ["a", "b"]},
        "shuffle": True,
        **more,
    }


def found(counts=((500, 300), (500, 300)), *, objective=LOG_LOSS, tables=None, **more: Any) -> list[str]:
    own = {"confusion": [[800, 200], [100, 500]], "calibration": [], **(tables or {})}
    document = folds([list(row) for row in counts], **more)
    return list(class_cautions(document, objective, {"rows": 1600}, own))


def test_a_good_classification_has_no_warnings() -> None:
    assert found() == []


def test_a_class_with_few_rows_is_named() -> None:
    assert "'yes' has only 15 rows, about 7.5 in each of 2 folds" in found(((500, 8), (500, 7)))[0]
    many = {"columns": {"features": [f"x{place}" for place in range(100)]}}
    assert "'yes' has 600 rows for 100 features" in found(**many)[0]


def test_accuracy_of_unbalanced_classes_says_little() -> None:
    unbalanced = ((950, 50), (950, 50))
    assert "95.0% of the rows have the class 'no', so accuracy says little" in found(unbalanced, objective=ACCURACY)[0]
    assert found(unbalanced) == []


def test_constant_predictions_and_classes_that_are_never_predicted_are_named() -> None:
    assert "Every row is predicted as 'no'" in found(tables={"confusion": [[1000, 0], [600, 0]]})[0]
    three = {"classes": ["a", "b", "c"], "class_rows": [500, 500, 600]}
    table = [[400, 100, 0], [100, 400, 0], [300, 300, 0]]
    assert found(((250, 250, 300), (250, 250, 300)), tables={"confusion": table}, **three) == ["Never predicted: 'c'."]


@pytest.mark.parametrize(("rate", "is_warned"), [(0.5, True), (0.31, False)])
def test_probabilities_that_are_off_are_named(rate, is_warned) -> None:
    tenths = [{"rows": 1600, "mean_prediction": 0.3, "positive_rate": rate}]
    assert any("probabilities are off by" in text for text in found(tables={"calibration": tenths})) == is_warned


def test_chance_does_not_make_probabilities_off() -> None:
    random = np.random.default_rng(0)
    tenths = [
        {"rows": 20, "mean_prediction": p, "positive_rate": random.binomial(20, p) / 20}
        for p in np.arange(0.05, 1, 0.1)
    ]
    document = folds([[50, 50], [50, 50]])
    tables = {"confusion": [[80, 20], [20, 80]], "calibration": tenths}
    assert list(class_cautions(document, LOG_LOSS, {"rows": 200}, tables)) == []


def test_classes_that_drift_in_the_order_of_the_file_are_named() -> None:
    drifting = ((500, 300), (300, 500))
    assert "classes drift in the order of the file" in found(drifting, shuffle=False)[0]
    assert found(drifting) == []
    assert found(shuffle=False) == []
