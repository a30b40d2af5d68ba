"""Writes cv_results.csv and cv_results.json, one row for each point, with scikit-learn's column names.

The columns are those of ``cv_results_`` of scikit-learn's GridSearchCV with the scorer ``mse``. Splits are the folds,
numbered from 1, and lower is better.
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
from evaluation.points import Point


def cv_results(points: Sequence[Point], rows: Sequence[int], chosen: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return a row for each point, the best first.

    ``mean_test_mse`` is the error over all rows, ``unweighted_mean_test_mse`` the mean of the folds' errors, and
    ``std_test_mse`` their standard deviation (with ``k - 1``). Points that are not eligible have no means and no rank,
    and ``ineligible`` gives the reason.

    Args:
        points: the points that were tried.
        rows: the number of rows of each fold.
        chosen: the chosen hyperparameters.
    """
    table = [_row(point, rows) | {"chosen": point.hyperparameters == chosen} for point in points]
    means = sorted(row["mean_test_mse"] for row in table if row["mean_test_mse"] is not None)
    for row in table:
        if row["mean_test_mse"] is not None:
            row["rank_test_mse"] = bisect_left(means, row["mean_test_mse"]) + 1
    return sorted(table, key=lambda row: row["rank_test_mse"] or len(table) + 1)


def _row(point: Point, rows: Sequence[int]) -> dict[str, Any]:
    result = estimate(point.errors, rows) if point.eligible else None
    return {
        **{f"param_{name}": value for name, value in sorted(point.hyperparameters.items())},
        **{f"split{fold}_test_mse": job and job.mse for fold, job in enumerate(point.jobs, start=1)},
        "mean_test_mse": result and result.mse,
        "unweighted_mean_test_mse": result and result.unweighted_mse,
        "std_test_mse": result and result.standard_deviation,
        "rank_test_mse": None,
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
