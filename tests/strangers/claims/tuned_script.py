"""The tuned errors are those of ridge regression by its normal equations; the best two models are registered."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest

from tests.strangers.conftest import Execution, Stranger


def check(stranger: Stranger, executions: list[Execution]) -> None:
    (execution,) = executions
    assert execution.status == "Succeeded", execution.steps
    train, test = (
        np.loadtxt(io.BytesIO(stranger.read(f"ridge/{part}/rows.csv")), delimiter=",") for part in ("train", "test")
    )
    listed = stranger.sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=execution.job("Tune"), SortBy="FinalObjectiveMetricValue", SortOrder="Ascending"
    )["TrainingJobSummaries"]
    assert len(listed) == 3
    for job in listed:
        alpha = float(job["TunedHyperParameters"]["alpha"])
        coefficients, intercept = _ridge(train, alpha)
        error = float(np.mean((test[:, 0] - test[:, 1:] @ coefficients - intercept) ** 2))
        assert job["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == pytest.approx(error, rel=1e-4)
        assert stranger.metrics(job["TrainingJobName"])["train:rows"] == 40
        output = stranger.archive(f"ridge/models/{job['TrainingJobName']}/output/output.tar.gz")
        written = json.loads(output["coefficients.json"])
        assert written["coefficients"] == pytest.approx(coefficients, abs=1e-6)
        assert written["alpha"] == alpha
    registered = {
        package["ModelPackageDescription"]: package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
        for package in (stranger.package("Ridge", version) for version in (1, 2))
    }
    assert registered == {
        f"place {place}": f"s3://{stranger.bucket}/ridge/models/{listed[place]['TrainingJobName']}/output/model.tar.gz"
        for place in (0, 1)
    }
    assert all(set(stranger.archive(uri)) == {"model.joblib"} for uri in registered.values())


def _ridge(rows: np.ndarray, alpha: float) -> tuple[np.ndarray, float]:
    x, y = rows[:, 1:], rows[:, 0]
    centred = x - x.mean(axis=0)
    coefficients = np.linalg.solve(centred.T @ centred + alpha * np.eye(x.shape[1]), centred.T @ (y - y.mean()))
    return coefficients, float(y.mean() - x.mean(axis=0) @ coefficients)
