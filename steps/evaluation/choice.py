"""Chooses hyperparameters and, unless one is refitted, the model; estimates the error of models like it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from evaluation.errors import SelectionError
from evaluation.estimate import estimate, optimism
from evaluation.jobs import Job, Search
from evaluation.points import Point, points_of
from evaluation.rules import LOWEST_MSE, choose, eligible, lowest_job


@dataclass(frozen=True)
class Choice:
    """The chosen hyperparameters.

    Attributes:
        rule: the rule of the choice.
        point: the hyperparameters with the job of each fold.
        winner: the job whose model is registered; None if the rule refits a model.
    """

    rule: str
    point: Point
    winner: Job | None


def choice_of(rule: str, search: Search, points: Sequence[Point], rows: Sequence[int]) -> Choice:
    """Return what a rule chooses.

    Raises:
        SelectionError: nothing can be chosen.
    """
    if rule == LOWEST_MSE:
        job = lowest_job(search, points)
        # A Bayesian search may try a point twice in a fold. The choice contains the winner, not the other job.
        jobs = [other for other in search.jobs if other.fold != job.fold or other == job]
        return Choice(rule, next(point for point in points_of(jobs, len(rows)) if job in point.jobs), job)
    if not search.has_common_points:
        raise SelectionError(f"the rule {rule} needs the same points in all folds, which a Bayesian search has not")
    return Choice(rule, choose(rule, points, rows), None)


def estimate_of(choice: Choice, points: Sequence[Point], rows: Sequence[int]) -> dict[str, Any]:
    """Return the estimate for best.json. After a Bayesian search only the error on one fold is known."""
    if not choice.point.eligible:
        assert choice.winner is not None
        return {"kind": "single_fold", "mse": choice.winner.mse, "low": None, "high": None}
    errors = [point.errors for point in eligible(points)]
    result = asdict(estimate(choice.point.errors, rows))
    return {"kind": "cross_validated", **result, "optimism": optimism(choice.point.errors, errors)}


def estimate_in_units(fold_mse: Mapping[int, float], rows: Sequence[int]) -> dict[str, Any]:
    """Return the estimate for best.json from the errors of predictions whose transform was undone.

    Only the chosen point has such errors, so its optimism is not known.

    Args:
        fold_mse: the mean squared error on each fold, in the label's unit squared.
        rows: the number of rows of each fold.

    Raises:
        SelectionError: there are no predictions.
    """
    if not fold_mse:
        raise SelectionError(
            "the error in the label's unit is not known, because the chosen hyperparameters have no model in some "
            "fold: see the training jobs that failed, or set dataset.label_transform to null"
        )
    return {
        "kind": "cross_validated",
        **asdict(estimate([fold_mse[fold] for fold in sorted(fold_mse)], rows)),
        "optimism": None,
    }
