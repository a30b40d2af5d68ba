"""Tables of errors and other metrics."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from pipeline.operate.objective import METRIC_TITLES, baselines_of, objective_of, value_of
from pipeline.report.numbers import reach, short
from pipeline.report.predictions import Predictions
from pipeline.report.section import Table


def estimate_table(best: dict[str, Any]) -> Table:
    """Return the estimate with its interval, beside models without tuning."""
    objective, estimate = objective_of(best), best["estimate"]
    ends = (estimate["low"], estimate["high"])
    better, worse = ends if objective.minimizes else ends[::-1]
    rows = {
        "Estimate": value_of(estimate),
        "Interval, better end": better,
        "Interval, worse end": worse,
        **baselines_of(best),
    }
    caption = f"{objective.starts_sentence} with its approximate 95 % interval, on rows that a model did not see"
    return Table(caption, ["", objective.title], [[name, _text(value)] for name, value in rows.items()])


def metric_tables(best: dict[str, Any]) -> list[Table]:
    """Return the metrics of all predictions out of fold; none without predictions."""
    scored, positive = best["out_of_fold"], (best.get("classes") or ["", ""])[1]
    rows = [[title, _text(scored[name])] for name, title in METRIC_TITLES.items() if name in scored]
    about = f"; F1, precision and recall are those of {positive}" if "f1" in scored else ""
    return [Table(f"Metrics of all predictions out of fold{about}", ["", "Value"], rows)] if rows else []


def _text(value: float | None) -> str:
    return "not known" if value is None else short(value)


def error_table(best: dict[str, Any], predictions: Predictions | None) -> Table:
    """Return the metrics with intervals, beside those of the baselines where these are known."""
    estimate, scored = best["estimate"], best["out_of_fold"]
    mean, squares = best["baselines"]["mean"], best["baselines"]["least_squares"]
    # The label's variance, by which R2 compares. Without errors, that of predicting the mean is about as large.
    variance = (scored["mse"] / (1 - scored["r2"]) if scored["r2"] < 1 else mean) or 1.0

    def r2(mse: float) -> float:
        return round(1 - mse / variance, 3)

    def known(value: float | None, convert: Callable[[float], float] = float) -> str:
        return "" if value is None else short(convert(value))

    rows: list[list[str]] = []
    for name, mse in (
        ("Estimate", estimate["mse"]),
        ("Interval, better end", estimate["low"]),
        ("Interval, worse end", estimate["high"]),
        ("Predicting the mean", mean),
        ("Least squares", squares),
    ):
        rows.append([name, known(mse), known(mse, math.sqrt), "", known(mse, r2)])
    for row, mae in zip(rows, _mae(scored["mae"], predictions), strict=False):
        row[3] = short(mae)
    return Table(
        "Errors with approximate 95 % intervals, on rows that a model did not see",
        ["", "MSE", "RMSE", "MAE", "R2"],
        rows,
    )


def _mae(mae: float, predictions: Predictions | None) -> list[float]:
    """Return the mean absolute error, and its interval if the folds' errors are known."""
    folds = [] if predictions is None else predictions.fold_mae()
    return [mae, max(0.0, mae - reach(folds)), mae + reach(folds)] if len(folds) > 1 else [mae]
