from __future__ import annotations

import math

import numpy as np
import pytest
from evaluation.estimate import estimate, optimism, spread
from evaluation.metrics import METRICS
from evaluation.objective import MEAN_SQUARED_ERROR, Objective


def test_the_estimate_is_the_error_over_all_rows() -> None:
    result = estimate([1.0, 4.0], [30, 10], MEAN_SQUARED_ERROR)
    assert (result.value, result.unweighted_value) == (1.75, 2.5)


def test_the_interval_is_that_of_nadeau_and_bengio() -> None:
    errors = [37.93, 36.53, 38.61, 25.73, 44.67]
    result = estimate(errors, [1] * 5, MEAN_SQUARED_ERROR)
    # t with 4 degrees of freedom at 97.5 %, from a table
    reach = 2.776445 * np.std(errors, ddof=1) * math.sqrt(1 / 5 + 1 / 4)
    assert result.high - result.value == pytest.approx(reach, rel=1e-6)
    assert result.value - result.low == pytest.approx(reach, rel=1e-6)


def test_the_interval_does_not_reach_below_zero() -> None:
    assert estimate([1.0, 9.0], [1, 1], MEAN_SQUARED_ERROR).low == 0.0


def test_equal_folds_have_no_spread() -> None:
    assert spread([2.0, 2.0, 2.0]) == 0.0
    assert estimate([2.0, 2.0], [1, 1], MEAN_SQUARED_ERROR).high == 2.0


def test_optimism_is_how_far_the_lowest_error_of_each_fold_is_below_the_chosen_points() -> None:
    assert optimism([3.0, 5.0], [[3.0, 5.0], [1.0, 6.0], [4.0, 4.0]], MEAN_SQUARED_ERROR) == pytest.approx((2 + 1) / 2)


def test_an_interval_stays_within_the_metrics_range() -> None:
    auc = Objective("validation:auc", True, "auc", METRICS["binary"]["auc"])
    result = estimate([0.9, 0.99], [1, 1], auc)
    assert (result.low, result.high) == (0.0, 1.0)
    unknown = estimate([0.9, 0.99], [1, 1], Objective("validation:ndcg", maximize=True))
    assert unknown.low < 0.0
    assert unknown.high > 1.0


def test_optimism_of_a_metric_to_maximise_is_how_far_the_best_is_above() -> None:
    auc = Objective("validation:auc", maximize=True)
    assert optimism([0.7, 0.5], [[0.7, 0.5], [0.9, 0.4]], auc) == pytest.approx((0.2 + 0.0) / 2)
