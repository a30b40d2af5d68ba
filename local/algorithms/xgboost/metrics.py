"""The metrics that the container computes itself, and that the library does not have.

They are computed like scikit-learn's, unweighted, from predictions: a class's label is that of its largest
probability, or 1 for a probability above one half.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import xgboost

from local.algorithms.errors import ClientError

Array = npt.NDArray[np.float64]
Counts = tuple[Array, Array, Array]


def evaluation(names: Sequence[str], objective: str) -> Callable[[Array, xgboost.DMatrix], list[tuple[str, float]]]:
    """Return the function that computes metrics for the library.

    Args:
        names: The metrics, each one of ``CUSTOM_METRICS``.
        objective: The objective of the training, which decides how predictions become labels.

    Returns:
        A function of predictions and data, which gives pairs of a name and a value.
    """

    def evaluate(predictions: Array, data: xgboost.DMatrix) -> list[tuple[str, float]]:
        labels = data.get_label().astype(np.float64)
        return [(name, CUSTOM_METRICS[name](labels, _input(name, predictions, objective))) for name in names]

    return evaluate


def _input(name: str, predictions: Array, objective: str) -> Array:
    return predictions.astype(np.float64) if name in _REGRESSION else predicted_labels(predictions, objective)


def predicted_labels(predictions: Array, objective: str) -> Array:
    """Return the predicted labels, of shape (rows,).

    Args:
        predictions: Of shape (rows,) or (rows, classes).
        objective: The objective of the training.
    """
    if predictions.ndim > 1:
        labels: Array = np.argmax(predictions, axis=1).astype(np.float64)
        return labels
    if objective == "multi:softmax":
        return predictions.astype(np.float64)
    limit = 0.0 if objective == "binary:logitraw" else 0.5
    above: Array = (predictions > limit).astype(np.float64)
    return above


def _mse(labels: Array, predictions: Array) -> float:
    return float(np.mean((labels - _same_shape(predictions, labels)) ** 2))


def _r2(labels: Array, predictions: Array) -> float:
    residual = float(np.sum((labels - _same_shape(predictions, labels)) ** 2))
    total = float(np.sum((labels - labels.mean()) ** 2))
    if total == 0.0:
        return 1.0 if residual == 0.0 else 0.0
    return 1.0 - residual / total


def _same_shape(predictions: Array, labels: Array) -> Array:
    if predictions.shape != labels.shape:
        raise ClientError(f"mse and r2 need one prediction a row, and there are {predictions.shape[1:]}")
    return predictions


def _accuracy(labels: Array, predicted: Array) -> float:
    return float(np.mean(labels == predicted))


def _balanced_accuracy(labels: Array, predicted: Array) -> float:
    return float(np.mean([np.mean(predicted[labels == label] == label) for label in np.unique(labels)]))


def _counts(labels: Array, predicted: Array) -> Counts:
    """Return each class's numbers of true positives, of predictions and of rows."""
    classes = np.union1d(labels, predicted)
    hits = np.array([np.sum((labels == label) & (predicted == label)) for label in classes], dtype=np.float64)
    predictions = np.array([np.sum(predicted == label) for label in classes], dtype=np.float64)
    return hits, predictions, np.array([np.sum(labels == label) for label in classes], dtype=np.float64)


def _binary_counts(labels: Array, predicted: Array) -> Counts:
    if len(np.union1d(labels, predicted)) > 2:
        raise ClientError(
            "Target is multiclass but average='binary'. Please choose another average setting, one of [None, 'micro', "
            "'macro', 'weighted']."
        )
    hits = np.sum((labels == 1) & (predicted == 1))
    return tuple(np.array([float(count)]) for count in (hits, np.sum(predicted == 1), np.sum(labels == 1)))  # type: ignore[return-value]


def _micro_counts(labels: Array, predicted: Array) -> Counts:
    hits, predictions, rows = _counts(labels, predicted)
    return hits.sum(keepdims=True), predictions.sum(keepdims=True), rows.sum(keepdims=True)


def _ratio(numerator: Array, denominator: Array) -> float:
    return float(np.mean(np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)))


def _precision(counts: Callable[[Array, Array], Counts]) -> Callable[[Array, Array], float]:
    def compute(labels: Array, predicted: Array) -> float:
        hits, predictions, _ = counts(labels, predicted)
        return _ratio(hits, predictions)

    return compute


def _recall(counts: Callable[[Array, Array], Counts]) -> Callable[[Array, Array], float]:
    def compute(labels: Array, predicted: Array) -> float:
        hits, _, rows = counts(labels, predicted)
        return _ratio(hits, rows)

    return compute


def _f1(counts: Callable[[Array, Array], Counts]) -> Callable[[Array, Array], float]:
    def compute(labels: Array, predicted: Array) -> float:
        hits, predictions, rows = counts(labels, predicted)
        return _ratio(2 * hits, predictions + rows)

    return compute


_REGRESSION: Final = ("mse", "r2")
CUSTOM_METRICS: Final[dict[str, Callable[[Array, Array], float]]] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "f1": _f1(_counts),
    "f1_binary": _f1(_binary_counts),
    "f1_macro": _f1(_counts),
    "mse": _mse,
    "precision": _precision(_binary_counts),
    "precision_macro": _precision(_counts),
    "precision_micro": _precision(_micro_counts),
    "r2": _r2,
    "recall": _recall(_binary_counts),
    "recall_macro": _recall(_counts),
    "recall_micro": _recall(_micro_counts),
}
"""Functions of labels and predictions by metric. Classification metrics take predicted labels."""
