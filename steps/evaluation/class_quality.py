"""Writes the quality of a classifier as SageMaker Model Monitor does, for Studio and the model registry.

Format: https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-metrics.html. The page does not say
which classifier is the "best constant" one. In its example for two classes it predicts class 1, and so does ours; for
more classes ours predicts the most frequent one.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

import numpy as np

from evaluation.class_sums import ClassSums
from evaluation.confusion import Table, f_scores
from evaluation.rows import Numbers

_BETAS = {"f0_5": 0.5, "f1": 1.0, "f2": 2.0}


def class_quality(total: ClassSums | None, samples: Sequence[ClassSums]) -> dict[str, Any]:
    """Return the content of model_quality.json.

    Args:
        total: the sums over the out-of-fold predictions of all rows; None without predictions.
        samples: the sums over samples of 80 % of them, from which standard deviations come.
    """
    if total is None:
        return {}
    values_of = _binary if total.classes == 2 else _multiclass
    values = values_of(total)
    sampled = [values_of(sample) for sample in samples]
    metrics: dict[str, Any] = {
        "confusion_matrix": {
            str(actual): {str(predicted): int(count) for predicted, count in enumerate(row)}
            for actual, row in enumerate(total.table)
        },
        **{
            name: {"value": value, "standard_deviation": _deviation([sample.get(name) for sample in sampled])}
            for name, value in values.items()
            if value is not None
        },
    }
    if total.classes > 2:
        return {"multiclass_classification_metrics": metrics}
    curve = total.scores.counts.curve()
    metrics["receiver_operating_characteristic_curve"] = {
        "false_positive_rates": [point["fpr"] for point in curve],
        "true_positive_rates": [point["tpr"] for point in curve],
    }
    metrics["precision_recall_curve"] = {
        "precisions": [point["precision"] for point in curve],
        "recalls": [point["tpr"] for point in curve],
    }
    return {"binary_classification_metrics": metrics}


def _binary(sums: ClassSums) -> dict[str, float | None]:
    table = sums.table
    (true_negatives, false_positives), (false_negatives, true_positives) = table.tolist()
    constant = _constant_table(table, 1)
    return {
        **_of_class_1(table),
        "true_positive_rate": _share(true_positives, false_negatives),
        "true_negative_rate": _share(true_negatives, false_positives),
        "false_positive_rate": _share(false_positives, true_negatives),
        "false_negative_rate": _share(false_negatives, true_positives),
        "auc": sums.scores.counts.auc(),
        "au_prc": sums.scores.counts.average_precision(),
        **{f"{name}_best_constant_classifier": value for name, value in _of_class_1(constant).items()},
    }


def _of_class_1(table: Table) -> dict[str, float | None]:
    hits = int(table[1, 1])
    return {
        "recall": _share(hits, int(table[1, 0])),
        "precision": _share(hits, int(table[0, 1])),
        "accuracy": float(np.trace(table) / table.sum()),
        **{name: float(f_scores(table, beta)[1]) for name, beta in _BETAS.items()},
    }


def _multiclass(sums: ClassSums) -> dict[str, float | None]:
    constant = _constant_table(sums.table, int(sums.table.sum(axis=1).argmax()))
    return {
        **_weighted(sums.table),
        **{f"{name}_best_constant_classifier": value for name, value in _weighted(constant).items()},
    }


def _weighted(table: Table) -> dict[str, float | None]:
    """Return accuracy, and means over the classes weighted by their rows."""
    hits, predicted, actual = np.diagonal(table), table.sum(axis=0), table.sum(axis=1)

    def mean(values: Numbers) -> float:
        return float(np.average(values, weights=actual))

    return {
        "accuracy": float(hits.sum() / table.sum()),
        "weighted_recall": mean(hits / np.maximum(actual, 1)),
        "weighted_precision": mean(hits / np.maximum(predicted, 1)),
        **{f"weighted_{name}": mean(f_scores(table, beta)) for name, beta in _BETAS.items()},
    }


def _constant_table(table: Table, predicted: int) -> Table:
    constant = np.zeros_like(table)
    constant[:, predicted] = table.sum(axis=1)
    return constant


def _share(part: int, others: int) -> float:
    return part / (part + others) if part + others else 0.0


def _deviation(values: Sequence[float | None]) -> float | str:
    known = [value for value in values if value is not None]
    return statistics.stdev(known) if len(known) == len(values) > 1 else "NaN"
