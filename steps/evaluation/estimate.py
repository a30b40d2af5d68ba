"""Estimates the error of models with the same hyperparameters from their errors on the folds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import stdtrit

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A cross-validated mean squared error with its approximate interval.

    Attributes:
        mse: the error over all rows, each scored by the model of its own fold.
        low: the interval's lower end, at least 0.
        high: the interval's upper end.
        unweighted_mse: the mean of the folds' errors.
        standard_deviation: of the folds' errors.
        fold_mse: the error on each fold.
    """

    mse: float
    low: float
    high: float
    unweighted_mse: float
    standard_deviation: float
    fold_mse: list[float]


def pooled(errors: Sequence[float], rows: Sequence[int]) -> float:
    """Return the mean error of all rows, from the mean error and the number of rows of each fold."""
    return math.fsum(error * count for error, count in zip(errors, rows, strict=True)) / sum(rows)


def spread(values: Sequence[float]) -> float:
    """Return the standard error of a mean over folds whose training sets overlap.

    The usual standard error takes the folds for independent, and is too small. No unbiased one exists (Bengio and
    Grandvalet, Journal of Machine Learning Research 5, 2004). This is the correction of Nadeau and Bengio (Machine
    Learning 52, 2003), for k folds: ``sd * sqrt(1/k + 1/(k-1))``.
    """
    folds = len(values)
    return statistics.stdev(values) * math.sqrt(1 / folds + 1 / (folds - 1))


def estimate(errors: Sequence[float], rows: Sequence[int]) -> Estimate:
    """Return the estimate of a point.

    Args:
        errors: the mean squared error on each fold; at least two.
        rows: the number of rows of each fold.
    """
    mean = pooled(errors, rows)
    reach = float(stdtrit(len(errors) - 1, (1 + CONFIDENCE) / 2)) * spread(errors)
    return Estimate(
        mse=mean,
        low=max(0.0, mean - reach),
        high=mean + reach,
        unweighted_mse=statistics.fmean(errors),
        standard_deviation=statistics.stdev(errors),
        fold_mse=list(errors),
    )


def optimism(chosen: Sequence[float], every: Sequence[Sequence[float]]) -> float:
    """Return how much the lowest error of each fold flatters, on average over the folds.

    ``mean(e_k(h*) - min_h e_k(h))``: Tibshirani and Tibshirani, Annals of Applied Statistics 3, 2009.

    Args:
        chosen: the errors of the chosen point, one for each fold.
        every: the errors of all eligible points.
    """
    lowest = [min(errors) for errors in zip(*every, strict=True)]
    return statistics.fmean(error - low for error, low in zip(chosen, lowest, strict=True))
