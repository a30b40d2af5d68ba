from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from evaluation.class_cautions import class_cautions
from evaluation.class_weighting import ClassWeighting
from evaluation.metrics import METRICS
from evaluation.objective import Objective

LOG_LOSS = Objective("validation:logloss", metric="logloss", properties=METRICS["binary"]["logloss"])
ACCURACY = Objective("validation:accuracy", True, "accuracy", METRICS["binary"]["accuracy"])

LINEAR = ClassWeighting("linear-learner", {"binary_classifier_model_selection_criteria": "loss_function"})
TREES = ClassWeighting("xgboost", {"scale_pos_weight": "1"})
WEIGHTED = ClassWeighting("xgboost", {"scale_pos_weight": "5"})
CALIBRATED = ClassWeighting("linear-learner", {"binary_classifier_model_selection_criteria": "f_beta"})
F_BETA = (
    "try the static hyperparameter binary_classifier_model_selection_criteria: f_beta (or loss_function, with "
    "positive_example_weight_mult: balanced), and validation:roc_auc_score as tuning.objective."
)
WEIGHT = "try the static hyperparameter scale_pos_weight: 1.67."


def folds(counts: list[list[int]], **more: Any) -> dict[str, Any]:
    return {
        "classes": ["no", "yes"],
        "class_rows": np.sum(counts, axis=0).tolist(),
        "folds": [{"class_rows": own} for own in counts],
        "columns": {"features": ["a", "b"]},
        "shuffle": True,
        **more,
    }


def found(
    counts=((500, 300), (500, 300)), *, objective=LOG_LOSS, tables=None, weighting=LINEAR, **more: Any
) -> list[str]:
    own = {"confusion": [[800, 200], [100, 500]], "calibration": [], **(tables or {})}
    document = folds([list(row) for row in counts], **more)
    return list(class_cautions(document, objective, weighting, {"rows": 1600}, own))


def test_a_good_classification_has_no_warnings() -> None:
    assert found() == []


def test_a_class_with_few_rows_is_named() -> None:
    assert "'yes' has only 15 rows, about 7.5 in each of 2 folds" in found(((500, 8), (500, 7)))[0]
    one = found(((500, 1), (500, 0)), columns={"features": ["a"]})
    assert one[0].startswith("The class 'yes' has only 1 row, about 0.5 in each of 2 folds")
    many = {"columns": {"features": [f"x{place}" for place in range(100)]}}
    assert "'yes' has 600 rows for 100 features" in found(**many)[0]


def test_accuracy_of_unbalanced_classes_says_little() -> None:
    unbalanced = ((950, 50), (950, 50))
    assert "95.0% of the rows have the class 'no', so accuracy says little" in found(unbalanced, objective=ACCURACY)[0]
    assert found(unbalanced) == []


@pytest.mark.parametrize(
    ("table", "weighting", "expected"),
    [
        (
            [[1000, 0], [600, 0]],
            LINEAR,
            f"Every row is predicted as 'no', so the predicted labels tell nothing: {F_BETA}",
        ),
        ([[999, 1], [600, 0]], LINEAR, f"No row of the class 'yes' is recognised (recall 0): {F_BETA}"),
        ([[999, 1], [600, 0]], TREES, f"No row of the class 'yes' is recognised (recall 0): {WEIGHT}"),
        (
            [[999, 1], [600, 0]],
            WEIGHTED,
            "No row of the class 'yes' is recognised (recall 0): do the features tell the classes apart?",
        ),
        (
            [[900, 100], [500, 100]],
            TREES,
            f"The predicted labels have an accuracy of 0.625, and always saying 'no' has 0.625: {WEIGHT}",
        ),
        (
            [[0, 600], [1, 999]],
            LINEAR,
            "No row of the class 'no' is recognised (recall 0): name the rarer class last in dataset.classes, and "
            + F_BETA,
        ),
    ],
)
def test_labels_that_miss_a_class_or_lose_to_the_most_frequent_one_are_named_once(table, weighting, expected) -> None:
    assert found(tables={"confusion": table}, weighting=weighting) == [expected]
    # That accuracy says little of such classes is not said beside it.
    unbalanced = ((950, 50), (950, 50))
    assert len(found(unbalanced, tables={"confusion": table}, weighting=weighting, objective=ACCURACY)) == 1


@pytest.mark.parametrize("weighting", [WEIGHTED, CALIBRATED])
def test_a_model_that_trades_accuracy_for_a_class_may_lose_to_the_most_frequent_one(weighting) -> None:
    assert found(tables={"confusion": [[600, 400], [100, 500]]}, weighting=LINEAR) == []
    assert found(tables={"confusion": [[500, 500], [150, 450]]}, weighting=weighting) == []
    assert len(found(tables={"confusion": [[500, 500], [150, 450]]}, weighting=LINEAR)) == 1


@pytest.mark.parametrize(("weighting", "remedy"), [(LINEAR, "balance_multiclass_weights: true"), (TREES, "f1_macro")])
def test_classes_of_which_no_row_is_recognised_are_named(weighting, remedy) -> None:
    three = {"classes": ["a", "b", "c"], "class_rows": [500, 500, 600]}
    table = [[500, 0, 0], [499, 0, 1], [300, 300, 0]]
    (text,) = found(((250, 250, 300), (250, 250, 300)), tables={"confusion": table}, weighting=weighting, **three)
    assert text.startswith("No row of the classes 'b', 'c' is recognised (recall 0): try ")
    assert remedy in text


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
    assert list(class_cautions(document, LOG_LOSS, LINEAR, {"rows": 200}, tables)) == []


def test_classes_that_drift_in_the_order_of_the_file_are_named() -> None:
    drifting = ((500, 300), (300, 500))
    assert "classes drift in the order of the file" in found(drifting, shuffle=False)[0]
    assert found(drifting) == []
    assert found(shuffle=False) == []
