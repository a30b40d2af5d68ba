"""Chooses the hyperparameters and the model."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from evaluation.errors import SelectionError
from evaluation.estimate import pooled, spread
from evaluation.jobs import Job, Search
from evaluation.points import Point

LOWEST_MSE, LOWEST_MEAN_MSE, ONE_STANDARD_ERROR = "lowest_mse", "lowest_mean_mse", "one_standard_error"
RULES = (LOWEST_MSE, LOWEST_MEAN_MSE, ONE_STANDARD_ERROR)

_TIE = 1e-6
"""Relative difference up to which two mean errors are equal."""


def lowest_job(search: Search, points: Sequence[Point]) -> Job:
    """Return the training job with the lowest error. Ties go to the lowest fold, then to the first name.

    Only jobs of eligible points count, because the error of the others cannot be estimated. A Bayesian search has no
    common points: there all jobs count.

    Raises:
        SelectionError: there is no such job.
    """
    if search.has_common_points:
        jobs = [job for point in eligible(points) for job in point.jobs if job is not None]
    else:
        jobs = [job for job in search.jobs if job.fault is None]
    if not jobs:
        raise SelectionError("no training job of any fold completed with a finite objective")
    return min(jobs, key=lambda job: (job.mse, job.fold, job.name))


def choose(rule: str, points: Sequence[Point], rows: Sequence[int]) -> Point:
    """Return the point that a rule over the folds' means chooses.

    Args:
        rule: ``lowest_mean_mse`` or ``one_standard_error``.
        points: the points that were tried.
        rows: the number of rows of each fold.

    Raises:
        SelectionError: no point is eligible.
    """
    candidates = eligible(points)
    best = _lowest_mean(candidates, rows)
    if rule == LOWEST_MEAN_MSE:
        return best
    admitted = [point for point in candidates if _within_one_standard_error(point, best)]
    largest = max(_penalty(point) for point in admitted)
    return _lowest_mean([point for point in admitted if _penalty(point) == largest], rows)


def best_by_mean(points: Sequence[Point], rows: Sequence[int]) -> Point:
    """Return the eligible point with the lowest pooled error."""
    return _lowest_mean(eligible(points), rows)


def eligible(points: Sequence[Point]) -> list[Point]:
    """Return the eligible points.

    Raises:
        SelectionError: there is none; the message gives the first reasons.
    """
    found = [point for point in points if point.eligible]
    if not found:
        reasons = "; ".join(f"{point}: {point.faults[0]}" for point in points[:3])
        raise SelectionError(
            f"none of {len(points)} points has a completed training job with a finite objective in every fold"
            + (f": {reasons}" if reasons else "")
        )
    return found


def _lowest_mean(points: Sequence[Point], rows: Sequence[int]) -> Point:
    """Return the point with the lowest pooled error. Of equal ones: larger l1, smaller learning rate, then by text."""
    means = [pooled(point.errors, rows) for point in points]
    limit = min(means) * (1 + _TIE)
    tied = [point for point, mean in zip(points, means, strict=True) if mean <= limit]
    return min(tied, key=lambda point: (-_penalty(point), _finite(point.number("learning_rate")), str(point)))


def _within_one_standard_error(point: Point, best: Point) -> bool:
    differences = [own - lowest for own, lowest in zip(point.errors, best.errors, strict=True)]
    error, mean = spread(differences), statistics.fmean(differences)
    return mean <= error and not (error == 0 and mean > 0)


def _penalty(point: Point) -> float:
    return _finite(point.number("l1"))


def _finite(number: float) -> float:
    return 0.0 if math.isnan(number) else number
