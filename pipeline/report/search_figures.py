"""Figures about the error and the search."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pipeline.operate.objective import ObjectiveMetric
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


def errors_figure(rows: Rows, unit: str, objective: ObjectiveMetric) -> Figure:
    """Compare the estimate with models without tuning, and with the best fold.

    Args:
        rows: ``model``, ``kind`` (``chosen``, ``baseline``, ``lowest`` or ``highest``, or ``fold`` for a fold of the
            chosen hyperparameters), the value under the metric's name, ``low`` and ``high`` (None without an interval).
        unit: the metric and what it is of.
        objective: the metric.
    """
    title = f"The {'error' if objective.minimizes else 'score'} beside those of simple models"
    column = objective.column
    shown = [{**row, "text": short(row[column])} for row in rows if row["kind"] != "fold"]
    intervals = [row for row in shown if row["low"] is not None]
    ends = [value for row in rows for value in (row[column], row["low"], row["high"]) if value is not None]
    x = number(column, unit, ends, zero=objective.minimizes)
    # Marks at the left end would hide the names.
    x["scale"] |= {} if objective.minimizes else {"padding": 16}
    y = names("model", labelColor=INK)
    colour = classes("kind", {"chosen": BLUE, "baseline": SOFT, objective.extreme: ORANGE}, legend=False)
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
        f"{'Left' if objective.minimizes else 'Right'} is better. {interval if intervals else ''}The "
        f"{objective.extreme} single fold is optimistic: it is the easiest of all, not the best model."
    )
    return Figure(title, draw(title, layers, height=230), sentence, [Download("errors.csv", rows)])


def heat_map(points: Points, unit: str) -> Figure:
    """Show the mean of each point of a grid of one or two hyperparameters."""
    objective, column = points.objective, points.mean
    title = f"Mean {objective.title} by {' and '.join(points.axes)}"
    power = _power([row[column] for row in points.table])
    cells = [
        {
            **row,
            "mean": f"{row[column] / 10**power:.4g}",
            "error": f"± {row['standard_error'] / 10**power:.2g}" if row["standard_error"] else objective.extreme,
            "is_dark": depth > 0.5,
        }
        for row, depth in zip(points.table, _depths(points), strict=True)
    ]
    place = dict(zip(("x", "y"), (_values(points, name) for name in points.axes), strict=False))
    ink = {"condition": {"test": "datum.is_dark", "value": "white"}, "value": "black"}
    colour = _magnitude(column, [row[column] for row in cells], objective)
    layers = [
        layer("rect", cells, **place, color=colour, stroke=PAGE, strokeWidth=2),
        layer("rect", [row for row in cells if row["chosen"]], **place, fillOpacity=0, stroke=FRAME, strokeWidth=4),
    ]
    scale = f" in 1e{power}" if power else ""
    if points.has_room:
        layers += [
            layer("text", cells, **place, text={"field": "mean"}, color=ink, dy=-7, fontSize=13, fontWeight="bold"),
            layer("text", cells, **place, text={"field": "error"}, color=ink, dy=9),
        ]
        said = (
            f"A cell has the mean over the folds{scale} and the standard error of its difference to the "
            f"{objective.extreme}. "
        )
    else:
        said = ""
    edges = points.edges()
    flag = f"The {objective.extreme} mean is at the edge of the grid, with {' and '.join(edges)}. " if edges else ""
    sentence = f"Dark is worse. {said}The frame is the choice. {flag}"
    return Figure(title, draw(title, layers), f"{sentence}{_capital(unit)}.", [Download("points.csv", points.table)])


def scatter(rows: Rows, axes: Sequence[str], unit: str, objective: ObjectiveMetric) -> Figure:
    """Show the errors of points that form no grid.

    Args:
        rows: the hyperparameters as text, ``mean_`` with the objective's name, and ``chosen``; perhaps ``fold``.
        axes: the one or two hyperparameters to show, which are numbers.
        unit: the metric and what it is of.
        objective: the metric.
    """
    title = f"{objective.starts_sentence} by {' and '.join(axes)}"
    column = f"mean_{objective.column}"
    numbers = [{**row, **{name: float(row[name]) for name in axes}} for row in spread_evenly(rows, _MOST_MARKS)]
    errors = [row[column] for row in rows]
    channels = [_axis(name, numbers) for name in axes]
    channels.append(number(column, _capital(unit), errors, log=_has_decades(errors, objective)))
    x, y = channels[:2]
    chosen = [row for row in numbers if row["chosen"]]
    # Bad points are drawn first, so that good ones are not hidden.
    colour = _magnitude(column, errors, objective)
    layers = [
        layer("point", numbers[::-1], x, y, color=colour, filled=True, size=70, opacity=1),
        layer("point", chosen, x, y, filled=False, size=230, strokeWidth=3, color=fixed(FRAME)),
    ]
    places = {tuple(row[name] for name in axes) for row in numbers}
    hidden = " Where several have one place, the best is on top." if len(places) < len(numbers) else ""
    said = f"Each point is a combination of hyperparameters. Dark is worse. The ring is the choice.{hidden}"
    return Figure(title, draw(title, layers), f"{said} {_capital(unit)}.", [Download("points.csv", rows)])


def strip(points: Points, unit: str) -> Figure:
    """Show each point on the folds."""
    title, objective = "The folds of each combination", points.objective
    table, more = leading(points.table, "combinations")
    marks = [
        {"point": _label(points, row), "value": row[name], "fold": name.removeprefix("fold_")}
        for row in table
        for name in row
        if name.startswith("fold_")
    ]
    means = [{"point": _label(points, row), "value": row[points.mean], "chosen": str(row["chosen"])} for row in table]
    values = [row["value"] for row in marks]
    x = number("value", _capital(unit), values, log=_has_decades(values, objective))
    y = names("point")
    colour = classes("chosen", {"True": ORANGE, "False": BLUE}, legend=False)
    layers = [
        layer("tick", marks, x, y, thickness=1.5, size=11, color=fixed(SOFT)),
        layer("point", means, x, y, shape="diamond", filled=True, size=70, opacity=1, color=colour),
    ]
    said = f"{' / '.join(points.names)}, the {objective.extreme} mean first."
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


def _has_decades(values: Sequence[float], objective: ObjectiveMetric) -> bool:
    """Return whether a logarithmic axis shows the values better. A score near its largest value has no use for one."""
    return objective.minimizes and spans_decades(values)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _magnitude(field: str, values: Sequence[float], objective: ObjectiveMetric) -> Spec:
    kind = "log" if _has_decades(values, objective) else "linear"
    return {
        "field": field,
        "type": "quantitative",
        "legend": None,
        "scale": {"type": kind, "scheme": "cividis", "reverse": objective.minimizes},
    }


def _depths(points: Points) -> list[float]:
    """Return how dark the cells are: 0 for the best mean, 1 for the worst."""
    values = [row[points.mean] for row in points.table]
    placed = [math.log(value) for value in values] if _has_decades(values, points.objective) else values
    low, high = min(placed), max(placed)
    depths = [(value - low) / ((high - low) or 1) for value in placed]
    return depths if points.objective.minimizes else [1 - depth for depth in depths]


def _power(values: Sequence[float]) -> int:
    """Return the power of ten in which the values have few digits: a multiple of three."""
    lowest = min(values)
    return 0 if lowest <= 0 or 0.01 <= lowest < 10_000 else 3 * math.floor(math.log10(lowest) / 3)
