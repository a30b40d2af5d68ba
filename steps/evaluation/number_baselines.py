"""What models of a number that need no tuning reach on the same folds, in the objective's metric."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from evaluation.baselines import least_squares_errors, mean_errors
from evaluation.estimate import pooled
from evaluation.moments import Moments
from evaluation.objective import Objective


def number_baselines(moments: Sequence[Moments], objective: Objective) -> dict[str, Any]:
    """Return the baselines for best.json: ``mean`` (also as ``constant``) and ``least_squares``.

    One is None if the objective does not follow from the sums, or if there are too many features for least squares.
    """
    rows = [fold.rows for fold in moments]
    squares = least_squares_errors(moments)
    constant = _in_metric(mean_errors(moments), moments, objective)
    fitted = squares and _in_metric(squares, moments, objective)
    found: dict[str, Any] = {
        "constant": constant and pooled(constant, rows),
        "mean": constant and pooled(constant, rows),
        "least_squares": fitted and pooled(fitted, rows),
    }
    if constant is None:
        found["missing"] = {"constant": f"{objective.name} of predicting the mean is not computed here"}
    return found


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
