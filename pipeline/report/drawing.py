"""Draws Vega-Lite charts as SVG, in one theme for light and dark, without a browser.

Colours are CSS variables of the page, so one drawing serves both. Only magnitudes have colours of their own: cividis,
which is the same for readers with and without colour blindness. The other colours are those of Okabe and Ito.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import vl_convert
from markupsafe import Markup, escape

from pipeline.text import visible

Spec = dict[str, Any]
Rows = Sequence[dict[str, Any]]

INK, SOFT, LINE, PAGE = "var(--ink)", "var(--soft)", "var(--line)", "var(--page)"
BLUE, ORANGE = "var(--blue)", "var(--orange)"

SERIES = tuple((colour, dash) for dash in ([1, 0], [5, 3]) for colour in (BLUE, ORANGE, "#009e73", "#cc79a7"))
"""Colours and dashes of lines, which differ for readers with and without colour blindness, in light and dark."""

FRAME = "#d55e00"
"""It shows on all colours of magnitudes, in light and dark."""

FONT = "Helvetica, Arial, Liberation Sans, sans-serif"
"""Fonts of the same widths: Vega leaves room for the labels before it is known which font the reader has."""

WIDTH, HEIGHT = 440, 290

_THEME: Spec = {
    # The figure has one label. A label for each mark would double the file and tell a screen reader nothing.
    "aria": False,
    "background": None,
    "font": FONT,
    "padding": 2,
    "view": {"stroke": None},
    "axis": {
        "domainColor": LINE,
        "gridColor": LINE,
        "gridOpacity": 0.6,
        "labelColor": SOFT,
        "labelFontSize": 11.5,
        "labelLimit": 150,
        "tickColor": LINE,
        "titleColor": SOFT,
        "titleFontSize": 11.5,
        "titleFontWeight": "normal",
        "titlePadding": 6,
    },
    "axisX": {"tickCount": 6, "labelFlush": False, "labelOverlap": True},
    "axisY": {"tickCount": 6},
    "legend": {
        "labelColor": INK,
        "labelFontSize": 11.5,
        "labelLimit": 220,
        "orient": "top",
        "symbolStrokeWidth": 2,
        "title": None,
        "offset": 4,
    },
    "bar": {"discreteBandSize": {"band": 0.6}},
    "text": {"color": INK, "fontSize": 11},
    "rule": {"color": SOFT},
}


def start() -> None:
    """Start Vega, which otherwise the first drawing does."""
    draw("nothing", [layer("point", [])])


def draw(label: str, layers: Sequence[Spec], *, height: float = HEIGHT, **spec: Any) -> Markup:
    """Return a chart as an SVG element.

    Args:
        label: what the chart shows, for those who cannot see it.
        layers: the layers of the specification.
        height: its height in pixels; its width is ``WIDTH``.
        spec: more of the specification.
    """
    whole = {
        "layer": list(layers),
        "width": WIDTH,
        "height": height,
        "autosize": {"type": "fit", "contains": "padding"},
        "config": _THEME,
        **spec,
    }
    drawn = vl_convert.vegalite_to_svg(json.loads(json.dumps(whole), object_hook=_visible))
    # Inside HTML an SVG needs no namespaces; the page decides about its size.
    body = re.sub(r"^<svg[^>]*>", "", drawn)
    size = f"{WIDTH} {height:g}"
    return Markup(f'<svg role="img" viewBox="0 0 {size}" aria-label="{escape(label)}">') + Markup(body)  # noqa: S704 - Vega escapes its text


def _visible(document: dict[str, Any]) -> dict[str, Any]:
    return {name: visible(value) if isinstance(value, str) else value for name, value in document.items()}


def layer(mark: str, rows: Rows, x: Spec | None = None, y: Spec | None = None, **more: Any) -> Spec:
    """Return a layer of a chart.

    Args:
        mark: the kind of mark.
        rows: the data.
        x: the horizontal channel.
        y: the vertical channel.
        more: other channels if they are objects, else properties of the mark.
    """
    channels = {name: value for name, value in {"x": x, "y": y, **more}.items() if isinstance(value, dict)}
    properties = {name: value for name, value in more.items() if not isinstance(value, dict)}
    return {"data": {"values": list(rows)}, "mark": {"type": mark, "aria": False, **properties}, "encoding": channels}


def number(field: str, title: str | None, values: Sequence[float], *, zero: bool = False, log: bool = False) -> Spec:
    """Return a channel of numbers, with an axis that suits the values."""
    largest = max(map(abs, values), default=1.0)
    scale = {"type": "log", "nice": False} if log else {"zero": zero}
    # A logarithmic axis has too many ticks for a grid.
    axis = ({"format": "~s"} if largest >= 1000 else {}) | ({"grid": False} if log else {})
    return {
        "field": field,
        "type": "quantitative",
        "title": title,
        "axis": axis,
        "scale": scale,
    }


_SHORT_NAME = "length(datum.label) > 28 ? slice(datum.label, 0, 15) + '…' + slice(datum.label, -12) : datum.label"
"""Long names often differ at the end only."""


def names(field: str, **axis: Any) -> Spec:
    """Return a channel of names in the order of the rows."""
    shown = {"ticks": False, "labelExpr": _SHORT_NAME, "labelLimit": 200, **axis}
    return {"field": field, "type": "nominal", "sort": None, "title": None, "axis": shown}


def classes(field: str, colours: Mapping[str, str], *, legend: bool = True) -> Spec:
    """Return a channel of colours of classes."""
    scale = {"domain": list(colours), "range": list(colours.values())}
    return {"field": field, "type": "nominal", "scale": scale} | ({} if legend else {"legend": None})


def series(field: str, shown: Sequence[str], columns: int = 2) -> dict[str, Spec]:
    """Return the channels of at most ``len(SERIES)`` lines: a colour and a dash for each, named in so many columns."""
    kinds = SERIES[: len(shown)]
    parts = {"color": [colour for colour, _ in kinds], "strokeDash": [dash for _, dash in kinds]}
    return {
        name: {
            "field": field,
            "type": "nominal",
            "scale": {"domain": list(shown), "range": values},
            "legend": {"columns": columns},
        }
        for name, values in parts.items()
    }


def fixed(colour: str) -> Spec:
    """Return a channel of one colour."""
    return {"value": colour}


def spans_decades(values: Sequence[float]) -> bool:
    """Return whether positive values are so different that a logarithmic axis shows them better."""
    return min(values, default=0.0) > 0 and max(values) > 8 * min(values)
