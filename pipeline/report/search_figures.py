"""Figures about the error and the search."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pipeline.report.drawing import (
    BLUE,
    FRAME,
    INK,
    ORANGE,
    PAGE,
    SOFT,
    Rows,
    Spec,
    classes,
    draw,
    fixed,
    layer,
    names,
    number,
    spans_decades,
)
from pipeline.report.figure import Download, Figure, leading, spread_evenly
from pipeline.report.numbers import short
from pipeline.report.points import Points

_MOST_MARKS = 1500


def errors_figure(rows: Rows, unit: str) -> Figure:
    """Compare the estimated error with those of models without tuning, and with the lowest fold's.

    Args:
        rows: ``model``, ``kind`` (``chosen``, ``baseline``, ``lowest``, or ``fold`` for a fold of the chosen
            hyperparameters), ``mse``, ``low`` and ``high`` (None without an interval).
        unit: the unit of the MSE.
    """
    title = "The error beside those of simple models"
    shown = [{**row, "text": short(row["mse"])} for row in rows if row["kind"] != "fold"]
    intervals = [row for row in shown if row["low"] is not None]
    x = number("mse", unit, [row["high"] or row["mse"] for row in rows], zero=True)
    y = names("model", labelColor=INK)
    colour = classes("kind", {"chosen": BLUE, "baseline": SOFT, "lowest": ORANGE}, legend=False)
    layers = [
        layer("rule", intervals, x | {"field": "low"}, y, x2={"field": "high"}, color=colour, strokeWidth=2.5),
        layer("tick", [row for row in rows if row["kind"] == "fold"], x, y, thickness=1.5, size=14, color=fixed(SOFT)),
        layer("point", shown, x, y, color=colour, filled=True, size=90, opacity=1),
        layer("text", shown, x, y, text={"field": "text"}, dy=-13),
    ]
    interval = (
        "The line is the approximate 95 % interval of models with the chosen hyperparameters, and its ticks are the "
        "folds. "
    )
    sentence = (
        f"Left is better. {interval if intervals else ''}The lowest single fold is optimistic: it is the easiest of "
        "all, not the best model."
    )
    return Figure(title, draw(title, layers, height=230), sentence, [Download("errors.csv", rows)])


def heat_map(points: Points, unit: str) -> Figure:
    """Show the mean error of each point of a grid of one or two hyperparameters."""
    title = f"Mean MSE by {' and '.join(points.axes)}"
    power = _power([row["mean_mse"] for row in points.table])
    cells = [
        {
            **row,
            "mean": f"{row['mean_mse'] / 10**power:.4g}",
            "error": f"± {row['standard_error'] / 10**power:.2g}" if row["standard_error"] else "lowest",
            "is_dark": depth > 0.5,
        }
        for row, depth in zip(points.table, _depths(points), strict=True)
    ]
    place = dict(zip(("x", "y"), (_values(points, name) for name in points.axes), strict=False))
    ink = {"condition": {"test": "datum.is_dark", "value": "white"}, "value": "black"}
    values = [row["mean_mse"] for row in cells]
    layers = [
        layer("rect", cells, **place, color=_magnitude("mean_mse", values), stroke=PAGE, strokeWidth=2),
        layer("rect", [row for row in cells if row["chosen"]], **place, fillOpacity=0, stroke=FRAME, strokeWidth=4),
    ]
    scale = f" in 1e{power}" if power else ""
    if points.has_room:
        layers += [
            layer("text", cells, **place, text={"field": "mean"}, color=ink, dy=-7, fontSize=13, fontWeight="bold"),
            layer("text", cells, **place, text={"field": "error"}, color=ink, dy=9),
        ]
        said = f"A cell has the mean over the folds{scale} and the standard error of its difference to the lowest. "
    else:
        said = ""
    edges = points.edges()
    flag = f"The lowest mean is at the edge of the grid, with {' and '.join(edges)}. " if edges else ""
    sentence = f"Dark is worse. {said}The frame is the choice. {flag}"
    return Figure(title, draw(title, layers), f"{sentence.strip()} {unit}.", [Download("points.csv", points.table)])


def scatter(rows: Rows, axes: Sequence[str], unit: str) -> Figure:
    """Show the errors of points that form no grid.

    Args:
        rows: the hyperparameters as text, ``mean_mse`` and ``chosen``; perhaps ``fold``.
        axes: the one or two hyperparameters to show, which are numbers.
        unit: the unit of the MSE.
    """
    title = f"MSE by {' and '.join(axes)}"
    numbers = [{**row, **{name: float(row[name]) for name in axes}} for row in spread_evenly(rows, _MOST_MARKS)]
    errors = [row["mean_mse"] for row in rows]
    channels = [_axis(name, numbers) for name in axes] + [number("mean_mse", unit, errors, log=spans_decades(errors))]
    x, y = channels[:2]
    chosen = [row for row in numbers if row["chosen"]]
    # Bad points are drawn first, so that good ones are not hidden.
    layers = [
        layer("point", numbers[::-1], x, y, color=_magnitude("mean_mse", errors), filled=True, size=70, opacity=1),
        layer("point", chosen, x, y, filled=False, size=230, strokeWidth=3, color=fixed(FRAME)),
    ]
    sentence = f"Each point is a combination of hyperparameters. Dark is worse. The ring is the choice. {unit}."
    return Figure(title, draw(title, layers), sentence, [Download("points.csv", rows)])


def strip(points: Points, unit: str) -> Figure:
    """Show the errors of each point on the folds."""
    title = "The folds of each combination"
    table, more = leading(points.table, "combinations")
    marks = [
        {"point": _label(points, row), "mse": row[name], "fold": name.removeprefix("fold_")}
        for row in table
        for name in row
        if name.startswith("fold_")
    ]
    means = [{"point": _label(points, row), "mse": row["mean_mse"], "chosen": str(row["chosen"])} for row in table]
    values = [row["mse"] for row in marks]
    x = number("mse", unit, values, log=spans_decades(values))
    y = names("point")
    colour = classes("chosen", {"True": ORANGE, "False": BLUE}, legend=False)
    layers = [
        layer("tick", marks, x, y, thickness=1.5, size=11, color=fixed(SOFT)),
        layer("point", means, x, y, shape="diamond", filled=True, size=70, opacity=1, color=colour),
    ]
    said = f"{' / '.join(points.names)}, the lowest mean first."
    sentence = f"Rows are {said} Ticks are the folds, the diamond is their mean, orange the choice.{more}"
    height = max(150, 60 + 19 * len(table))
    return Figure(title, draw(title, layers, height=height), sentence, [Download("folds.csv", points.table)])


def _label(points: Points, row: dict[str, Any]) -> str:
    return " / ".join(str(row[name]) for name in points.names)


def _values(points: Points, name: str) -> Spec:
    ordered = [f"{value:.4g}" for value in points.values(name)]
    return names(name, labelAngle=0) | {"sort": ordered, "title": name}


def _axis(name: str, rows: Rows) -> Spec:
    values = [row[name] for row in rows]
    return number(name, name, values, log=spans_decades(values))


def _magnitude(field: str, values: Sequence[float]) -> Spec:
    kind = "log" if spans_decades(values) else "linear"
    return {
        "field": field,
        "type": "quantitative",
        "legend": None,
        "scale": {"type": kind, "scheme": "cividis", "reverse": True},
    }


def _depths(points: Points) -> list[float]:
    """Return how dark the cells are: 0 for the lowest mean, 1 for the highest."""
    values = [row["mean_mse"] for row in points.table]
    placed = [math.log(value) for value in values] if spans_decades(values) else values
    low, high = min(placed), max(placed)
    return [(value - low) / ((high - low) or 1) for value in placed]


def _power(values: Sequence[float]) -> int:
    """Return the power of ten in which the values have few digits: a multiple of three."""
    lowest = min(values)
    return 0 if lowest <= 0 or 0.01 <= lowest < 10_000 else 3 * math.floor(math.log10(lowest) / 3)
