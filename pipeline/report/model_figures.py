"""Figures about the predictions and the models."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from pipeline.report.drawing import (
    BLUE,
    INK,
    ORANGE,
    SOFT,
    Rows,
    classes,
    draw,
    fixed,
    layer,
    names,
    number,
    spans_decades,
)
from pipeline.report.figure import Download, Figure, leading, spread_evenly
from pipeline.report.losses import POWERS, Losses
from pipeline.report.numbers import short
from pipeline.report.predictions import Predictions

_MOST_MARKS = 1500
"""The points of a scatter plot. The file grows by 300 bytes for each."""

_MOST_EPOCHS = 100
_DECILES, _GROUPS = 10, 20
_NAMED_SHARES = (0.5, 0.9, 0.99)


def predicted_figure(predictions: Predictions, label: str, calibration: dict[str, float]) -> Figure:
    """Compare predictions with labels, and their means in tenths of the rows."""
    title = "Predicted and actual"
    rows, deciles = predictions.rows(_MOST_MARKS), predictions.groups(_DECILES)
    both = [value for row in rows for value in (row["actual"], row["prediction"])]
    x, y = number("prediction", "Predicted", both), number("actual", f"Actual {label}", both)
    ends = [{"prediction": value, "actual": value} for value in (min(both), max(both))]
    layers = [
        _marks(rows, x, y),
        layer("line", ends, x, y, strokeDash=[4, 3], color=fixed(SOFT)),
        layer("line", deciles, x, y, color=fixed(ORANGE), strokeWidth=2.5),
        layer("point", deciles, x, y, color=fixed(ORANGE), filled=True, size=45, opacity=1),
    ]
    sentence = (
        "On the dashed line, predictions are right. Orange are the means of each tenth of the rows: actual = "
        f"{short(calibration['intercept'])} + {calibration['slope']:.3f} · predicted; 0 and 1 are ideal."
    )
    downloads = [Download("predicted.csv", rows, predictions.of_rows), Download("deciles.csv", deciles)]
    return Figure(title, draw(title, layers, height=320), sentence, downloads)


def residuals_figure(predictions: Predictions) -> Figure:
    """Show the residuals over the predictions, and their means."""
    title = "Residuals and predictions"
    rows, groups = predictions.rows(_MOST_MARKS), predictions.groups(_GROUPS)
    x = number("prediction", "Predicted", [row["prediction"] for row in rows])
    y = number("residual", "Actual minus predicted", [row["residual"] for row in rows])
    layers = [
        _marks(rows, x, y),
        layer("rule", [{"residual": 0}], None, y, strokeDash=[4, 3], color=fixed(SOFT)),
        layer("line", groups, x, y, color=fixed(ORANGE), strokeWidth=2.5, interpolate="monotone"),
    ]
    sentence = (
        "The orange mean should stay near 0. A bend says that a variable acts in a way that a straight line misses; a "
        "funnel, that large predictions are less certain."
    )
    downloads = [Download("residuals.csv", rows, predictions.of_rows), Download("residual-means.csv", groups)]
    return Figure(title, draw(title, layers, height=320), sentence, downloads)


def quantiles_figure(predictions: Predictions, label: str) -> Figure:
    """Show which share of the rows has at most which error."""
    title = "How large the errors are"
    rows = predictions.quantiles()
    named = [
        {**row, "text": f"{row['share']:.0%}: {short(row['residual'])}"}
        for row in rows
        if row["share"] in _NAMED_SHARES
    ]
    x = number("share", "Share of the rows", [1.0])
    x["axis"]["format"] = ".0%"
    y = number("residual", f"Error at most ({label})", [row["residual"] for row in rows], zero=True)
    layers = [
        layer("area", rows, x, y, color=fixed(BLUE), opacity=0.15),
        layer("line", rows, x, y, color=fixed(BLUE), strokeWidth=2),
        layer("point", named, x, y, color=fixed(BLUE), filled=True, size=50, opacity=1),
        layer("text", named, x, y, text={"field": "text"}, align="right", dx=-8, dy=-5),
    ]
    median = short(rows[50]["residual"])
    sentence = (
        f"Half of the predictions are wrong by at most {median}. Steep at the right end means a few very large errors."
    )
    return Figure(title, draw(title, layers, height=250), sentence, [Download("error-quantiles.csv", rows)])


def losses_figure(losses: Losses, unit: str, *, minimizes: bool = True) -> Figure:
    """Show the loss by epoch and fold, or a metric by trees."""
    step, steps = ("tree", "trees") if losses.is_by_tree else ("epoch", "epochs")
    title = "Metric by trees and fold" if losses.is_by_tree else "Loss by epoch and fold"
    values = [row["loss"] for row in losses.rows]
    x = number("epoch", "Trees" if losses.is_by_tree else "Epoch", [row["epoch"] for row in losses.rows])
    x["axis"]["tickMinStep"] = 1
    y = number("loss", unit, values, log=minimizes and spans_decades(values))
    lines = defaultdict(list)
    for row in losses.rows:
        lines[row["fold"], row["channel"]].append(row)
    drawn = [row for line in lines.values() for row in spread_evenly(line, _MOST_EPOCHS)]
    last = [line[-1] for line in lines.values()]
    colour = classes("channel", {"train": BLUE, "validation": ORANGE})
    layers = [
        layer("line", drawn, x, y, color=colour, detail={"field": "fold"}, strokeWidth=1.5, opacity=0.9),
        layer("point", last, x, y, color=colour, filled=True, size=30, opacity=1),
    ]
    gone = f" There is no log of {', '.join(losses.without_log)}." if losses.without_log else ""
    better, worse = ("falling", "rises") if minimizes else ("rising", "falls")
    sentence = (
        f"A line still {better} at its last {step} needs more {steps}; validation that {worse}, fewer."
        f"{_about_units(losses)}{gone}"
    )
    return Figure(title, draw(title, layers, height=290), sentence, [Download("losses.csv", losses.rows)])


def _about_units(losses: Losses) -> str:
    if not losses.has_train:
        return " The training loss is left out: its unit is not that of the validation loss."
    if losses.metric not in POWERS:
        return ""
    return " Both are in one unit: the log has the training loss of the standardised label."


def coefficients_figure(coefficients: Rows, deviations: Sequence[float], features: Sequence[str], unit: str) -> Figure:
    """Show the standardised coefficients with their range over the folds; of more than two classes, those of each."""
    title = "Standardised coefficients"
    by_name = dict(zip(features, deviations, strict=True))
    table = [_standardised(row, by_name[row["feature"]]) for row in coefficients]
    table.sort(key=lambda row: -abs(row["mean"]))
    shown, more = leading(table, "features")
    rows = [
        {**row, "agreement": "all" if row["same_sign"] == 1 else "not all", "remark": _remark(row)} for row in shown
    ]
    x = number("mean", f"{unit} for a standard deviation", [row[end] for row in rows for end in ("lowest", "highest")])
    y = names("feature", labelColor=INK)
    colour = classes("agreement", {"all": BLUE, "not all": ORANGE}, legend=False)
    layers = [
        layer("rule", [{"mean": 0}], x, strokeDash=[4, 3], color=fixed(SOFT)),
        layer("rule", rows, x | {"field": "lowest"}, y, x2={"field": "highest"}, color=colour, strokeWidth=3),
        layer("point", rows, x, y, color=colour, filled=True, size=60, opacity=1),
        layer(
            "text", rows, x | {"field": "highest"}, y, text={"field": "remark"}, align="left", dx=7, color=fixed(SOFT)
        ),
    ]
    sentence = (
        "A point is the mean of the folds' models, the line their range. Where the folds disagree about the sign, it "
        f"is orange, with the share of folds that have the mean's sign, and of those with 0.{more}"
    )
    return Figure(title, draw(title, layers, height=_height(rows)), sentence, [Download("coefficients.csv", table)])


def importance_figure(importance: Rows, unit: str) -> Figure:
    """Show how much the error grows when a variable's values are exchanged at random."""
    title = "Permutation importance"
    table = [
        {
            "variable": row["variable"],
            "features": row["features"],
            "mse_increase": row["mse_increase"],
            "lowest": min(row["fold_mse_increase"]),
            "highest": max(row["fold_mse_increase"]),
        }
        for row in importance
    ]
    rows, more = leading(table, "variables")
    x = number("mse_increase", f"{unit}, increase", [row["highest"] for row in rows], zero=True)
    y = names("variable", labelColor=INK)
    layers = [
        layer("bar", rows, x, y, color=fixed(BLUE)),
        layer("rule", rows, x | {"field": "lowest"}, y, x2={"field": "highest"}, color=fixed(INK), strokeWidth=1.5),
    ]
    sentence = (
        "How much the MSE of rows that a model did not see grows when the variable's values are exchanged among them "
        f"at random: the mean, and the range over the folds. Categories of one variable move together.{more}"
    )
    return Figure(title, draw(title, layers, height=_height(rows)), sentence, [Download("importance.csv", table)])


def _marks(rows: Rows, x: dict[str, Any], y: dict[str, Any]) -> dict[str, Any]:
    return layer("point", rows, x, y, color=fixed(BLUE), filled=True, size=14, opacity=0.4)


def _standardised(row: dict[str, Any], deviation: float) -> dict[str, Any]:
    of_class = f", {row['class']}" if "class" in row else ""
    return {
        "feature": f"{row['feature']}{of_class}",
        "mean": row["fold_mean"] * deviation,
        "lowest": row["fold_lowest"] * deviation,
        "highest": row["fold_highest"] * deviation,
        "same_sign": row["same_sign"],
        "zeros": row["zeros"],
    }


def _remark(row: dict[str, Any]) -> str:
    sign = f"sign {row['same_sign']:.0%}" if row["same_sign"] < 1 else ""
    zeros = f"0 in {row['zeros']:.0%}" if row["zeros"] else ""
    return ", ".join(filter(None, (sign, zeros)))


def _height(rows: Rows) -> float:
    return max(150, 60 + 20 * len(rows))
