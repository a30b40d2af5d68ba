"""The tuning job that the job has started is there, and its best model is what the job has left."""

from __future__ import annotations

import io
import tarfile

import numpy as np
import pytest
import xgboost

from tests.strangers.conftest import Execution, Stranger


def check(stranger: Stranger, executions: list[Execution]) -> None:
    (execution,) = executions
    assert execution.status == "Succeeded", execution.steps
    found = stranger.json("nested/best/best.json")
    assert found["who"] == "arn:aws:sts::123456789012:assumed-role/AmazonSageMaker-ExecutionRole/SageMaker"
    best = stranger.training_job(found["best"]["job"])
    tuning = stranger.sagemaker.describe_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=best["TuningJobArn"].rpartition("/")[2]
    )
    assert tuning["TrainingJobStatusCounters"]["Completed"] == 2
    # The label is a product of two features: trees of one level cannot fit it.
    assert best["HyperParameters"]["max_depth"] == found["best"]["max_depth"] == "4"
    copied = stranger.read("nested/best/model.tar.gz")
    assert copied == stranger.read(best["ModelArtifacts"]["S3ModelArtifacts"])
    with tarfile.open(fileobj=io.BytesIO(copied)) as tar:
        file = tar.extractfile("xgboost-model")
        assert file is not None
        model = xgboost.Booster()
        model.load_model(bytearray(file.read()))
    rows = np.loadtxt(io.BytesIO(stranger.read("nested/validation/rows.csv")), delimiter=",")
    errors = rows[:, 0] - model.predict(xgboost.DMatrix(rows[:, 1:]))
    assert found["best"]["rmse"] == pytest.approx(float(np.sqrt(np.mean(errors**2))), abs=1e-4)
