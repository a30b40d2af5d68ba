"""What an execution leaves, made by hand: any number of rows, folds and features."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from pipeline.operate.execution import ExecutionState
from pipeline.operate.results import Results
from pipeline.report.evidence import Evidence
from pipeline.report.losses import Losses
from pipeline.report.parts import Part
from pipeline.report.predictions import Predictions

ARN = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/prices/execution/abc123"
STATE = ExecutionState(ARN, "Succeeded", "", [])


def make_folds(features: list[str], folds: int, rows: int) -> dict[str, Any]:
    return {
        "rows": rows,
        "folds": [{"fold": fold, "test_rows": rows // folds, "train_rows": rows} for fold in range(1, folds + 1)],
        "columns": {"label": "price", "features": features},
        "feature_dim": len(features),
        "preparation": {"label_transform": None},
        "input": "s3://bucket/prices.csv",
        "shuffle": True,
        "seed": 42,
        "groups": None,
        "stratify": None,
        "data_version": "7",
        "rejected": {"total": 3, "by_reason": {"not_numeric": 3, "wrong_columns": 0}},
        "dropped": {"total": 4, "by_column": {"rooms": 4}},
        "duplicate_rows": 5,
        "duplicate_rows_exact": True,
    }


def make_points(folds: int, rates: list[str], penalties: list[str]) -> list[dict[str, Any]]:
    made = []
    for rank, (rate, penalty) in enumerate([(rate, penalty) for rate in rates for penalty in penalties], start=1):
        errors = {f"split{fold}_test_mse": 100.0 * rank + fold * (1 + rank / 7) for fold in range(1, folds + 1)}
        mean = float(np.mean(list(errors.values())))
        params = {"l1": penalty, "learning_rate": rate}
        row = {**errors, "mean_test_mse": mean, "rank_test_mse": rank, "ineligible": None, "params": params}
        made.append(row | {"chosen": rank == 1})
    return made


def make_best(folds: int, rows: int) -> dict[str, Any]:
    return {
        "rule": "lowest_mse",
        "hyperparameters": {"l1": "0.1", "learning_rate": "0.01"},
        "fold_label_means": [float(fold) for fold in range(1, folds + 1)],
        "estimate": {"mse": 104.0, "low": 90.0, "high": 120.0, "fold_mse": [100.0 + fold for fold in range(folds)]},
        "label_transform": None,
        "baselines": {"mean": 400.0, "least_squares": 99.0},
        "out_of_fold": {
            "rows": rows,
            "mse": 104.0,
            "rmse": 10.2,
            "mae": 8.0,
            "r2": 0.74,
            "calibration": {"slope": 1.01, "intercept": -2.0},
        },
        "mse": 88.0,
        "training_job_name": "job-1",
        "training_jobs": [f"job-{fold}" for fold in range(1, folds + 1)],
        "warnings": ["The grid is small & <narrow>."],
    }


def make_table(folds: int, rows: int) -> np.ndarray:
    random = np.random.RandomState(0)
    predicted = random.normal(size=rows) * 20 + 100
    labels = predicted + random.normal(size=rows) * 10
    return np.column_stack([np.arange(rows) // folds + 1, np.arange(rows) % folds + 1, labels, predicted])


def make_losses(folds: int, epochs: int) -> Losses:
    rows = [
        {"fold": fold, "channel": channel, "epoch": epoch, "loss": 1000 / epoch + fold}
        for fold in range(1, folds + 1)
        for channel in ("train", "validation")
        for epoch in range(1, epochs + 1)
    ]
    return Losses("mse_objective", rows, [], True)


def make_evidence(
    features: list[str] | None = None, folds: int = 3, rows: int = 120, epochs: int = 5, **results: Any
) -> Evidence:
    """Return the evidence of an execution that succeeded, with the given fields of its results."""
    names = features or ["rooms", "area", "town_a", "town_b"]
    coefficients = [
        {
            "feature": name,
            "fold_mean": 5.0 - place,
            "fold_lowest": 4.0 - place,
            "fold_highest": 6.0 - place,
            "same_sign": 1.0 if place else 0.6,
            "zeros": 0.2 if place else 0.0,
        }
        for place, name in enumerate(names)
    ]
    importance = [
        {"variable": name, "features": 1, "mse_increase": 50.0 / (1 + place), "fold_mse_increase": [40.0, 60.0]}
        for place, name in enumerate(names)
    ]
    rows_shown = min(rows, 50)
    shap = {
        "rows": rows,
        "bias": 100.0,
        "features": [{"feature": name, "mean_absolute": 9.0 / (1 + place)} for place, name in enumerate(names)],
        "sample": {
            "fold": [1] * rows_shown,
            "row": list(range(1, rows_shown + 1)),
            "label": [1.0] * rows_shown,
            "values": [np.linspace(0, 1, rows_shown).tolist() for _ in names],
            "contributions": [np.linspace(-1, place, rows_shown).tolist() for place, _ in enumerate(names)],
        },
    }
    found = Results(
        rejected_rows=None,
        model_package_deleted=False,
        best=make_best(folds, rows),
        training_jobs=[],
        cv_results=make_points(folds, ["0.01", "0.1"], ["0.1", "1"]),
        cv_results_uri=None,
        refit=None,
        model_package_arn="arn:aws:sagemaker:us-east-1:123456789012:model-package/prices/1",
        newly_registered=True,
        endpoint_name="prices",
        endpoint_state="verified",
    )
    return Evidence(
        state=STATE,
        started=datetime(2026, 1, 31, 10, 0, tzinfo=UTC),
        ended=datetime(2026, 1, 31, 10, 5, 7, tzinfo=UTC),
        results=replace(found, **results),
        folds=Part(make_folds(names, folds, rows)),
        coefficients=Part(coefficients),
        importance=Part(importance),
        deviations=Part([1.0] * (1 + len(names))),
        predictions=Part(Predictions(make_table(folds, rows), rows)),
        losses=Part(make_losses(folds, epochs)),
        tables=Part(None, "The label is a number."),
        class_predictions=Part(None, "The label is a number."),
        shap=Part(shap),
    )
