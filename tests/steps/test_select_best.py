"""SelectBest on finished searches; the end-to-end tests run it against the local service."""

from __future__ import annotations

import csv
import io
import json
import re
import tarfile
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import select_best
from evaluation.errors import NoRegionError, SelectionError, leave_reason
from evaluation.jobs import read_search
from evaluation.metadata import recordable
from evaluation.objective import MEAN_SQUARED_ERROR
from sagemaker.core.shapes.model_card_shapes import ModelCardContent
from sklearn.linear_model import Ridge
from sklearn.model_selection import PredefinedSplit, cross_validate

from tests.steps.evaluation.conftest import Experiment, experiment, make_rows

__all__ = ["experiment"]

ROWS = make_rows([40, 35, 50], [2.0, -1.0])


def add_ridge(account: Experiment, alpha: float) -> tuple[list[str], list[float]]:
    """Add a job for each fold: ridge regression on the other folds. Return the names and scikit-learn's errors."""
    features = np.concatenate([own for own, _ in account.rows])
    labels = np.concatenate([own for _, own in account.rows])
    split = PredefinedSplit(np.repeat(range(len(account.rows)), [len(own) for _, own in account.rows]))
    result = cross_validate(
        Ridge(alpha), features, labels, cv=split, scoring="neg_mean_squared_error", return_estimator=True
    )
    names = []
    errors = (-result["test_score"]).tolist()
    for fold, (model, mse) in enumerate(zip(result["estimator"], errors, strict=True), start=1):
        weights, bias = model.coef_.tolist(), float(model.intercept_)
        names.append(account.add(fold, mse, weights=weights, bias=bias, l1=str(alpha)))
    return names, errors


@pytest.fixture
def account(experiment) -> Experiment:
    made: Experiment = experiment(ROWS)
    return made


def test_the_estimate_is_the_cross_validated_error_and_the_winner_the_lowest_job(account) -> None:
    names, errors = add_ridge(account, 0.5)
    add_ridge(account, 1e5)
    best = account.select("lowest_mse", *names)["best.json"]
    lowest = int(np.argmin(errors))
    assert (best["training_job_name"], best["fold"]) == (names[lowest], lowest + 1)
    assert best["mse"] == pytest.approx(min(errors))
    assert best["estimate"]["kind"] == "cross_validated"
    assert best["estimate"]["mse"] == pytest.approx(np.average(errors, weights=[40, 35, 50]))
    assert best["estimate"]["low"] < best["estimate"]["mse"] < best["estimate"]["high"]
    artifact = f"models/{names[lowest]}/output/model.tar.gz"
    copied = (account.folder / "best/model.tar.gz").read_bytes()
    assert copied == account.s3.get_object(Bucket="bucket", Key=artifact)["Body"].read()
    assert best["model_data"] == f"s3://bucket/{artifact}"


def test_the_predictions_of_the_artifacts_have_scikit_learns_errors(account) -> None:
    names, errors = add_ridge(account, 0.5)
    outputs = account.select("lowest_mean_mse", *names)
    table = list(csv.DictReader(io.StringIO(outputs["out_of_fold.csv"])))
    for fold, error in enumerate(errors, start=1):
        own = [row for row in table if row["fold"] == str(fold)]
        squares = [(float(row["label"]) - float(row["prediction"])) ** 2 for row in own]
        # The artifact's weights have 32 bits.
        assert np.mean(squares) == pytest.approx(error, rel=1e-6)
        assert outputs["cv_results.json"][0][f"split{fold}_test_mse"] == pytest.approx(error, rel=1e-12)
    assert not any("artifact" in warning for warning in outputs["best.json"]["warnings"])


def test_a_rule_over_means_registers_no_fold_and_copies_no_model(account) -> None:
    names, _ = add_ridge(account, 0.5)
    add_ridge(account, 1e5)
    best = account.select("lowest_mean_mse", *names)["best.json"]
    assert best["hyperparameters"] == {"l1": "0.5"}
    assert (best["fold"], best["training_job_name"], best["model_data"]) == (None, None, None)
    assert not (account.folder / "best/model.tar.gz").exists()
    assert re.fullmatch("refit-[0-9a-f]{64}", best["metadata"]["artifact_sha256"])
    assert best["training_jobs"] == names


def test_the_registrys_metadata_has_the_estimate_first(account) -> None:
    names, errors = add_ridge(account, 0.5)
    best = account.select("lowest_mse", *names)["best.json"]
    metadata = best["metadata"]
    assert next(iter(metadata)) == "selection_rule"
    assert float(metadata["estimate_mse"]) == best["estimate"]["mse"]
    assert float(metadata["validation_mse"]) == min(errors)
    assert (metadata["rows"], metadata["rejected_rows"], metadata["data_version"]) == ("125", "2", "7")
    assert metadata["hyperparameters"] == "l1=0.5"
    assert all(recordable(value) == value for value in metadata.values())


def test_model_quality_holds_the_estimate_and_model_monitors_standard_deviations(account) -> None:
    names, _ = add_ridge(account, 0.5)
    outputs = account.select("lowest_mse", *names)
    quality = outputs["model_quality.json"]["regression_metrics"]
    assert quality["mse"]["value"] == outputs["best.json"]["estimate"]["mse"]
    assert set(quality) == {"mse", "rmse", "mae", "r2"}
    assert all(metric["standard_deviation"] > 0 for metric in quality.values())


def test_the_model_card_follows_the_schema_and_names_the_coefficients(account) -> None:
    names, _ = add_ridge(account, 0.5)
    card = json.loads(account.select("lowest_mse", *names)["best.json"]["model_card"])
    ModelCardContent.model_validate(card)
    metrics = {
        metric["name"]: metric["value"] for metric in card["evaluation_details"][0]["metric_groups"][0]["metric_data"]
    }
    assert metrics["MSE, lower end"] < metrics["MSE, cross-validated"] < metrics["MSE, upper end"]
    assert float(card["additional_information"]["custom_details"]["coefficient of x0"]) == pytest.approx(2.0, rel=0.1)


def test_coefficients_compare_the_folds(account) -> None:
    names, _ = add_ridge(account, 0.5)
    table = account.select("lowest_mean_mse", *names)["coefficients.json"]
    by_name = {row["feature"]: row for row in table}
    assert by_name["x0"]["fold_lowest"] <= by_name["x0"]["coefficient"] <= by_name["x0"]["fold_highest"]
    assert (by_name["x1"]["same_sign"], by_name["x1"]["zeros"]) == (1.0, 0.0)
    assert abs(table[0]["standardised"]) >= abs(table[1]["standardised"])


def test_the_variables_are_ranked_by_their_importance_on_rows_that_a_model_did_not_see(account) -> None:
    names, _ = add_ridge(account, 0.5)
    outputs = account.select("lowest_mse", *names)
    # The second feature varies ten times as much as the first, and its weight is half as large.
    assert [row["variable"] for row in outputs["importance.json"]] == ["x1", "x0"]
    assert outputs["importance.json"][1]["mse_increase"] == pytest.approx(2 * 2.0**2, rel=0.3)
    means = [float(labels.mean()) for _, labels in ROWS]
    assert outputs["best.json"]["fold_label_means"] == pytest.approx(means)


def test_the_sample_payload_has_rows_without_labels(account) -> None:
    names, _ = add_ridge(account, 0.5)
    account.select("lowest_mse", *names)
    with tarfile.open(account.folder / "best/sample_payload.tar.gz") as archive:
        file = archive.extractfile("sample.csv")
        assert file is not None
        rows = np.loadtxt(file, delimiter=",")
    np.testing.assert_array_equal(rows, ROWS[0][0][:10])


def test_an_artifact_that_cannot_be_read_leaves_out_the_predictions_and_says_so(account) -> None:
    names = [account.add(fold, 2.0 + fold, artifact=b"another algorithm's", l1="1") for fold in (1, 2, 3)]
    outputs = account.select("lowest_mse", *names)
    assert outputs["best.json"]["out_of_fold"]["missing"].startswith(f"the artifact of {names[0]} cannot be read")
    assert "out_of_fold.csv" not in outputs
    assert outputs["model_quality.json"]["regression_metrics"]["mse"]["standard_deviation"] == "NaN"


def test_jobs_that_failed_make_their_point_ineligible_with_the_reason(account) -> None:
    names, _ = add_ridge(account, 0.5)
    account.add(1, 0.1, l1="2")
    account.add(2, None, status="Failed", l1="2")
    account.add(3, float("nan"), l1="2")
    outputs = account.select("lowest_mse", *names)
    assert outputs["best.json"]["hyperparameters"] == {"l1": "0.5"}
    last = outputs["cv_results.json"][-1]
    assert last["ineligible"] == "fold 2: job-2-1 is Failed; fold 3: job-3-1 has the objective nan"
    assert (last["mean_test_mse"], last["rank_test_mse"], last["split1_test_mse"]) == (None, None, 0.1)
    assert len(outputs["training_jobs.json"]) == 4


def test_a_failed_point_is_still_part_of_the_grid_whose_edges_are_named(account) -> None:
    names, _ = add_ridge(account, 0.5)
    add_ridge(account, 1e5)
    account.add(1, None, status="Failed", l1="0.1")
    warnings = account.select("lowest_mse", *names)["best.json"]["warnings"]
    assert not any("of the grid" in warning for warning in warnings)


def test_cv_results_has_the_columns_of_scikit_learn(account) -> None:
    names, errors = add_ridge(account, 0.5)
    add_ridge(account, 1e5)
    table = list(csv.DictReader(io.StringIO(account.select("lowest_mse", *names)["cv_results.csv"])))
    assert [row["param_l1"] for row in table] == ["0.5", "100000.0"]
    assert [row["rank_test_mse"] for row in table] == ["1", "2"]
    assert float(table[0]["unweighted_mean_test_mse"]) == pytest.approx(np.mean(errors))
    assert float(table[0]["std_test_mse"]) == pytest.approx(np.std(errors, ddof=1))
    assert [row["chosen"] for row in table] == ["True", "False"]


def test_cv_results_has_every_column_if_a_job_has_no_hyperparameters(experiment) -> None:
    account = experiment(ROWS, strategy="Bayesian")
    account.add(1, None, status="Failed")
    name = account.add(2, 2.0, l1="2")
    table = list(csv.DictReader(io.StringIO(account.select("lowest_mse", name)["cv_results.csv"])))
    assert [row["param_l1"] for row in table] == ["", "2"]


def test_after_a_bayesian_search_the_estimate_is_the_error_on_one_fold(experiment) -> None:
    account = experiment(ROWS, strategy="Bayesian")
    account.add(1, 3.0, l1="1")
    name = account.add(2, 2.0, l1="2")
    account.add(3, 4.0, l1="3")
    outputs = account.select("lowest_mse", name)
    best = outputs["best.json"]
    assert best["estimate"] == {"kind": "single_fold", "value": 2.0, "mse": 2.0, "low": None, "high": None}
    assert best["out_of_fold"] == {"missing": "the folds have no common point"}
    assert (best["training_job_name"], best["metadata"]["estimate_high"]) == (name, "none")


def test_a_bayesian_search_may_try_a_point_twice_in_a_fold(experiment) -> None:
    account = experiment(ROWS, strategy="Bayesian")
    account.add(1, 3.0, l1="1")
    lowest = account.add(1, 2.0, l1="1")
    other = account.add(2, 4.0, l1="1")
    best = account.select("lowest_mse", lowest, other)["best.json"]
    assert (best["training_job_name"], best["estimate"]["mse"]) == (lowest, 2.0)


def test_a_bayesian_search_has_no_point_for_the_other_rules(experiment) -> None:
    account = experiment(ROWS, strategy="Bayesian")
    with pytest.raises(SelectionError, match="needs the same points in all folds"):
        account.select("one_standard_error")


@pytest.mark.parametrize("value", ["NaN", "Infinity"])
def test_an_objective_that_boto3_leaves_as_text_is_not_finite(value) -> None:
    client: Any = Mock()
    client.describe_hyper_parameter_tuning_job.return_value = {
        "HyperParameterTuningJobConfig": {
            "Strategy": "Grid",
            "HyperParameterTuningJobObjective": {"MetricName": "validation:mse", "Type": "Minimize"},
        }
    }
    job = {
        "TrainingJobName": "job",
        "TrainingJobStatus": "Completed",
        "TunedHyperParameters": {"l1": "1"},
        "FinalHyperParameterTuningJobObjectiveMetric": {"Value": value},
    }
    client.get_paginator.return_value.paginate.return_value = [{"TrainingJobSummaries": [job]}]
    (found,) = read_search(client, ["tune-1"], MEAN_SQUARED_ERROR).jobs
    assert (found.value, found.fault) == (None, f"job has the objective {float(value)}")


def test_a_metric_that_is_not_finite_is_left_out_because_json_has_none(account) -> None:
    names, _ = add_ridge(account, 0.5)
    account.metrics["train:mse"] = float("nan")
    assert account.select("lowest_mse", *names)["best.json"]["metrics"] == {"validation:mse": 3.5}


def test_no_completed_job_is_an_error(account) -> None:
    with pytest.raises(SelectionError, match="none of 0 points"):
        account.select()


def test_a_tuning_job_of_another_objective_is_an_error(experiment) -> None:
    account = experiment(ROWS, objective="validation:rmse")
    with pytest.raises(SelectionError, match="tune-1 tuned validation:rmse, not validation:mse"):
        account.select()


@pytest.mark.parametrize(
    ("text", "recorded"),
    [("a,b (c)", "a_b _c_"), ("", "none"), ("é 1.5e-05/x=+@y:z_", "é 1.5e-05/x=+@y:z_"), ("x" * 300, "x" * 256)],
)
def test_what_the_registry_would_refuse_is_recorded_in_characters_that_it_takes(text, recorded) -> None:
    assert recordable(text) == recorded


def test_the_reason_of_a_failure_is_left_as_the_jobs_exit_message(monkeypatch, tmp_path) -> None:
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    message = tmp_path / "output/message"
    folders = ["--best", str(tmp_path / "best"), "--evaluation", str(tmp_path / "evaluation")]
    arguments = ["--objective", "validation:mse", "--rule", "lowest_mse", "--folds", "-", "--tuning-job", "one"]
    with pytest.raises(NoRegionError, match="set the environment variable AWS_REGION"):
        select_best.main([*arguments, *folders, "--folds-uri", "s3://b/f", "--message", str(message)])
    assert message.read_text() == "no AWS region: set the environment variable AWS_REGION or AWS_DEFAULT_REGION"


def test_a_long_reason_is_cut_to_a_kilobyte_of_whole_characters(tmp_path) -> None:
    leave_reason(ValueError("é" * 2000), tmp_path / "message")
    assert 1022 <= len((tmp_path / "message").read_bytes()) <= 1024
    assert (tmp_path / "message").read_text("utf-8").startswith("ValueError: éé")
