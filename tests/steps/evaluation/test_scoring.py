"""Baselines, out-of-fold predictions and descriptions of the columns, against scikit-learn and numpy."""

from __future__ import annotations

import csv
import io
import math

import numpy as np
import pytest
from evaluation.baselines import least_squares_errors, mean_errors
from evaluation.errors import SelectionError
from evaluation.label_scale import LabelScale
from evaluation.linear_model import LinearModel
from evaluation.monitor import Sketch, constraints, statistics
from evaluation.number_baselines import number_baselines
from evaluation.objective import Objective
from evaluation.rows import Block, fold_blocks, fold_lines
from evaluation.scoring import of_folds, score_folds
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression
from sklearn.metrics import (
    make_scorer,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    median_absolute_error,
    r2_score,
    root_mean_squared_error,
    root_mean_squared_log_error,
)
from sklearn.model_selection import PredefinedSplit, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.steps.evaluation.conftest import FOLDS_URI, Rows, make_rows

ROWS = make_rows([40, 35, 50], [2.0, -1.0, 0.5])
FEATURES = np.concatenate([features for features, _ in ROWS])
LABELS = np.concatenate([labels for _, labels in ROWS])
SPLIT = PredefinedSplit(np.repeat([0, 1, 2], [40, 35, 50]))


def crossed(model) -> list[float]:
    """Return scikit-learn's cross-validated errors."""
    scores = cross_validate(model, FEATURES, LABELS, cv=SPLIT, scoring="neg_mean_squared_error")
    return [-score for score in scores["test_score"]]


@pytest.fixture
def scored(experiment, tmp_path):
    account = experiment(ROWS)
    models = [LinearModel(np.array([2.0, -1.0, 0.5]) * scale, 3.0) for scale in (1.0, 1.1, 0.9)]
    return (
        score_folds(account.s3, FOLDS_URI, 3, models, tmp_path / "scores.csv", scale=LabelScale()),
        models,
        tmp_path / "scores.csv",
    )


def test_a_transformed_label_is_measured_in_its_unit(experiment, tmp_path) -> None:
    prices = [(features, np.exp(labels / 4)) for features, labels in ROWS]
    account, file = experiment([(features, np.log1p(price)) for features, price in prices]), tmp_path / "scores.csv"
    models = [LinearModel(np.array([0.5, -0.25, 0.125]) * factor, 0.7) for factor in (1.0, 1.01, 0.99)]
    found = score_folds(account.s3, FOLDS_URI, 3, models, file, scale=LabelScale("log1p"))
    predicted = [np.expm1(model.predict(features)) for model, (features, _) in zip(models, prices, strict=True)]
    errors = [float(np.mean((own - price) ** 2)) for own, (_, price) in zip(predicted, prices, strict=True)]
    assert list(of_folds(found.fold_metrics, "mse").values()) == pytest.approx(errors, rel=1e-6)
    written = np.loadtxt(file, delimiter=",", skiprows=1)
    label = np.concatenate([price for _, price in prices])
    assert written[:, 2] == pytest.approx(label, rel=1e-6)
    assert written[:, 3] == pytest.approx(np.concatenate(predicted), rel=1e-6)
    # Least squares and the mean are fitted to the label itself; an endpoint answers on the other scale.
    mean = cross_validate(DummyRegressor(), FEATURES, label, cv=SPLIT, scoring="neg_mean_squared_error")
    assert mean_errors(found.moments) == pytest.approx((-mean["test_score"]).tolist(), rel=1e-5)
    assert found.served.means[0] == pytest.approx(np.log1p(label).mean(), rel=1e-6)
    assert of_folds(found.fold_metrics_as_trained, "mse")[1] == pytest.approx(
        np.mean((models[0].predict(prices[0][0]) - np.log1p(prices[0][1])) ** 2), rel=1e-6
    )


def test_a_prediction_that_is_too_large_for_the_labels_unit_is_named(experiment, tmp_path) -> None:
    models = [LinearModel(np.array([2000.0, 0.0, 0.0]), 0.0)] * 3
    with pytest.raises(SelectionError, match="as the logarithm of a label, which is too large"):
        score_folds(experiment(ROWS).s3, FOLDS_URI, 3, models, tmp_path / "s.csv", scale=LabelScale("log1p"))


def test_the_baselines_are_scikit_learns_on_the_same_folds(scored) -> None:
    moments = scored[0].moments
    assert mean_errors(moments) == pytest.approx(crossed(DummyRegressor()), rel=1e-9)
    assert least_squares_errors(moments) == pytest.approx(crossed(LinearRegression()), rel=1e-6)


@pytest.mark.parametrize("shift", [0.0, 1e6])
def test_least_squares_is_right_with_collinear_and_shifted_columns(experiment, tmp_path, shift) -> None:
    rows = [
        (np.column_stack([features + shift, features[:, 0] > 5, features[:, 0] <= 5]).astype(float), labels)
        for features, labels in ROWS
    ]
    account = experiment(rows)
    moments = score_folds(account.s3, FOLDS_URI, 3, [], tmp_path / "none.csv", scale=LabelScale()).moments
    features = np.concatenate([own for own, _ in rows])
    expected = cross_validate(LinearRegression(), features, LABELS, cv=SPLIT, scoring="neg_mean_squared_error")
    assert least_squares_errors(moments) == pytest.approx((-expected["test_score"]).tolist(), rel=1e-6)


def least_squares_of(rows: Rows, experiment, tmp_path) -> tuple[list[float] | None, list[float]]:
    """Return the errors of least squares on each fold, and scikit-learn's with standardised columns."""
    found = score_folds(
        experiment(rows).s3, FOLDS_URI, len(rows), [], tmp_path / "none.csv", scale=LabelScale()
    ).moments
    features, labels = (np.concatenate(parts) for parts in zip(*rows, strict=True))
    split = PredefinedSplit(np.repeat(np.arange(len(rows)), [len(own) for _, own in rows]))
    model = make_pipeline(StandardScaler(), LinearRegression())
    scores = cross_validate(model, features, labels, cv=split, scoring="neg_mean_squared_error")
    return least_squares_errors(found), (-scores["test_score"]).tolist()


def test_least_squares_is_right_if_a_column_is_constant_in_the_first_fold_only(experiment, tmp_path) -> None:
    # The standard deviation of many copies of 0.1 is not 0 but a rounding error.
    rows = [(features.copy(), labels) for features, labels in ROWS]
    rows[0][0][:, 0] = 0.1
    found, expected = least_squares_of(rows, experiment, tmp_path)
    assert found == pytest.approx(expected, rel=1e-6)


def test_least_squares_is_right_with_one_row_in_each_fold(experiment, tmp_path) -> None:
    features = FEATURES[:20] * [1e6, 1.0, 1e-4]
    rows = [(features[place : place + 1], LABELS[place : place + 1]) for place in range(20)]
    found, expected = least_squares_of(rows, experiment, tmp_path)
    assert found == pytest.approx(expected, rel=1e-6)


def test_too_many_features_leave_only_the_mean(experiment, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("evaluation.moments.WIDEST", 2)
    moments = score_folds(experiment(ROWS).s3, FOLDS_URI, 3, [], tmp_path / "none.csv", scale=LabelScale()).moments
    assert least_squares_errors(moments) is None
    assert mean_errors(moments) == pytest.approx(crossed(DummyRegressor()), rel=1e-9)
    assert (moments[0] + moments[1] + moments[2]).deviations == pytest.approx([LABELS.std(), *FEATURES.std(axis=0)])


def test_every_row_is_scored_once_by_the_model_of_its_own_fold(scored) -> None:
    _, models, file = scored
    table = list(csv.DictReader(io.StringIO(file.read_text())))
    expected = [float(value) for (own, _), model in zip(ROWS, models, strict=True) for value in model.predict(own)]
    assert [float(row["prediction"]) for row in table] == pytest.approx(expected, rel=1e-12)
    assert [float(row["label"]) for row in table] == LABELS.tolist()
    assert [(row["fold"], row["row"]) for row in table] == [
        (str(fold), str(number)) for fold, size in ((1, 40), (2, 35), (3, 50)) for number in range(1, size + 1)
    ]


def test_the_metrics_of_the_predictions_are_scikit_learns(scored) -> None:
    found, _, file = scored
    table = np.loadtxt(file, delimiter=",", skiprows=1)
    labels, predictions = table[:, 2], table[:, 3]
    result = found.predictions
    assert result["rows"] == 125
    assert result["mse"] == pytest.approx(mean_squared_error(labels, predictions))
    assert result["rmse"] == pytest.approx(math.sqrt(mean_squared_error(labels, predictions)))
    assert result["mae"] == pytest.approx(mean_absolute_error(labels, predictions))
    assert result["median_absolute_error"] == pytest.approx(median_absolute_error(labels, predictions))
    assert result["r2"] == pytest.approx(r2_score(labels, predictions))
    slope, intercept = np.polyfit(predictions, labels, 1)
    assert result["calibration"]["slope"] == pytest.approx(slope)
    assert result["calibration"]["intercept"] == pytest.approx(intercept)
    assert 0 < result["standard_deviations"]["mse"] < result["mse"]


def test_the_median_error_of_many_rows_is_that_of_every_second(experiment, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("evaluation.out_of_fold._KEPT", 30)
    models = [LinearModel(np.array([2.0, -1.0, 0.5]), 0.0)] * 3
    found = score_folds(experiment(ROWS).s3, FOLDS_URI, 3, models, tmp_path / "scores.csv", scale=LabelScale())
    errors = np.abs(np.loadtxt(tmp_path / "scores.csv", delimiter=",", skiprows=1)[:, 2:] @ [1, -1])
    assert found.predictions is not None
    assert np.quantile(errors, 0.3) < found.predictions["median_absolute_error"] < np.quantile(errors, 0.7)


def test_the_columns_are_described_as_numpy_does(scored) -> None:
    total = scored[0].total
    whole = np.column_stack([LABELS, FEATURES])
    assert total.means == pytest.approx(whole.mean(axis=0))
    assert total.deviations == pytest.approx(whole.std(axis=0))
    assert total.lowest.tolist() == whole.min(axis=0).tolist()
    assert total.highest.tolist() == whole.max(axis=0).tolist()
    assert total.correlations() == pytest.approx(np.corrcoef(FEATURES.T), abs=1e-9)


def test_a_constant_column_has_no_correlation(experiment, tmp_path) -> None:
    rows = [(np.column_stack([own, np.full(len(own), 1e9)]), labels) for own, labels in ROWS]
    total = score_folds(experiment(rows).s3, FOLDS_URI, 3, [], tmp_path / "none.csv", scale=LabelScale()).total
    assert total.correlations()[3].tolist() == [0.0, 0.0, 0.0, 0.0]
    assert total.deviations[4] == 0.0


def test_large_files_are_read_in_blocks_of_whole_lines(experiment, tmp_path, monkeypatch) -> None:
    account = experiment(ROWS)
    monkeypatch.setattr("evaluation.rows._BLOCK", 100)
    blocks = list(fold_blocks(account.s3, FOLDS_URI, 1))
    assert len(blocks) > 10
    assert np.concatenate([block.features for block in blocks]).tolist() == ROWS[0][0].tolist()
    assert np.concatenate([block.labels for block in blocks]).tolist() == ROWS[0][1].tolist()


def test_every_nth_row_is_taken_over_all_files_and_folds(experiment) -> None:
    account = experiment(ROWS)
    every = list(fold_lines(account.s3, FOLDS_URI, [1, 3], 1))
    assert len(every) == 90
    assert list(fold_lines(account.s3, FOLDS_URI, [1, 3], 7)) == every[::7]


def test_a_sketch_weighs_what_it_keeps() -> None:
    sketch, values = Sketch(), np.arange(10_000.0)
    for start in range(0, 10_000, 777):
        part = values[start : start + 777]
        sketch.add(Block(np.column_stack([part, part]), []))
    kll = sketch.distribution(1)["kll"]
    level = len(kll["sketch"]["data"]) - 1
    kept = kll["sketch"]["data"][level]
    assert kept == values[:: 2**level].tolist()
    assert 1000 < len(kept) <= 2048
    assert sum(bucket["count"] for bucket in kll["buckets"]) == len(kept) * 2**level


def test_the_sketches_of_many_columns_keep_fewer_values() -> None:
    sketch = Sketch()
    sketch.add(Block(np.arange(2000.0)[:, None] * np.ones(2048), []))
    kll = sketch.distribution(1)["kll"]["sketch"]
    assert kll["data"] == [[], [], np.arange(0.0, 2000.0, 4).tolist()]
    assert kll["parameters"]["k"] == 512.0


@pytest.mark.parametrize("values", [[1e17, 1e17], [1e16, 1e16 + 2], [0.1, 0.1]])
def test_values_that_leave_no_room_for_ten_buckets_get_one(values) -> None:
    sketch = Sketch()
    sketch.add(Block(np.array(values)[:, None], []))
    assert sketch.distribution(0)["kll"]["buckets"] == [
        {"lower_bound": values[0], "upper_bound": values[1], "count": 2.0}
    ]


def test_statistics_and_constraints_describe_every_feature(scored) -> None:
    found = scored[0]
    described = statistics(["y", "a", "b", "c"], found.total, found.sketch)
    assert described["dataset"]["item_count"] == 125
    whole = np.column_stack([LABELS, FEATURES])
    for place, column in enumerate(described["features"]):
        numbers, values = column["numerical_statistics"], whole[:, place]
        assert (numbers["mean"], numbers["max"]) == pytest.approx((values.mean(), values.max()))
        assert numbers["distribution"]["kll"]["sketch"]["data"] == [sorted(values.tolist())]
    limits = constraints(["y", "a", "b", "c"], found.total.lowest)
    signs = [feature["num_constraints"]["is_non_negative"] for feature in limits["features"]]
    assert signs == (whole.min(axis=0) >= 0).tolist()


@pytest.mark.parametrize("metric", ["mse", "rmse", "mae", "mape", "rmsle", "r2"])
def test_metrics_and_the_mean_as_a_baseline_are_scikit_learns_in_any_metric(experiment, tmp_path, metric) -> None:
    rows = [(features, labels + 1000) for features, labels in ROWS]
    label = np.concatenate([labels for _, labels in rows])
    models = [LinearModel(np.array([2.0, -1.0, 0.5]) * scale, 1003.0) for scale in (1.0, 1.1, 0.9)]
    account, file = experiment(rows), tmp_path / "scores.csv"
    found = score_folds(account.s3, FOLDS_URI, 3, models, file, scale=LabelScale())
    score = {
        "mse": mean_squared_error,
        "rmse": root_mean_squared_error,
        "mae": mean_absolute_error,
        "mape": mean_absolute_percentage_error,
        "rmsle": root_mean_squared_log_error,
        "r2": r2_score,
    }[metric]
    expected = [score(labels, model.predict(own)) for model, (own, labels) in zip(models, rows, strict=True)]
    assert list(of_folds(found.fold_metrics, metric).values()) == pytest.approx(expected, rel=1e-9)
    objective = Objective(f"validation:{metric}").known_as("xgboost", "regression", {})
    scorer = make_scorer(score)
    baselines = number_baselines(found.moments, objective, found.labels)
    for name, model in (("constant", DummyRegressor()), ("least_squares", LinearRegression())):
        if name == "constant" or metric in ("mse", "rmse", "r2"):
            folds = cross_validate(model, FEATURES, label, cv=SPLIT, scoring=scorer)["test_score"]
            assert baselines[name] == pytest.approx(np.average(folds, weights=[40, 35, 50]), rel=1e-6)
    assert (baselines["least_squares"] is None) == (metric in ("mae", "mape", "rmsle"))


def test_a_label_of_zero_has_no_relative_error(experiment, tmp_path) -> None:
    rows = [(features, np.append(labels[:-1], 0.0)) for features, labels in ROWS]
    models = [LinearModel(np.array([2.0, -1.0, 0.5]), 3.0)] * 3
    found = score_folds(experiment(rows).s3, FOLDS_URI, 3, models, tmp_path / "s.csv", scale=LabelScale())
    assert found.fold_metrics[1]["mape"] is None
    assert of_folds(found.fold_metrics, "mape") == {}
    objective = Objective("validation:mape").known_as("xgboost", "regression", {})
    assert number_baselines(found.moments, objective, found.labels)["missing"]
