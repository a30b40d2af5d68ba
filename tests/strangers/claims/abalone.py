"""The report's error is that of the model on the test rows; the batch and an endpoint predict the same."""

from __future__ import annotations

import io

import numpy as np
import pytest
import xgboost

from tests.strangers.conftest import Execution, Stranger


def check(stranger: Stranger, executions: list[Execution]) -> None:
    (execution,) = executions
    assert execution.status == "Succeeded", execution.steps
    assert set(execution.statuses()) == {
        *("PreprocessAbaloneData", "TrainAbaloneModel", "EvaluateAbaloneModel", "CheckMseAbaloneEvaluation"),
        *("RegisterAbaloneModel", "AbaloneModel", "AbaloneTransform"),
    }
    folder = f"abalone/{execution.id}"
    parts = {name: _rows(stranger.read(f"{folder}/{name}/{name}.csv")) for name in ("train", "validation", "test")}
    assert [len(rows) for rows in parts.values()] == [280, 60, 60]
    assert {rows.shape[1] for rows in parts.values()} == {8}

    job = stranger.training_job(execution.job("TrainAbaloneModel"))
    model = xgboost.Booster()
    model.load_model(bytearray(stranger.archive(job["ModelArtifacts"]["S3ModelArtifacts"])["xgboost-model"]))
    predicted = model.predict(xgboost.DMatrix(parts["test"][:, 1:]))
    errors = parts["test"][:, 0] - predicted
    report = stranger.json(f"{folder}/evaluation/evaluation.json")["regression_metrics"]["mse"]
    assert report["value"] == pytest.approx(float(np.mean(errors**2)), rel=1e-5)
    assert report["standard_deviation"] == pytest.approx(float(np.std(errors)), rel=1e-5)
    assert report["value"] < np.var(parts["test"][:, 0])
    measured = stranger.metrics(job["TrainingJobName"])["validation:rmse"]
    on_validation = model.predict(xgboost.DMatrix(parts["validation"][:, 1:]))
    assert measured == pytest.approx(
        float(np.sqrt(np.mean((parts["validation"][:, 0] - on_validation) ** 2))), abs=1e-4
    )

    scored = np.array(stranger.read(f"{folder}/scored/batch.csv.out").split(), dtype=float)
    assert scored == pytest.approx(predicted, rel=1e-5)
    package = stranger.package("AbaloneModels")
    assert package["ModelApprovalStatus"] == "Approved"
    assert stranger.json(package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]) == {
        "regression_metrics": {"mse": report}
    }
    rows = stranger.read(f"{folder}/batch/batch.csv").decode().splitlines()[:3]
    answer = stranger.ask(package, "\n".join(rows))
    assert np.array(answer.replace(",", " ").split(), dtype=float) == pytest.approx(scored[:3], rel=1e-5)


def _rows(content: bytes) -> np.ndarray:
    return np.loadtxt(io.BytesIO(content), delimiter=",", ndmin=2)
