"""The tables and facts of ``make report`` in the metric of the objective."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pipeline.operate.objective import objective_of, own_value_of, value_of
from pipeline.operate.results import Refit, Results
from scripts.report import print_results

ESTIMATE = {"low": 0.8, "high": 0.9, "value": 0.85}
BEST: dict[str, Any] = {
    "metric": {"name": "validation:auc", "direction": "Maximize", "title": "AUC"},
    "classes": ["no", "yes"],
    "rule": "lowest_mean_mse",
    "hyperparameters": {"max_depth": "3"},
    "estimate": ESTIMATE,
    "estimate_as_trained": ESTIMATE,
    "baselines": {"constant": 0.5, "logistic_regression": 0.75},
    "out_of_fold": {"auc": 0.851, "accuracy": 0.8, "f1": None},
    "training_job_name": None,
    "fold": None,
    "warnings": [],
}
ROW = {
    "params": {"max_depth": "3"},
    "chosen": True,
    "mean_test_auc": 0.85,
    "std_test_auc": 0.01,
    "split1_test_auc": 0.84,
    "rank_test_auc": 1,
}
RESULTS = Results(
    rejected_rows=None,
    best=BEST,
    training_jobs=[],
    cv_results=[ROW],
    cv_results_uri="s3://bucket/executions/one/evaluation/cv_results.csv",
    refit=Refit("refit-job", 0.97),
    model_package_arn=None,
    model_package_deleted=False,
    newly_registered=False,
    endpoint_name=None,
    endpoint_state="not deployed",
)


def test_the_results_of_classes_are_told_in_the_objective(capsys: pytest.CaptureFixture[str]) -> None:
    print_results(RESULTS)
    text = capsys.readouterr().out
    assert "AUC on the held-out folds" in text
    assert "0.8500" in text
    lines = {line[:26].strip(): line[26:] for line in text.splitlines()}
    assert lines["Cross-validated AUC"] == "0.85 (95 % interval, approximate: 0.8 to 0.9)"
    assert lines["Out of fold"] == "AUC 0.8510, accuracy 0.8000"
    assert lines["Baselines, same folds"] == "class rates 0.5, logistic regression 0.75"
    assert lines["cv_results.csv"] == RESULTS.cv_results_uri
    assert lines["Its training AUC"] == "0.97 (on the rows that it was trained on)"


def test_a_folds_own_model_has_the_highest_value_of_an_objective_to_maximise(
    capsys: pytest.CaptureFixture[str],
) -> None:
    winner = {"training_job_name": "job", "fold": 2, "value": 0.91, "model_data": "s3://bucket/model.tar.gz"}
    print_results(replace(RESULTS, best=BEST | winner, refit=None))
    assert "Its AUC on its own fold   0.91 (the highest of all jobs, so it flatters" in capsys.readouterr().out


def test_results_of_former_versions_are_mean_squared_errors() -> None:
    objective = objective_of({})
    assert (objective.name, objective.column, objective.minimizes) == ("validation:mse", "mse", True)
    assert value_of({"mse": 2.0}) == 2.0
    assert own_value_of({"mse": 2.0}) == 2.0


def test_a_value_that_is_not_known_is_not_the_mean_squared_error() -> None:
    assert own_value_of({"value": None, "mse": 2.0}) is None
    assert own_value_of({}) is None


@pytest.mark.parametrize(
    ("names", "values", "line"),
    [
        (None, {"mean": 400.0, "least_squares": 99.5}, "mean 400, least squares 99.5"),
        (None, {"mean": 400.0, "least_squares": None}, "mean 400"),
        (["a", "b", "c"], {"constant": None, "logistic_regression": None}, "unknown"),
    ],
)
def test_baselines_are_told_in_one_line(names, values, line, capsys: pytest.CaptureFixture[str]) -> None:
    best = BEST | {"classes": names, "baselines": values, "out_of_fold": {"accuracy": 0.8, "f1_macro": 0.7}}
    print_results(replace(RESULTS, best=best))
    text = capsys.readouterr().out
    assert f"Baselines, same folds     {line}\n" in text
    assert "Out of fold               accuracy 0.8000, macro F1 0.7000\n" in text
