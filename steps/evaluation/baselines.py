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

_ROUNDING = 1e-14
"""Relative size of a variance, compared with the mean square, below which it is a rounding error."""


def mean_errors(folds: Sequence[Moments]) -> list[float]:
    """Return for each fold the mean squared error of predicting the other folds' mean."""
    return _errors(folds, lambda rest: rest.products[1, :1] / rest.rows)


def least_squares_errors(folds: Sequence[Moments]) -> list[float] | None:
    """Return for each fold the mean squared error of least squares on the other folds.

    Of solutions that fit the other folds equally well, the one with the smallest norm for standardised columns counts.

    Returns:
        the errors, or None if there are too many features for the normal equations.
    """
    return _errors(folds, _least_squares) if folds[0].has_pairs else None


def _least_squares(rest: Moments) -> Numbers:
    """Return the intercept and the weights, of shape (1 + features,), for scaled columns.

    The columns are standardised again, by these rows: the first block, which scales them, may have one row.
    """
    means, products = rest.products[1:, 0] / rest.rows, rest.products[1:, 1:] / rest.rows
    covariances = products - np.outer(means, means)
    variances, squares = np.diagonal(covariances)[1:], np.diagonal(products)[1:]
    # What rounding leaves of the variance of a constant column does not count.
    deviations = np.sqrt(np.where(variances > _ROUNDING * squares, variances, np.inf))
    values, vectors = np.linalg.eigh(covariances[1:, 1:] / np.outer(deviations, deviations))
    inverse = np.where(values > _SMALLEST * values[-1], 1 / np.where(values == 0, 1, values), 0.0)
    weights = vectors @ (inverse * (vectors.T @ (covariances[1:, 0] / deviations))) / deviations
    return np.concatenate([[means[0] - means[1:] @ weights], weights])


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
