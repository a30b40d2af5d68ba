"""The errors, on the same folds, of two models that need no tuning: predicting the mean, and least squares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from operator import add

import numpy as np

from evaluation.moments import Moments
from evaluation.rows import Numbers

_SMALLEST = 1e-12
"""Relative size of an eigenvalue below which a direction of the features counts as collinear."""


def mean_errors(folds: Sequence[Moments]) -> list[float]:
    """Return for each fold the mean squared error of predicting the other folds' mean."""
    return _errors(folds, lambda rest: rest.products[1, :1] / rest.rows)


def least_squares_errors(folds: Sequence[Moments]) -> list[float] | None:
    """Return for each fold the mean squared error of least squares on the other folds.

    The solution has the smallest norm among the equal ones, as with scikit-learn's LinearRegression.

    Returns:
        the errors, or None if there are too many features for the normal equations.
    """
    return _errors(folds, _least_squares) if folds[0].has_pairs else None


def _least_squares(rest: Moments) -> Numbers:
    """Return the intercept and the weights, of shape (1 + features,), for scaled columns."""
    kept = [0, *range(2, len(rest.products))]
    left, right = rest.products[np.ix_(kept, kept)], rest.products[kept, 1]
    values, vectors = np.linalg.eigh(left)
    inverse = np.where(values > _SMALLEST * values[-1], 1 / np.where(values == 0, 1, values), 0.0)
    return np.asarray(vectors @ (inverse * (vectors.T @ right)))


def _errors(folds: Sequence[Moments], fit: Callable[[Moments], Numbers]) -> list[float]:
    """Return for each fold the error of the model that a function fits to the other folds' sums.

    With the residual ``r = y - w.x``, the sum of squares is a quadratic form of the sums of products.
    """
    errors = []
    for number, fold in enumerate(folds):
        weights = fit(reduce(add, [other for place, other in enumerate(folds) if place != number]))
        residual = np.concatenate([[-weights[0], 1.0], -weights[1:]])
        total = float(residual @ _products(fold, len(residual)) @ residual)
        errors.append(max(0.0, total) / fold.rows * float(fold.scale.size[0]) ** 2)
    return errors


def _products(fold: Moments, columns: int) -> Numbers:
    """Return the products of the first columns: 1, the label, and the features if they are known."""
    if fold.has_pairs:
        return fold.products[:columns, :columns]
    total, squares = fold.products[1]
    return np.array([[fold.rows, total], [total, squares]])
