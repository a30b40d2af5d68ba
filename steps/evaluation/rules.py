"""Chooses the hyperparameters and the model."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from evaluation.errors import SelectionError
from evaluation.estimate import pooled, spread
from evaluation.jobs import Job, Search
from evaluation.objective import Objective
from evaluation.points import Point
from evaluation.text import number_of

LOWEST_MSE, LOWEST_MEAN_MSE, ONE_STANDARD_ERROR = "lowest_mse", "lowest_mean_mse", "one_standard_error"
RULES = (LOWEST_MSE, LOWEST_MEAN_MSE, ONE_STANDARD_ERROR)

_TIE = 1e-6
"""Relative difference up to which two means are equal."""


def best_job(search: Search, points: Sequence[Point], objective: Objective) -> Job:
    """Return the training job with the best objective. Ties go to the lowest fold, then to the first name.

    Only jobs of eligible points count, because the objective of the others cannot be estimated. A Bayesian search has
    no common points: there all jobs count.

    Raises:
        SelectionError: there is no such job.
    """
    if search.has_common_points:
        jobs = [job for point in eligible(points) for job in point.jobs if job is not None]
    else:
        jobs = [job for job in search.jobs if job.fault is None]
    if not jobs:
        raise SelectionError("no training job of any fold completed with a finite objective")
    return min(jobs, key=lambda job: (objective.cost(job.value or 0.0), job.fold, job.name))


def choose(rule: str, points: Sequence[Point], rows: Sequence[int], objective: Objective) -> Point:
    """Return the point that a rule over the folds' means chooses.

    Args:
        rule: ``lowest_mean_mse`` or ``one_standard_error``.
        points: the points that were tried.
        rows: the number of rows of each fold.
        objective: the objective.

    Raises:
        SelectionError: no point is eligible.
    """
    candidates = eligible(points)
    best = _best_mean(candidates, rows, objective)
    if rule == LOWEST_MEAN_MSE:
        return best
    admitted = [point for point in candidates if _within_one_standard_error(point, best, objective)]
    simplest = max(_simplicity(point) for point in admitted)
    return _best_mean([point for point in admitted if _simplicity(point) == simplest], rows, objective)


def best_by_mean(points: Sequence[Point], rows: Sequence[int], objective: Objective) -> Point:
    """Return the eligible point with the best mean."""
    return _best_mean(eligible(points), rows, objective)


def eligible(points: Sequence[Point]) -> list[Point]:
    """Return the eligible points.

    Raises:
        SelectionError: there is none; the message gives the first reasons.
    """
    found = [point for point in points if point.eligible]
    if not found:
        reasons = "; ".join(f"{point}: {point.faults[0]}" for point in points[:3])
        raise SelectionError(
            f"none of {number_of(len(points), 'point')} has a completed training job with a finite objective in "
            "every fold" + (f": {reasons}" if reasons else "")
        )
    return found


def _best_mean(points: Sequence[Point], rows: Sequence[int], objective: Objective) -> Point:
    """Return the point with the best mean. Of equal ones: the simplest, the smallest learning rate, then by text."""
    costs = [objective.cost(pooled(point.values, rows)) for point in points]
    limit = min(costs) + _TIE * abs(min(costs))
    tied = [point for point, cost in zip(points, costs, strict=True) if cost <= limit]
    simplest = max(map(_simplicity, tied))
    tied = [point for point in tied if _simplicity(point) == simplest]
    return min(tied, key=lambda point: (_finite(point.number("learning_rate")), str(point)))


def _within_one_standard_error(point: Point, best: Point, objective: Objective) -> bool:
    both = zip(point.values, best.values, strict=True)
    differences = [objective.cost(own) - objective.cost(lowest) for own, lowest in both]
    error, mean = spread(differences), statistics.fmean(differences)
    return mean <= error and not (error == 0 and mean > 0)


def _simplicity(point: Point) -> tuple[float, ...]:
    """Return what is larger for a simpler model: larger penalties; shallower, fewer and more restrained trees."""
    signs = {"l1": 1, "max_depth": -1, "num_round": -1, "min_child_weight": 1, "gamma": 1, "alpha": 1, "lambda": 1}
    return tuple(sign * _finite(point.number(name)) for name, sign in signs.items())


def _finite(number: float) -> float:
    return 0.0 if math.isnan(number) else number
