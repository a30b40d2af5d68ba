"""Batch and endpoint agree; the report is what their scores give; the repacked artifact has model and code."""

from __future__ import annotations

import csv
import io

import pytest

from tests.strangers.conftest import PIPELINES, Execution, Stranger


def check(stranger: Stranger, executions: list[Execution]) -> None:
    (execution,) = executions
    assert execution.status == "Succeeded", execution.steps
    assert set(execution.statuses()) == {
        *("Process", "Train", "Evaluate", "Check", "Register-RepackModel", "Register-RegisterModel"),
        *("Create-CreateModel", "Predict"),
    }
    prepared = f"titanic/{execution.id}/Process/output"
    test = list(csv.DictReader(io.StringIO(stranger.read(f"{prepared}/test/test.csv").decode())))
    assert len(test) == 75
    labels = [int(row["survived"]) for row in test]
    scores = [float(line) for line in stranger.read("titanic/scored/batch.csv.out").split()]
    package = stranger.package("Titanic")
    report = stranger.json(package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"])
    found = {name: each["value"] for name, each in report["binary_classification_metrics"].items()}
    right = sum((score > 0.5) == label for score, label in zip(scores, labels, strict=True))
    assert found["accuracy"] == pytest.approx(right / len(labels))
    assert found["auc"] == pytest.approx(_auc(scores, labels), abs=1e-6)
    assert found["accuracy"] > 0.7
    assert 0.7 < stranger.metrics(execution.job("Train"))["train:accuracy"] <= 1

    trained = stranger.archive(stranger.training_job(execution.job("Train"))["ModelArtifacts"]["S3ModelArtifacts"])
    (container,) = package["InferenceSpecification"]["Containers"]
    repacked = stranger.archive(container["ModelDataUrl"])
    assert set(trained) == {"model.joblib"}
    assert repacked["model.joblib"] == trained["model.joblib"]
    source = PIPELINES / "version_2/source"
    assert repacked["code/inference.py"] == (source / "inference.py").read_bytes()
    rows = stranger.read(f"{prepared}/batch/batch.csv").decode().splitlines()
    answer = stranger.ask(
        package,
        "\n".join(rows),
        SAGEMAKER_PROGRAM="inference.py",
        SAGEMAKER_SUBMIT_DIRECTORY="/opt/ml/model/code",
    )
    assert [float(line) for line in answer.split()] == scores


def _auc(scores: list[float], labels: list[int]) -> float:
    """The share of pairs of a positive and a negative row that the scores order rightly; a tie counts half."""
    positive = [score for score, label in zip(scores, labels, strict=True) if label]
    negative = [score for score, label in zip(scores, labels, strict=True) if not label]
    ordered = sum((one > zero) + (one == zero) / 2 for one in positive for zero in negative)
    return ordered / len(positive) / len(negative)
