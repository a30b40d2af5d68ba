"""Estimates how good models with the same hyperparameters are from their objective on the folds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import stdtrit

from evaluation.objective import Objective

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A cross-validated objective with its approximate interval.

    Attributes:
        value: the mean of the folds, weighted by their rows. For a mean over rows, as the mean squared error is, this
            is its value over all rows, each scored by the model of its own fold.
        low: the interval's lower end, within the metric's range.
        high: the interval's upper end, likewise.
        unweighted_value: the mean of the folds.
        standard_deviation: of the folds' values.
        fold_values: the value on each fold.
    """

    value: float
    low: float
    high: float
    unweighted_value: float
    standard_deviation: float
    fold_values: list[float]


def pooled(values: Sequence[float], rows: Sequence[int]) -> float:
    """Return the mean over all rows, from the mean and the number of rows of each fold."""
    return math.fsum(value * count for value, count in zip(values, rows, strict=True)) / sum(rows)


def spread(values: Sequence[float]) -> float:
    """Return the standard error of a mean over folds whose training sets overlap.

    The usual standard error takes the folds for independent, and is too small. No unbiased one exists (Bengio and
    Grandvalet, Journal of Machine Learning Research 5, 2004). This is the correction of Nadeau and Bengio (Machine
    Learning 52, 2003), for k folds: ``sd * sqrt(1/k + 1/(k-1))``.
    """
    folds = len(values)
    return statistics.stdev(values) * math.sqrt(1 / folds + 1 / (folds - 1))


def estimate(values: Sequence[float], rows: Sequence[int], objective: Objective) -> Estimate:
    """Return the estimate of a point.

    Args:
        values: the objective on each fold; at least two.
        rows: the number of rows of each fold.
        objective: the objective.
    """
    mean = pooled(values, rows)
    reach = float(stdtrit(len(values) - 1, (1 + CONFIDENCE) / 2)) * spread(values)
    return Estimate(
        value=mean,
        low=objective.clipped(mean - reach),
        high=objective.clipped(mean + reach),
        unweighted_value=statistics.fmean(values),
        standard_deviation=statistics.stdev(values),
        fold_values=list(values),
    )


def optimism(chosen: Sequence[float], every: Sequence[Sequence[float]], objective: Objective) -> float:
    """Return how much the best value of each fold flatters, on average over the folds; at least 0.

    ``mean(e_k(h*) - min_h e_k(h))``: Tibshirani and Tibshirani, Annals of Applied Statistics 3, 2009.

    Args:
        chosen: the values of the chosen point, one for each fold.
        every: the values of all eligible points.
        objective: the objective.
    """
    lowest = [min(map(objective.cost, values)) for values in zip(*every, strict=True)]
    return statistics.fmean(objective.cost(value) - low for value, low in zip(chosen, lowest, strict=True))
