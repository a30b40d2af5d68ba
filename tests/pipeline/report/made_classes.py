"""What an execution with a label of classes leaves: as SelectBest writes it, from predictions made by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from evaluation.class_sums import ClassSums, tables_of
from evaluation.score_counts import ScoreCounter

from pipeline.report.class_predictions import ClassPredictions
from pipeline.report.evidence import Evidence
from pipeline.report.losses import Losses
from pipeline.report.parts import Part
from tests.pipeline.report.made import make_evidence

FEATURES = ["rooms", "area", "town_a", "town_b"]


def make_class_evidence(
    classes: list[str] | None = None, rows: int = 300, metric: str = "auc", algorithm: str = "xgboost"
) -> Evidence:
    """Return the evidence of an execution whose label has these classes, by default two."""
    names = classes or ["no", "yes"]
    labels, scores = _predictions(len(names), rows)
    predicted = (scores > 0.5).astype(float) if len(names) == 2 else scores.argmax(axis=1)
    sums = ClassSums(len(names))
    sums.add(labels, scores, predicted)
    table = np.column_stack([1 - scores, scores]) if len(names) == 2 else scores
    places = np.arange(rows)
    whole = np.column_stack([places // 3 + 1, places % 3 + 1, labels, predicted, table])
    evidence = make_evidence(FEATURES, rows=rows)
    best, folds = evidence.results.best, evidence.folds.value
    assert best is not None
    assert folds is not None
    counts = sums.table.sum(axis=1).tolist()
    folds |= {"classes": names, "class_rows": counts}
    for fold in folds["folds"]:
        fold["class_rows"] = [count // 3 for count in counts]
    problem = "binary" if len(names) == 2 else "multiclass"
    points = [_renamed(point, metric) for point in evidence.results.cv_results]
    coefficients = [row | ({"class": names[0]} if len(names) > 2 else {}) for row in evidence.coefficients.value or []]
    return replace(
        evidence,
        results=replace(evidence.results, best=_best(best, names, problem, metric, algorithm, sums), cv_results=points),
        predictions=Part(None, "The label is a class."),
        coefficients=Part(coefficients),
        importance=Part([]),
        tables=Part(tables_of(sums, names, _against_rest(labels, scores, len(names)))),
        class_predictions=Part(ClassPredictions(whole, rows)),
        shap=Part(_shap(evidence.shap.value or {}, len(names))),
        losses=Part(_losses(metric)),
    )


def _predictions(count: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(5)
    labels = random.permutation(np.arange(rows) % count)
    if count == 2:
        return labels.astype(float), 1 / (1 + np.exp(-random.normal(size=rows) - 2 * labels + 1))
    raw = np.exp(random.normal(size=(rows, count)) + 2 * (labels[:, None] == np.arange(count)))
    return labels.astype(float), raw / raw.sum(axis=1, keepdims=True)


def _against_rest(labels: np.ndarray, scores: np.ndarray, count: int) -> list[Any]:
    found = []
    for place in range(count if count > 2 else 0):
        counter = ScoreCounter()
        counter.add(scores[:, place], (labels == place).astype(float))
        found.append(counter.counts)
    return found


def _best(
    best: dict[str, Any], names: list[str], problem: str, metric: str, algorithm: str, sums: ClassSums
) -> dict[str, Any]:
    known = {name: value for name, value in best.items() if name not in ("mse", "fold_label_means")}
    return known | {
        "algorithm": algorithm,
        "problem": problem,
        "classes": names,
        "metric": {
            "name": f"validation:{metric}",
            "direction": "Minimize" if metric.endswith("loss") else "Maximize",
            "title": {"auc": "AUC"}.get(metric, "log loss"),
            "computed": metric,
        },
        "estimate": {"value": 0.81, "low": 0.7, "high": 0.9, "fold_values": [0.78, 0.8, 0.85]},
        "baselines": {"constant": 0.5, "logistic_regression": 0.79},
        "out_of_fold": {"rows": sums.rows, **sums.metrics(), "probabilities": True, "confusion": sums.table.tolist()},
        "value": 0.86,
    }


def _renamed(point: dict[str, Any], metric: str) -> dict[str, Any]:
    """Return a row of cv_results.json in the metric: from 0.8 downwards."""
    rank = point["rank_test_mse"]
    sign = 1 if metric.endswith("loss") else -1
    values = {
        name.replace("mse", metric): 0.8 + sign * 0.02 * (rank - 1) + 0.001 * place * rank
        for place, name in enumerate(point)
        if name.startswith(("split", "mean_"))
    }
    others = {name: point[name] for name in ("ineligible", "params", "chosen")}
    return {**values, f"rank_test_{metric}": rank, **others}


def _shap(shap: dict[str, Any], count: int) -> dict[str, Any]:
    if count == 2:
        return shap
    features = [each | {"by_class": [each["mean_absolute"] / count] * count} for each in shap["features"]]
    return shap | {"features": features}


def _losses(metric: str) -> Losses:
    rows = [
        {"fold": fold, "channel": channel, "epoch": epoch, "loss": 0.5 + epoch / 100}
        for fold in (1, 2, 3)
        for channel in ("train", "validation")
        for epoch in range(1, 31)
    ]
    return Losses(metric, rows, [], has_train=True, is_by_tree=True)
