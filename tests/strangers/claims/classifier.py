"""Both models' accuracies are those of their scores, and the better one is registered."""

from __future__ import annotations

import io
import json

import numpy as np
import xgboost

from tests.strangers.conftest import Execution, Stranger


def check(stranger: Stranger, executions: list[Execution]) -> None:
    (execution,) = executions
    assert execution.status == "Succeeded", execution.steps
    rows = np.loadtxt(io.BytesIO(stranger.read("classes/csv/validation/part-0")), delimiter=",")
    labels = rows[:, 0].astype(int)
    job = stranger.training_job(execution.job("Boosted"))
    model = xgboost.Booster()
    model.load_model(bytearray(stranger.archive(job["ModelArtifacts"]["S3ModelArtifacts"])["xgboost-model"]))
    # Early stopping keeps the rounds up to the best one.
    assert 1 <= model.num_boosted_rounds() < 100
    # Zeros are missing in libsvm files, and values in the CSV of the batch.
    boosted = np.array(stranger.read("classes/scored/Boosted/rows.csv.out").split(), dtype=float)
    np.testing.assert_allclose(boosted, model.predict(xgboost.DMatrix(rows[:, 1:])), rtol=1e-5)
    (line,) = stranger.read("classes/scored/Linear/rows.csv.out").splitlines()
    linear = np.array([each["predicted_label"] for each in json.loads(line)["predictions"]])
    accuracies = {
        "boosted": {"accuracy": float(np.mean((boosted > 0.5) == labels))},
        "linear": {"accuracy": float(np.mean(linear == labels))},
    }
    assert stranger.json("classes/comparison/comparison.json") == accuracies
    assert min(each["accuracy"] for each in accuracies.values()) > 0.75
    better = "Boosted" if accuracies["boosted"]["accuracy"] >= accuracies["linear"]["accuracy"] else "Linear"
    package = stranger.package("Classes")
    assert package["CustomerMetadataProperties"] == {"kind": better}
    registered = package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    chosen = stranger.training_job(execution.job(better))
    assert registered == chosen["ModelArtifacts"]["S3ModelArtifacts"]
    assert f"Register{'Linear' if better == 'Boosted' else 'Boosted'}" not in execution.steps
