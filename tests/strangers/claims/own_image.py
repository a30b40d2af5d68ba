"""The image's line fits, batch and endpoint are on it, and a failure has the program's own words."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.strangers.conftest import Execution, Stranger


def check(stranger: Stranger, executions: list[Execution]) -> None:
    fitted, failed = executions
    assert fitted.statuses() == dict.fromkeys(("FitLine", "Line", "RegisterLine", "Score"), "Succeeded")
    x = np.arange(1, 21)
    slope, intercept = np.polyfit(x**2, 3 * x * x - 2 + (-1.0) ** x * 0.5, 1)
    job = stranger.training_job(fitted.job("FitLine"))
    model = json.loads(stranger.archive(job["ModelArtifacts"]["S3ModelArtifacts"])["line.json"])
    assert model == {
        "slope": pytest.approx(slope),
        "intercept": pytest.approx(intercept),
        "degree": 2,
        "kind": "line",
    }
    assert stranger.metrics(job["TrainingJobName"]) == {"slope": pytest.approx(slope, abs=1e-6)}
    rows = [line.split(",") for line in stranger.read("line/scored/xs.csv.out").decode().split()]
    assert [row[0] for row in rows] == ["1", "2", "30"]
    expected = [intercept + slope * value**2 for value in (1, 2, 30)]
    assert [float(row[1]) for row in rows] == pytest.approx(expected, abs=1e-4)
    answer = stranger.ask(stranger.package("Lines"), "1\n2\n30\n")
    assert [float(line) for line in answer.split()] == pytest.approx(expected, abs=1e-4)

    assert failed.statuses() == {"FitLine": "Failed"}
    reason = failed.steps["FitLine"]["FailureReason"]
    assert reason.startswith("ClientError: AlgorithmError: Exception during training: invalid literal for int()")
    assert reason.endswith("exit code: 255")
    assert not [key for key in stranger.keys("line/models/") if failed.id in key]
