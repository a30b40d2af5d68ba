"""Metrics of predicted labels, from the table of actual and predicted classes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from evaluation.rows import Numbers

Table = npt.NDArray[np.int64]
"""The number of rows by actual class (row) and predicted class (column)."""


def confusion(actual: Numbers, predicted: Numbers, classes: int, counts: npt.NDArray[np.int64] | None = None) -> Table:
    """Return the table of some rows.

    Args:
        actual: the classes, of shape (n,).
        predicted: the predicted classes, of shape (n,).
        classes: the number of classes.
        counts: how many rows each of them is; None for one.
    """
    places = actual.astype(np.int64) * classes + predicted.astype(np.int64)
    found = np.bincount(places, weights=counts, minlength=classes**2)
    return found.astype(np.int64).reshape(classes, classes)


def label_metrics(table: Table) -> dict[str, float]:
    """Return error, accuracy, and means over the classes that occur among actual or predicted labels.

    ``balanced_accuracy`` is the mean recall of the classes that occur among the actual labels.
    """
    hits, predicted, actual = np.diagonal(table), table.sum(axis=0), table.sum(axis=1)
    accuracy = float(hits.sum() / table.sum())
    occurs = (predicted + actual) > 0
    return {
        "error": 1 - accuracy,
        "accuracy": accuracy,
        "balanced_accuracy": float(np.mean(_ratio(hits, actual)[actual > 0])),
        "f1_macro": float(np.mean(f_scores(table, 1.0)[occurs])),
        "precision_macro": float(np.mean(_ratio(hits, predicted)[occurs])),
        "recall_macro": float(np.mean(_ratio(hits, actual)[occurs])),
    }


def class_metrics(table: Table) -> list[dict[str, float]]:
    """Return for each class its rows, precision, recall and F1; 0 for a ratio without a denominator."""
    hits, predicted, actual = np.diagonal(table), table.sum(axis=0), table.sum(axis=1)
    values = zip(actual, _ratio(hits, predicted), _ratio(hits, actual), f_scores(table, 1.0), strict=True)
    return [
        {"rows": int(rows), "precision": float(precision), "recall": float(recall), "f1": float(f1)}
        for rows, precision, recall, f1 in values
    ]


def f_scores(table: Table, beta: float) -> Numbers:
    """Return each class's F measure: ``(1 + b^2) tp / ((1 + b^2) tp + b^2 fn + fp)``."""
    hits, predicted, actual = np.diagonal(table), table.sum(axis=0), table.sum(axis=1)
    return _ratio((1 + beta**2) * hits, beta**2 * actual + predicted)


def _ratio(numerator: npt.NDArray[np.number], denominator: npt.NDArray[np.number]) -> Numbers:
    return np.asarray(np.divide(numerator, denominator, out=np.zeros(len(numerator)), where=denominator > 0))
