"""Both ways to start the code have its hyperparameters, channels and folders."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.strangers.conftest import Execution, Stranger

LABELS = (1, 2, 3, 4, 5)


def check(stranger: Stranger, executions: list[Execution]) -> None:
    (execution,) = executions
    assert execution.status == "Succeeded", execution.steps
    script, command = (stranger.training_job(execution.job(step)) for step in ("EntryScript", "Command"))
    assert _model(stranger, script) == {"mean": 11.0, "power": 2, "note": "two words", "stage": "EntryScript"}
    assert _model(stranger, command) == {"mean": 45.0, "power": 3, "note": "", "stage": "Command"}
    for job, power in ((script, 2), (command, 3)):
        mean = sum(label**power for label in LABELS) / len(LABELS)
        assert stranger.metrics(job["TrainingJobName"]) == {"mean": pytest.approx(mean)}
        folder = job["ModelArtifacts"]["S3ModelArtifacts"].removesuffix("model.tar.gz")
        assert folder == f"s3://{stranger.bucket}/means/{execution.id}/{job['TrainingJobName']}/output/"
        written = json.loads(stranger.archive(f"{folder}output.tar.gz")["hyperparameters.json"])
        assert written == ({"power": 2, "note": "two words"} if power == 2 else {})


def _model(stranger: Stranger, job: dict[str, Any]) -> Any:
    return json.loads(stranger.archive(job["ModelArtifacts"]["S3ModelArtifacts"])["model.json"])
