"""Chooses hyperparameters and, unless one is refitted, the model; estimates how good models like it are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from evaluation.errors import SelectionError
from evaluation.estimate import estimate, optimism
from evaluation.jobs import Job, Search
from evaluation.objective import Objective
from evaluation.points import Point, points_of
from evaluation.rules import LOWEST_MSE, best_job, choose, eligible


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


def choice_of(rule: str, search: Search, points: Sequence[Point], rows: Sequence[int], objective: Objective) -> Choice:
    """Return what a rule chooses.

    Raises:
        SelectionError: nothing can be chosen.
    """
    if rule == LOWEST_MSE:
        job = best_job(search, points, objective)
        # A Bayesian search may try a point twice in a fold. The choice contains the winner, not the other job.
        jobs = [other for other in search.jobs if other.fold != job.fold or other == job]
        return Choice(rule, next(point for point in points_of(jobs, len(rows)) if job in point.jobs), job)
    if not search.has_common_points:
        raise SelectionError(f"the rule {rule} needs the same points in all folds, which a Bayesian search has not")
    return Choice(rule, choose(rule, points, rows, objective), None)


def estimate_of(choice: Choice, points: Sequence[Point], rows: Sequence[int], objective: Objective) -> dict[str, Any]:
    """Return the estimate for best.json. After a Bayesian search only the objective on one fold is known."""
    if not choice.point.eligible:
        assert choice.winner is not None
        return {"kind": "single_fold", "value": choice.winner.value, "low": None, "high": None}
    values = [point.values for point in eligible(points)]
    result = _cross_validated(choice.point.values, rows, objective)
    return {**result, "optimism": optimism(choice.point.values, values, objective)}


def _cross_validated(values: Sequence[float], rows: Sequence[int], objective: Objective) -> dict[str, Any]:
    averaged = "rows" if objective.properties.averages_rows else "folds"
    return {"kind": "cross_validated", **asdict(estimate(values, rows, objective)), "averaged_over": averaged}


def estimate_in_units(fold_values: Mapping[int, float], rows: Sequence[int], objective: Objective) -> dict[str, Any]:
    """Return the estimate for best.json from the errors of predictions whose transform was undone.

    Only the chosen point has such errors, so its optimism is not known.

    Args:
        fold_values: the objective on each fold, in the label's unit.
        rows: the number of rows of each fold.
        objective: the objective.

    Raises:
        SelectionError: there are no predictions.
    """
    if not fold_values:
        raise SelectionError(
            "the error in the label's unit is not known, because the chosen hyperparameters have no model in some "
            "fold: see the training jobs that failed, or set dataset.label_transform to null"
        )
    values = [fold_values[fold] for fold in sorted(fold_values)]
    return {**_cross_validated(values, rows, objective), "optimism": None}


def with_former_names(estimate: dict[str, Any]) -> dict[str, Any]:
    """Return an estimate of the mean squared error also under the names of former versions."""
    names = {"mse": "value", "unweighted_mse": "unweighted_value", "fold_mse": "fold_values"}
    return estimate | {former: estimate[name] for former, name in names.items() if name in estimate}
