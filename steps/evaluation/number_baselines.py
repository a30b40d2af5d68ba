"""What models of a number that need no tuning reach on the same folds, in the objective's metric."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from evaluation.baselines import least_squares_errors, mean_errors
from evaluation.estimate import pooled
from evaluation.moments import Moments
from evaluation.objective import Objective
from evaluation.out_of_fold import Sums
from evaluation.rows import Block, Numbers

MOST_LABELS = 1 << 24
"""The number of rows up to which the labels are kept: 128 MB."""


@dataclass
class KeptLabels:
    """The labels of each fold in their unit, for errors that do not follow from sums.

    Attributes:
        of_folds: the labels by fold, in parts; empty if they are too many.
    """

    of_folds: dict[int, list[Numbers]] = field(default_factory=dict)
    _rows: int = 0

    def add(self, fold: int, block: Block) -> None:
        """Add rows of a fold."""
        self._rows += len(block.labels)
        if self._rows > MOST_LABELS:
            self.of_folds = {}
        else:
            self.of_folds.setdefault(fold, []).append(block.labels.copy())


def number_baselines(moments: Sequence[Moments], objective: Objective, labels: KeptLabels) -> dict[str, Any]:
    """Return the baselines for best.json: ``mean`` (also as ``constant``) and ``least_squares``.

    The first is None if the objective is not computed, or if too many rows would have to be kept for it. The second is
    None if there are too many features, or if it does not follow from the sums.
    """
    rows = [fold.rows for fold in moments]
    squares = least_squares_errors(moments)
    constant = _in_metric(mean_errors(moments), moments, objective) or _of_labels(moments, objective, labels)
    fitted = squares and _in_metric(squares, moments, objective)
    found: dict[str, Any] = {
        "constant": constant and pooled(constant, rows),
        "mean": constant and pooled(constant, rows),
        "least_squares": fitted and pooled(fitted, rows),
    }
    if constant is None:
        found["missing"] = {"constant": f"{objective.name} of predicting the mean is not computed here"}
    return found


def _of_labels(moments: Sequence[Moments], objective: Objective, labels: KeptLabels) -> list[float] | None:
    """Return the objective of predicting the other folds' mean, from the labels themselves."""
    if objective.metric is None or len(labels.of_folds) < len(moments):
        return None
    total = sum(fold.rows * float(fold.means[0]) for fold in moments)
    rows = sum(fold.rows for fold in moments)
    values = []
    for number, fold in enumerate(moments, start=1):
        mean = (total - fold.rows * float(fold.means[0])) / (rows - fold.rows)
        own, sums = np.concatenate(labels.of_folds[number]), Sums()
        sums.add(own - mean, np.zeros(len(own)), mean - own, own)
        values.append(sums.metrics().get(objective.metric))
    known = [value for value in values if value is not None]
    return known if len(known) == len(values) else None


def _in_metric(errors: Sequence[float], moments: Sequence[Moments], objective: Objective) -> list[float] | None:
    """Return mean squared errors of the folds in the objective's metric; None if that is another kind of error."""
    if objective.metric == "mse":
        return list(errors)
    if objective.metric == "rmse":
        return [math.sqrt(error) for error in errors]
    if objective.metric == "r2":
        variances = [float(fold.deviations[0]) ** 2 for fold in moments]
        return [1 - error / size if size > 0 else 0.0 for error, size in zip(errors, variances, strict=True)]
    return None
