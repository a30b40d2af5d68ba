"""Sums over rows whose label is a class, from which all metrics of their predictions follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from evaluation.confusion import Table, class_metrics, confusion, label_metrics
from evaluation.rows import Numbers
from evaluation.score_counts import ScoreCounter, ScoreCounts

_SMALLEST_PROBABILITY = 1e-16
"""Smaller ones count as this in the log loss, as in XGBoost. Otherwise one row could make it infinite."""

_MOST_CURVES, _POINTS_OF_CLASS = 10, 150
"""The classes whose curves against the other classes are written, the most frequent ones, and the points of each."""

Counts = npt.NDArray[np.int64]


@dataclass
class ClassSums:
    """The sums.

    Attributes:
        classes: the number of classes.
        rows: the number of rows.
        table: the rows by actual and predicted class.
        log_loss: the sum of -log(p) of the actual classes' probabilities.
        squares: the sum of (p - y)^2; for two classes only.
        scores: the rows by score; for two classes only.
        has_probabilities: whether all predictions so far are from 0 to 1, so that log loss and squares mean something.
    """

    classes: int
    rows: int = 0
    table: Table = field(init=False)
    log_loss: float = 0.0
    squares: float = 0.0
    scores: ScoreCounter = field(default_factory=ScoreCounter)
    has_probabilities: bool = True

    def __post_init__(self) -> None:
        self.table = np.zeros((self.classes, self.classes), np.int64)

    def add(self, labels: Numbers, predictions: Numbers, predicted: Numbers, counts: Counts | None = None) -> None:
        """Add rows.

        Args:
            labels: the classes, of shape (n,).
            predictions: as ``Model.predict`` returns them: of shape (n,) for two classes, else (n, classes).
            predicted: the predicted classes, of shape (n,).
            counts: how many rows each of them is; None for one.
        """
        counts = np.ones(len(labels), np.int64) if counts is None else counts
        self.rows += int(counts.sum())
        self.table += confusion(labels, predicted, self.classes, counts)
        self.has_probabilities = self.has_probabilities and bool(((predictions >= 0) & (predictions <= 1)).all())
        if self.has_probabilities:
            self.log_loss += float(counts @ row_log_loss(labels, predictions))
        if predictions.ndim == 1:
            self.squares += float(counts @ (predictions - labels) ** 2)
            self.scores.add(predictions, labels, counts)

    def __add__(self, other: ClassSums) -> ClassSums:
        """Return the sums over the rows of both."""
        total = ClassSums(
            self.classes,
            self.rows + other.rows,
            self.log_loss + other.log_loss,
            self.squares + other.squares,
            self.scores + other.scores,
            self.has_probabilities and other.has_probabilities,
        )
        total.table = self.table + other.table
        return total

    def metrics(self) -> dict[str, float | None]:
        """Return the metrics of ``METRICS``; None for one that these rows do not have, as the AUC of one class."""
        loss = self.log_loss / self.rows if self.has_probabilities else None
        if self.classes > 2:
            return {"mlogloss": loss, **label_metrics(self.table)}
        positive = class_metrics(self.table)[1]
        counts = self.scores.counts
        return {
            "logloss": loss,
            "brier": self.squares / self.rows if self.has_probabilities else None,
            "auc": counts.auc(),
            "aucpr": counts.area_under_precision_recall(),
            "average_precision": counts.average_precision(),
            **label_metrics(self.table),
            "f1": positive["f1"],
            "precision": positive["precision"],
            "recall": positive["recall"],
        }


def row_log_loss(labels: Numbers, predictions: Numbers) -> Numbers:
    """Return ``-log(p)`` of the probability of each row's own class, of shape (n,)."""
    if predictions.ndim == 1:
        own = np.where(labels == 1, predictions, 1 - predictions)
    else:
        own = predictions[np.arange(len(labels)), labels.astype(np.int64)]
    return np.asarray(-np.log(np.maximum(own, _SMALLEST_PROBABILITY)))


def tables_of(sums: ClassSums, names: list[str], against_rest: Sequence[ScoreCounts] = ()) -> dict[str, Any]:
    """Return the content of classification.json: the tables and curves of these rows.

    Args:
        sums: the sums over the rows.
        names: the label's texts in the order of the classes.
        against_rest: for more than two classes, the rows by the probability of each class; perhaps none.
    """
    by_class = class_metrics(sums.table)
    document: dict[str, Any] = {
        "classes": names,
        "confusion": sums.table.tolist(),
        "by_class": [{"class": name, **values} for name, values in zip(names, by_class, strict=True)],
    }
    if sums.classes == 2:
        counts = sums.scores.counts
        document |= {
            "curve": counts.curve(),
            "calibration": counts.calibration() if sums.has_probabilities else [],
            "gains": counts.gains(),
            "histogram": counts.histogram(),
        }
    if against_rest:
        document["one_vs_rest"] = [
            {"class": name, "auc": counts.auc(), "average_precision": counts.average_precision()}
            for name, counts in zip(names, against_rest, strict=True)
        ]
        # The sort is stable: of equally frequent classes, the first ones.
        for place in np.argsort(-sums.table.sum(axis=1), kind="stable")[:_MOST_CURVES].tolist():
            document["one_vs_rest"][place]["curve"] = against_rest[place].curve(_POINTS_OF_CLASS)
    return document
