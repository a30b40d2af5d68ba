"""Figures about what the features contribute to predictions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.report.drawing import BLUE, INK, ORANGE, SERIES, SOFT, classes, draw, fixed, layer, names, number, series
from pipeline.report.figure import Download, Figure

_MOST_FEATURES = 15
_MOST_MARKS = 1200
"""The points of the figure. The page grows by 300 bytes for each."""

_BINS, _LARGEST_OFFSET = 60, 0.42
_LEVELS = {"low": BLUE, "middle": SOFT, "high": ORANGE}


def shap_figures(shap: Mapping[str, Any], unit: str, labels: Sequence[str]) -> list[Figure]:
    """Return a point for each row and feature, or with more than two classes a bar for each feature and class.

    Args:
        shap: the content of ``shap.json``.
        unit: the unit of the contributions.
        labels: the label's texts in the order of the classes, if there are more than two.
    """
    return [_bars(shap, unit, labels) if labels else _swarm(shap, unit)]


def _swarm(shap: Mapping[str, Any], unit: str) -> Figure:
    title = "SHAP values"
    features, sample = shap["features"][:_MOST_FEATURES], shap["sample"]
    rows = len(sample["row"])
    chosen = np.unique(np.linspace(0, rows - 1, min(rows, _MOST_MARKS // len(features))).astype(int)).tolist()
    marks: list[dict[str, Any]] = []
    table: list[dict[str, Any]] = []
    width = (np.ptp(np.array(sample["contributions"][: len(features)])) or 1.0) / _BINS
    for place, each in enumerate(features):
        values, contributions = (np.array(sample[name][place])[chosen] for name in ("values", "contributions"))
        levels, offsets = _levels(values), _offsets(contributions, width)
        for row, value, contribution, level, offset in zip(
            chosen, values.tolist(), contributions.tolist(), levels, offsets, strict=True
        ):
            # Six digits: hundreds of marks in a small picture.
            mark: dict[str, Any] = {"feature": each["feature"], "contribution": float(f"{contribution:.6g}")}
            marks.append({**mark, "level": level, "offset": offset})
            table.append({"fold": sample["fold"][row], "row": sample["row"][row], **mark, "value": value})
    x = number("contribution", f"Contribution: {unit}", [row["contribution"] for row in marks])
    y = names("feature", labelColor=INK)
    shift = {"field": "offset", "type": "quantitative", "scale": {"domain": [-0.5, 0.5]}}
    colour = classes("level", _LEVELS)
    colour["legend"] = {"title": "Value of the feature", "titleFontWeight": "normal", "titleColor": SOFT}
    layers = [
        layer("rule", [{"contribution": 0}], x, color=fixed(SOFT), strokeDash=[4, 3]),
        layer("point", marks, x, y, yOffset=shift, color=colour, filled=True, size=13, opacity=0.75),
    ]
    sentence = (
        "A point is a row, explained by the model that did not see it: how far the feature moved its prediction from "
        f"the mean one.{_more(shap, features)}"
    )
    means = [{"feature": each["feature"], "mean_absolute": each["mean_absolute"]} for each in shap["features"]]
    downloads = [Download("shap-means.csv", means), Download("shap.csv", table, shap["rows"] * len(features))]
    height = max(170, 80 + 26 * len(features))
    return Figure(title, draw(title, layers, height=height), sentence, downloads)


def _bars(shap: Mapping[str, Any], unit: str, labels: Sequence[str]) -> Figure:
    title = "Mean absolute SHAP values"
    features = shap["features"][:_MOST_FEATURES]
    table = [
        {"feature": each["feature"], "class": label, "mean_absolute": value}
        for each in shap["features"]
        for label, value in zip(labels, each["by_class"], strict=True)
    ]
    y = names("feature", labelColor=INK)
    if len(labels) <= len(SERIES) // 2:
        kept = {each["feature"] for each in features}
        rows = [row for row in table if row["feature"] in kept]
        x = number("mean_absolute", unit, [1.0], zero=True)
        bars = layer("bar", rows, x, y, color=series("class", labels)["color"])
        by_class = " by class"
    else:
        rows = [{"feature": each["feature"], "mean_absolute": each["mean_absolute"]} for each in features]
        x = number("mean_absolute", unit, [1.0], zero=True)
        bars = layer("bar", rows, x, y, color=fixed(BLUE))
        by_class = ", summed over the classes"
    sentence = (
        f"How far the feature moves the score of a class from its mean{by_class}: the mean over rows, each explained "
        f"by the model that did not see it.{_more(shap, features)}"
    )
    height = max(150, 80 + 20 * len(features))
    return Figure(title, draw(title, [bars], height=height), sentence, [Download("shap-means.csv", table)])


def _more(shap: Mapping[str, Any], features: Sequence[Any]) -> str:
    shown, whole = len(features), len(shap["features"])
    return f" The first {shown} of {whole} features are shown." if shown < whole else ""


def _levels(values: np.ndarray[Any, Any]) -> list[str]:
    """Return whether values are in the low, middle or high third of their range, without the outermost ones."""
    low, high = np.quantile(values, [0.05, 0.95])
    if low == high:
        low, high = values.min(), values.max()
    if low == high:
        return ["middle"] * len(values)
    places = np.clip((values - low) / (high - low) * len(_LEVELS), 0, len(_LEVELS) - 1).astype(int)
    return [list(_LEVELS)[place] for place in places.tolist()]


def _offsets(contributions: np.ndarray[Any, Any], width: float) -> list[float]:
    """Return how far from the feature's line each mark is drawn, so that marks of similar contributions do not meet."""
    bins = np.floor(contributions / width).astype(int).tolist()
    counts, seen = Counter(bins), Counter[int]()
    step = min(0.09, 2 * _LARGEST_OFFSET / max(1, max(counts.values()) - 1))
    offsets = []
    for each in bins:
        # From the middle outwards: 0, +1, -1, +2, -2, ...
        place = seen[each]
        seen[each] += 1
        offsets.append(round(step * ((place + 1) // 2) * (1 if place % 2 else -1), 3))
    return offsets
