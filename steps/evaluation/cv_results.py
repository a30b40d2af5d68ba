"""Writes cv_results.csv and cv_results.json, one row for each point, with scikit-learn's column names.

The columns are those of ``cv_results_`` of scikit-learn's GridSearchCV with a scorer of the objective's name, for
example ``mse``. Splits are the folds, numbered from 1. Values are the metric's own, whichever direction is better.
https://scikit-learn.org/stable/modules/generated/sklearn.model_selection.GridSearchCV.html
"""

from __future__ import annotations

import csv
import json
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evaluation.estimate import estimate
from evaluation.objective import Objective
from evaluation.points import Point


def cv_results(
    points: Sequence[Point], rows: Sequence[int], chosen: Mapping[str, str], objective: Objective
) -> list[dict[str, Any]]:
    """Return a row for each point, the best first.

    ``mean_test_mse`` is the folds' mean, weighted by their rows, ``unweighted_mean_test_mse`` the plain mean, and
    ``std_test_mse`` their standard deviation (with ``k - 1``). Points that are not eligible have no means and no rank,
    and ``ineligible`` gives the reason.

    Args:
        points: the points that were tried.
        rows: the number of rows of each fold.
        chosen: the chosen hyperparameters.
        objective: the objective, whose name the columns have.
    """
    mean, rank = f"mean_test_{objective.short_name}", f"rank_test_{objective.short_name}"
    table = [_row(point, rows, objective) | {"chosen": point.hyperparameters == chosen} for point in points]
    costs = sorted(objective.cost(row[mean]) for row in table if row[mean] is not None)
    for row in table:
        if row[mean] is not None:
            row[rank] = bisect_left(costs, objective.cost(row[mean])) + 1
    return sorted(table, key=lambda row: row[rank] or len(table) + 1)


def _row(point: Point, rows: Sequence[int], objective: Objective) -> dict[str, Any]:
    result = estimate(point.values, rows, objective) if point.eligible else None
    name = objective.short_name
    return {
        **{f"param_{name}": value for name, value in sorted(point.hyperparameters.items())},
        **{f"split{fold}_test_{name}": job and job.value for fold, job in enumerate(point.jobs, start=1)},
        f"mean_test_{name}": result and result.value,
        f"unweighted_mean_test_{name}": result and result.unweighted_value,
        f"std_test_{name}": result and result.standard_deviation,
        f"rank_test_{name}": None,
        "ineligible": "; ".join(point.faults) or None,
        "params": dict(sorted(point.hyperparameters.items())),
        "training_jobs": [job and job.name for job in point.jobs],
    }


def write_cv_results(folder: Path, table: Sequence[dict[str, Any]]) -> None:
    """Write the table as CSV and as JSON. The CSV has no nested columns."""
    (folder / "cv_results.json").write_text(json.dumps(table, indent=2) + "\n", "utf-8")
    # Points need not have the same hyperparameters: those of a job that failed early may be unknown.
    tuned = sorted({name for row in table for name in row if name.startswith("param_")})
    others = [name for name in table[0] if name not in (*tuned, "params", "training_jobs")] if table else []
    with (folder / "cv_results.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*tuned, *others], extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
