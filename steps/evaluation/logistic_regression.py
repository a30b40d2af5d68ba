"""Logistic regression on the other folds: what a classifier that needs no tuning reaches.

It is scikit-learn's ``make_pipeline(StandardScaler(), LogisticRegression())`` with its default penalty:
``sum(loss) + |w|^2 / 2`` for standardised features, without a penalty on the intercepts.
https://scikit-learn.org/stable/modules/linear_model.html#logistic-regression
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.special import expit, log_softmax, logsumexp

from evaluation.class_sums import ClassSums
from evaluation.rows import Block, Numbers

MOST_NUMBERS = 1 << 23
"""Rows times features times outputs up to which it is computed: some seconds and 64 MB."""

_ITERATIONS, _TOLERANCE = 1000, 1e-6


@dataclass
class TrainingTables:
    """Keeps the rows of all folds, unless they are too many.

    Attributes:
        classes: the number of classes.
        of_folds: the rows by fold, label first; empty if they are too many.
        is_too_large: whether they are.
    """

    classes: int
    of_folds: dict[int, list[Numbers]] = field(default_factory=dict)
    is_too_large: bool = False
    _numbers: int = 0

    def add(self, fold: int, block: Block) -> None:
        """Add rows of a fold."""
        self._numbers += block.table.size * (1 if self.classes == 2 else self.classes)
        if self._numbers > MOST_NUMBERS:
            self.is_too_large = True
            self.of_folds = {}
        if not self.is_too_large:
            self.of_folds.setdefault(fold, []).append(block.table)


def fold_sums(tables: TrainingTables) -> dict[int, ClassSums]:
    """Return for each fold the sums over its rows, predicted by logistic regression on the other folds.

    A class that the other folds lack has a probability near 0.
    """
    whole = {fold: np.concatenate(parts) for fold, parts in tables.of_folds.items()}
    result = {}
    for fold, own in whole.items():
        rest = np.concatenate([table for other, table in whole.items() if other != fold])
        predictions = _predicted(rest, own[:, 1:], tables.classes)
        predicted = predictions > 0.5 if predictions.ndim == 1 else predictions.argmax(axis=1)
        result[fold] = ClassSums(tables.classes)
        result[fold].add(own[:, 0], predictions, np.asarray(predicted, np.float64))
    return result


def _predicted(train: Numbers, features: Numbers, classes: int) -> Numbers:
    """Return the probabilities of rows, by the model that training rows give."""
    means, deviations = train[:, 1:].mean(axis=0), train[:, 1:].std(axis=0)
    # What rounding leaves of the deviation of a constant column does not count.
    is_constant = deviations <= 1e-12 * np.maximum(np.abs(means), 1e-300)
    deviations = np.where(is_constant, np.inf, deviations)
    own, scaled = ((rows - means) / deviations for rows in (features, train[:, 1:]))
    labels = train[:, 0]
    if classes == 2:
        weights = _minimum(lambda packed: _binary_loss(packed, scaled, labels), scaled.shape[1] + 1)
        return np.asarray(expit(own @ weights[:-1] + weights[-1]))
    weights = _minimum(
        lambda packed: _softmax_loss(packed, scaled, labels, classes), classes * (scaled.shape[1] + 1)
    ).reshape(classes, -1)
    return np.asarray(np.exp(log_softmax(own @ weights[:, :-1].T + weights[:, -1], axis=1)))


def _minimum(loss: object, size: int) -> Numbers:
    # Imported here: a label of numbers needs no classifier, and the import takes a third of the program's start.
    from scipy.optimize import minimize  # noqa: PLC0415

    found = minimize(
        loss,
        np.zeros(size),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": _ITERATIONS, "gtol": _TOLERANCE, "ftol": _TOLERANCE**2},
    )
    return np.asarray(found.x, np.float64)


def _binary_loss(packed: Numbers, features: Numbers, labels: Numbers) -> tuple[float, Numbers]:
    """Return the penalised loss and its gradient, both divided by the number of rows."""
    weights, rows = packed[:-1], len(features)
    sums = features @ weights + packed[-1]
    loss = float(np.sum(np.logaddexp(0.0, sums) - labels * sums) + weights @ weights / 2)
    residuals = expit(sums) - labels
    gradient = np.concatenate([features.T @ residuals + weights, [residuals.sum()]])
    return loss / rows, gradient / rows


def _softmax_loss(packed: Numbers, features: Numbers, labels: Numbers, classes: int) -> tuple[float, Numbers]:
    """Return the penalised loss and its gradient, both divided by the number of rows."""
    weights, rows = packed.reshape(classes, -1), len(features)
    sums = features @ weights[:, :-1].T + weights[:, -1]
    normaliser = logsumexp(sums, axis=1, keepdims=True)
    own = np.arange(rows), labels.astype(np.int64)
    loss = float(np.sum(normaliser[:, 0] - sums[own]) + np.sum(weights[:, :-1] ** 2) / 2)
    residuals = np.exp(sums - normaliser)
    residuals[own] -= 1
    gradient = np.column_stack([residuals.T @ features + weights[:, :-1], residuals.sum(axis=0)])
    return loss / rows, gradient.ravel() / rows
