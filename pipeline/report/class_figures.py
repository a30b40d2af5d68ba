"""Figures about the predictions of classes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.report.drawing import (
    BLUE,
    INK,
    ORANGE,
    PAGE,
    SERIES,
    SOFT,
    Rows,
    Spec,
    classes,
    draw,
    fixed,
    layer,
    names,
    number,
    series,
)
from pipeline.report.figure import Download, Figure

_HEIGHT = 320
_MOST_CELLS, _MOST_NUMBERS = 20, 8
"""The classes that the table of confusion shows, and those up to which its cells have room for counts."""

_NORMAL = 1.959964
"""The 97.5 % quantile of the normal distribution."""


def roc_figure(curve: Rows, auc: float, confusion: Sequence[Sequence[int]], positive: str) -> Figure:
    """Show which share of the positives is found at which share of false alarms, at every threshold."""
    title = "ROC curve"
    (true_negatives, false_positives), (misses, hits) = confusion
    own = [
        {"fpr": false_positives / (true_negatives + false_positives or 1), "tpr": hits / (misses + hits or 1)},
    ]
    x, y = _rates(positive)
    layers = [
        _chance(x, y),
        layer("line", curve, x, y, color=fixed(BLUE), strokeWidth=2, order={"field": "tpr", "type": "quantitative"}),
        layer("point", own, x, y, color=fixed(ORANGE), filled=True, size=80, opacity=1),
    ]
    sentence = (
        f"AUC {auc:.4f}: how often a row of {positive} has a higher score than another row. On the dashed line, scores "
        f"say nothing. The orange point is where the model decides: it finds {own[0]['tpr']:.1%}, with "
        f"{own[0]['fpr']:.1%} of the others as false alarms."
    )
    return Figure(title, draw(title, layers, height=_HEIGHT), sentence, [Download("curves.csv", curve)])


def one_vs_rest_figure(curves: Sequence[Mapping[str, Any]]) -> Figure:
    """Show the ROC curve of each class against all others.

    Args:
        curves: ``class``, ``auc``, and ``curve`` of the classes to show, the most frequent first.
    """
    title = "ROC curve of each class against the others"
    shown = [each for each in curves if each["curve"]][: len(SERIES)]
    named = {each["class"]: f"{each['class']} (AUC {each['auc']:.3f})" for each in shown}
    points = [{"class": each["class"], **point} for each in shown for point in each["curve"]]
    drawn = [{**point, "line": named[point["class"]]} for point in points]
    x, y = _rates("the class")
    order = {"field": "tpr", "type": "quantitative"}
    layers = [
        _chance(x, y),
        layer("line", drawn, x, y, **series("line", list(named.values())), strokeWidth=2, order=order),
    ]
    more = f" The {len(shown)} most frequent of {len(curves)} classes are shown." if len(curves) > len(shown) else ""
    sentence = (
        "AUC: how often a row of the class has a higher probability of it than another row. On the dashed line, "
        f"probabilities say nothing.{more}"
    )
    return Figure(title, draw(title, layers, height=_HEIGHT), sentence, [Download("curves.csv", points)])


def precision_figure(curve: Rows, average: float, rate: float, positive: str) -> Figure:
    """Show which share of the rows that are predicted as positive are positive, by the share that is found."""
    title = "Precision and recall"
    x, y = _share("tpr", f"Recall: {positive} that is found"), _share("precision", "Precision")
    layers = [
        layer("rule", [{"precision": rate}], None, y, strokeDash=[4, 3], color=fixed(SOFT)),
        layer(
            "line",
            curve,
            x,
            y,
            color=fixed(BLUE),
            strokeWidth=2,
            interpolate="step-before",
            order={"field": "tpr", "type": "quantitative"},
        ),
    ]
    sentence = (
        f"Average precision {average:.4f}, the area under the line. The dashed line, {rate:.4f}, is the share of "
        f"{positive} among all rows: the precision of scores that say nothing."
    )
    return Figure(title, draw(title, layers, height=_HEIGHT), sentence, [Download("curves.csv", curve)])


def calibration_figure(tenths: Rows, positive: str) -> Figure:
    """Compare probabilities with how often they come true."""
    title = "Calibration"
    rows = [
        {**row, **dict(zip(("lowest", "highest"), wilson(row["positive_rate"], row["rows"]), strict=True))}
        for row in tenths
    ]
    shown = [{**row, "text": f"{row['rows']:,}"} for row in rows]
    # Texts of the rightmost points would leave the figure.
    texts: list[tuple[Rows, Spec]] = [
        ([row for row in shown if row["mean_prediction"] <= 0.85], {"align": "left", "dx": 7, "dy": 9}),
        ([row for row in shown if row["mean_prediction"] > 0.85], {"align": "right", "dx": -7, "dy": -8}),
    ]
    x, y = _share("mean_prediction", f"Predicted probability of {positive}"), _share("positive_rate", "Share of rows")
    ends = [{"mean_prediction": value, "positive_rate": value} for value in (0.0, 1.0)]
    layers = [
        layer("line", ends, x, y, strokeDash=[4, 3], color=fixed(SOFT)),
        layer("rule", rows, x, y | {"field": "lowest"}, y2={"field": "highest"}, color=fixed(ORANGE), strokeWidth=2),
        layer("line", rows, x, y, color=fixed(ORANGE), strokeWidth=1.5),
        layer("point", rows, x, y, color=fixed(ORANGE), filled=True, size=55, opacity=1),
        *(layer("text", part, x, y, text={"field": "text"}, color=fixed(SOFT), **place) for part, place in texts),
    ]
    sentence = (
        "On the dashed line, probabilities come true as often as they say; above it they are too low. A point is a "
        "tenth of the probability scale, with its number of rows and the 95 % interval of the share."
    )
    return Figure(title, draw(title, layers, height=_HEIGHT), sentence, [Download("calibration.csv", rows)])


def confusion_figure(confusion: Sequence[Sequence[int]], labels: Sequence[str]) -> Figure:
    """Show the rows by actual and predicted class: counts, and shares of the actual class."""
    title = "Confusion matrix"
    totals = [sum(row) for row in confusion]
    table: list[dict[str, Any]] = [
        {
            "actual": labels[actual],
            "predicted": labels[predicted],
            "rows": count,
            "share": count / totals[actual] if totals[actual] else 0.0,
        }
        for actual, row in enumerate(confusion)
        for predicted, count in enumerate(row)
    ]
    frequent = sorted(range(len(labels)), key=lambda place: -totals[place])[:_MOST_CELLS]
    shown = [labels[place] for place in sorted(frequent)]
    kept = set(shown)
    cells = [
        {**row, "count": f"{row['rows']:,}", "percent": f"{row['share']:.0%}", "is_dark": row["share"] > 0.5}
        for row in table
        if row["actual"] in kept and row["predicted"] in kept
    ]
    x = names("predicted", labelAngle=0 if len(shown) <= 5 else -40) | {"title": "Predicted", "sort": shown}
    y = names("actual", labelColor=INK) | {"title": "Actual", "sort": shown}
    ink = {"condition": {"test": "datum.is_dark", "value": "white"}, "value": "black"}
    colour = {
        "field": "share",
        "type": "quantitative",
        "legend": None,
        "scale": {"scheme": "cividis", "reverse": True, "domain": [0, 1]},
    }
    layers = [layer("rect", cells, x, y, color=colour, stroke=PAGE, strokeWidth=2)]
    if len(shown) <= _MOST_NUMBERS:
        layers += [
            layer("text", cells, x, y, text={"field": "count"}, color=ink, dy=-7, fontSize=13, fontWeight="bold"),
            layer("text", cells, x, y, text={"field": "percent"}, color=ink, dy=9),
        ]
    else:
        layers.append(layer("text", cells, x, y, text={"field": "percent"}, color=ink, fontSize=9))
    more = f" The {len(shown)} most frequent of {len(labels)} classes are shown." if len(shown) < len(labels) else ""
    what = "the rows and their share" if len(shown) <= _MOST_NUMBERS else "the share"
    sentence = f"A cell has {what} of the actual class: the diagonal is right. Dark is a large share.{more}"
    return Figure(title, draw(title, layers, height=_HEIGHT), sentence, [Download("confusion.csv", table)])


def gains_figure(curve: Rows, tenths: Rows, class_rows: Sequence[int], positive: str) -> Figure:
    """Show which share of the positives is among the rows with the highest scores."""
    title = "Cumulative gain"
    negatives, positives = class_rows
    total = negatives + positives
    line = [{"share": (row["fpr"] * negatives + row["tpr"] * positives) / total, "gain": row["tpr"]} for row in curve]
    rate = positives / total
    ideal = [{"share": 0.0, "gain": 0.0}, {"share": rate, "gain": 1.0}, {"share": 1.0, "gain": 1.0}]
    x, y = _share("share", "Rows, the highest scores first"), _share("gain", f"Share of all {positive}")
    dashed: Spec = {"strokeDash": [4, 3], "color": fixed(SOFT)}
    layers = [
        layer("line", [{"share": 0.0, "gain": 0.0}, {"share": 1.0, "gain": 1.0}], x, y, **dashed),
        layer("line", ideal, x, y, strokeDash=[1, 3], color=fixed(SOFT)),
        layer("line", line, x, y, color=fixed(BLUE), strokeWidth=2),
        layer("point", tenths, x, y, color=fixed(BLUE), filled=True, size=40, opacity=1),
    ]
    first = tenths[0]
    sentence = (
        f"The tenth of the rows with the highest scores has {first['gain']:.1%} of all {positive}, {first['lift']:.2f} "
        "times as many as rows at random (dashed). Dotted is a perfect order. Points are tenths."
    )
    return Figure(title, draw(title, layers, height=_HEIGHT), sentence, [Download("gains.csv", tenths)])


def scores_figure(histogram: Rows, labels: Sequence[str], *, are_probabilities: bool) -> Figure:
    """Show how the scores of each of two classes are spread."""
    title = f"{'Probabilities' if are_probabilities else 'Scores'} by actual class"
    totals = [sum(row["rows"][place] for row in histogram) or 1 for place in (0, 1)]
    table = [
        {"low": row["low"], "high": row["high"], "class": label, "rows": count, "share": count / total}
        for row in histogram
        for label, count, total in zip(labels, row["rows"], totals, strict=True)
    ]
    what = f"{'Predicted probability' if are_probabilities else 'Score'} of {labels[1]}"
    x = number("low", what, [row["high"] for row in table])
    y = number("share", "Share of the class's rows", [1.0], zero=True)
    y["axis"]["format"] = ".0%"
    colour = classes("class", {labels[0]: BLUE, labels[1]: ORANGE})
    bars = {"x2": {"field": "high"}, "y2": {"datum": 0}, "color": colour}
    layers = [
        layer("rect", [row for row in table if row["class"] == label and row["rows"]], x, y, **bars, opacity=0.55)
        for label in labels
    ]
    sentence = "The less the two overlap, the better the model tells them apart."
    return Figure(title, draw(title, layers, height=_HEIGHT), sentence, [Download("scores.csv", table)])


def wilson(share: float, rows: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share of rows (Journal of the American Statistical Association 22, 1927)."""
    square = _NORMAL**2
    centre = (share + square / (2 * rows)) / (1 + square / rows)
    reach = _NORMAL * math.sqrt(share * (1 - share) / rows + square / (4 * rows**2)) / (1 + square / rows)
    return max(0.0, centre - reach), min(1.0, centre + reach)


def _rates(positive: str) -> tuple[Spec, Spec]:
    return _share("fpr", "Others that are false alarms"), _share("tpr", f"Share of {positive} that is found")


def _chance(x: Spec, y: Spec) -> Spec:
    ends = [{"fpr": value, "tpr": value} for value in (0.0, 1.0)]
    return layer("line", ends, x, y, strokeDash=[4, 3], color=fixed(SOFT))


def _share(field: str, title: str) -> Spec:
    channel = number(field, title, [1.0])
    return channel | {"scale": {"domain": [0, 1]}}
