from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from evaluation.cautions import Evidence, artifact_caution, cautions, precision_caution
from evaluation.jobs import Job, Search
from evaluation.moments import Moments, Scale
from evaluation.objective import MEAN_SQUARED_ERROR
from evaluation.points import points_of
from evaluation.rows import Block

STATIC = {"mini_batch_size": "50", "epochs": "20"}


def moments(columns: np.ndarray, labels: np.ndarray) -> Moments:
    block = Block(np.column_stack([labels, columns]), [])
    sums = Moments(Scale.of(block))
    sums.add(block)
    return sums


def folds(count: int = 4, rows: int = 1000, **more: Any) -> dict[str, Any]:
    return {
        "folds": [{"train_rows": rows, "test_rows": rows // count}] * count,
        "columns": {"label": "y", "features": ["a", "b"]},
        "encoding": {},
        "preparation": {"label_transform": None},
        "shuffle": True,
        **more,
    }


def evidence(**changes: Any) -> Evidence:
    random = np.random.RandomState(0)
    tried = [
        Job(fold, f"{l1}-{fold}", "t", {"l1": l1}, 1.0 + abs(float(l1) - 0.1) + fold / 100)
        for l1 in ("0.01", "0.1", "1")
        for fold in (1, 2)
    ]
    points = points_of(tried, 2)
    usual = Evidence(
        search=Search("Grid", tried, STATIC),
        points=points,
        best=points[1],
        objective=MEAN_SQUARED_ERROR,
        value=1.0,
        fold_values=[1.0, 1.1, 0.9, 1.0],
        constant=5.0,
        reference=0.99,
        moments=[moments(random.normal(size=(250, 2)), random.normal(size=250)) for _ in range(4)],
        folds=folds(),
        rule="lowest_mse",
    )
    return replace(usual, **changes)


def only(**changes: Any) -> str:
    found = cautions(evidence(**changes))
    assert len(found) == 1, found
    return found[0]


def test_a_good_experiment_has_no_warnings() -> None:
    assert cautions(evidence()) == []


def test_warnings_of_the_folds_come_first() -> None:
    assert only(folds=folds(warnings=["one group holds 60 % of the rows"])) == "one group holds 60 % of the rows"


def test_a_model_that_is_worse_than_the_baselines_is_named() -> None:
    assert only(constant=0.9, reference=None).startswith("The model is no better than predicting the mean")
    assert "28% above that of least squares" in only(value=1.28, reference=1.0)
    assert "is far above that of least squares" in only(value=1.0, reference=1e-30)
    # Both are exact but for rounding.
    assert cautions(evidence(value=1e-15, reference=1e-30)) == []


def test_hyperparameters_that_are_good_on_one_fold_only_are_named() -> None:
    # The lowest mean error is 1.01 on folds of the same size.
    far: dict[str, Any] = {"fold_values": [1.2, 1.1], "folds": folds(2)}
    assert "over all folds l1=0.1 has a lower one, by 12%" in only(**far)
    both = cautions(evidence(**far, value=1.15, reference=1.0))
    assert both[0].endswith("least squares on the same folds (1): see the next warning.")
    assert both[1] == only(**far)
    assert cautions(evidence(**far, rule="one_standard_error")) == []
    assert cautions(evidence(**far | {"fold_values": [1.02, 1.03]})) == []


@pytest.mark.parametrize(("place", "word"), [(0, "smallest"), (2, "largest")])
def test_a_best_point_at_the_edge_of_the_grid_is_named(place, word) -> None:
    edge = edged(place, 1.5)
    assert f"is the {word} of the grid" in only(**edge)
    assert cautions(evidence(**edge | {"search": replace(evidence().search, strategy="Random")})) == []
    # Where the error hardly changes, there is nothing to gain.
    assert cautions(evidence(**edged(place, 1.009))) == []


def edged(place: int, neighbour: float) -> dict[str, Any]:
    """Three values of l1, of which the one at a place is the best; its neighbour's error is given."""
    errors = [2.0, neighbour, 2.0]
    errors[place] = 1.0
    tried = [
        Job(fold, f"{l1}-{fold}", "t", {"l1": l1}, error)
        for l1, error in zip(("0.01", "0.1", "1"), errors, strict=True)
        for fold in (1, 2)
    ]
    points = points_of(tried, 2)
    return {"points": points, "best": points[place], "fold_values": [1.0, 1.0], "folds": folds(2)}


def test_zero_is_no_edge_because_nothing_is_below() -> None:
    tried = [Job(1, l1, "t", {"l1": l1}, 1.0) for l1 in ("0", "1")]
    points = points_of(tried, 1)
    assert cautions(evidence(points=points, best=points[0])) == []


def test_few_steps_and_dropped_rows_are_named() -> None:
    few = Search("Grid", [], {"mini_batch_size": "100", "epochs": "15"})
    assert "30 steps in all, 2 in each of 15 epochs" in only(search=few, folds=folds(rows=210))
    dropping = Search("Grid", [], {"mini_batch_size": "100", "epochs": "100"})
    assert "leaves out 99 of 199 training rows" in only(search=dropping, folds=folds(rows=199))
    # linear-learner's own defaults
    assert "15 steps in all, 1 in each of 15 epochs" in cautions(evidence(search=Search("Grid", [])))[0]


def test_a_fold_out_of_line_is_named() -> None:
    errors = [1.0, 1.05, 0.95, 1.02, 3.0]
    named = "Out of line with the folds' median of 1.02: fold 5 with an MSE of 3. Look for "
    assert only(fold_values=errors) == f"{named}outliers of the label or groups of rows there, or lower folds.count."
    of_classes = only(fold_values=errors, folds=folds(classes=["no", "yes"]))
    assert of_classes == f"{named}few rows of a class or groups of rows there, or lower folds.count."
    # The errors of a few rows scatter widely.
    assert (
        cautions(
            evidence(
                fold_values=errors,
                folds=folds(count=4, rows=60),
                search=Search("Grid", [], {"mini_batch_size": "10", "epochs": "50"}),
            )
        )
        == []
    )
    assert cautions(evidence(fold_values=[1.0, 1.0, 1.0, 1.05])) == []


def test_a_label_that_drifts_in_the_order_of_the_file_is_named() -> None:
    random = np.random.RandomState(0)
    drifting = [moments(random.normal(size=(250, 2)), random.normal(size=250) + fold) for fold in range(4)]
    assert "drifts in the order of the file" in only(moments=drifting, folds=folds(shuffle=False))
    # Shuffled folds do not follow the order.
    assert cautions(evidence(moments=drifting)) == []


def test_chance_is_no_drift_with_many_folds_or_one_row_in_each() -> None:
    random = np.random.RandomState(0)
    warned = 0
    for _ in range(100):
        chance = [moments(random.normal(size=(50, 2)), random.normal(size=50)) for _ in range(20)]
        warned += len(cautions(evidence(moments=chance, folds=folds(shuffle=False))))
    assert warned <= 1
    block = Block(np.array([[0.0, 1.0, 2.0]]), [])
    rows = [Moments(Scale.of(block)) for _ in range(20)]
    for fold in rows:
        fold.add(Block(random.normal(size=(1, 3)), []))
    assert cautions(evidence(moments=rows, folds=folds(shuffle=False))) == []


def test_constant_columns_are_named() -> None:
    random = np.random.RandomState(0)
    columns = np.column_stack([random.normal(size=250), np.full(250, 7.0)])
    assert only(moments=[moments(columns, random.normal(size=250))] * 4) == "Constant columns tell nothing: b."


def test_collinear_columns_are_named_but_not_the_values_of_one_category() -> None:
    random = np.random.RandomState(0)
    first = (random.normal(size=250) > 0).astype(float)
    sums = [moments(np.column_stack([first, 1 - first]), random.normal(size=250))] * 4
    assert only(moments=sums) == "Nearly collinear features, with |r| above 0.95: a and b (-1.000)."
    named: Any = {"columns": {"label": "y", "features": ["sex_f", "sex_m"]}, "encoding": {"sex": ["f", "m"]}}
    assert cautions(evidence(moments=sums, folds=folds(**named))) == []


def test_columns_that_32_bits_cannot_hold_are_named() -> None:
    random = np.random.RandomState(0)
    columns = np.column_stack([random.normal(size=250), 1e12 + random.normal(size=250)])
    assert "lose their variation: b." in only(moments=[moments(columns, random.normal(size=250))] * 4)


def test_predictions_that_lose_precision_are_named() -> None:
    assert precision_caution({1: 1.0, 2: 1.0}, {1: 1.005, 2: 1.0}, "MSE") == []
    assert "fold 2: MSE 3 instead of 1" in precision_caution({1: 1.0, 2: 1.0}, {1: 1.0, 2: 3.0}, "MSE")[0]


def test_an_artifact_that_does_not_score_as_its_job_reported_is_named() -> None:
    def found(scored: dict[int, float], reported: list[float], algorithm: str = "linear-learner") -> list[str]:
        return artifact_caution(reported, scored, MEAN_SQUARED_ERROR, algorithm)

    assert found({1: 1.001, 2: 2.0}, [1.0, 2.0]) == []
    assert "Fold 2: the artifact's predictions have an MSE of 2.5" in found({1: 1.0, 2: 2.5}, [1.0, 2.0])[0]
    # XGBoost logs five decimals.
    assert found({1: 0.000_084}, [0.000_08], "xgboost") == []
    assert found({1: 0.000_084}, [0.000_08]) != []
