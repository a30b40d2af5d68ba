"""Places the steps of a definition and the arrows between them, from top to bottom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from fast_sugiyama import from_edges

from studio.definitions import Definition, Edge

WIDTH, HEIGHT = 200, 52
"""A step's size, in pixels."""

_COLUMN, _ROW = WIDTH + 18, HEIGHT + 42
_MARGIN = 12
_SPACING = 72.0

Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A step's place.

    Attributes:
        name: the step.
        x: its left side.
        y: its upper side.
    """

    name: str
    x: float
    y: float


@dataclass(frozen=True)
class Arrow:
    """An arrow's place.

    Attributes:
        edge: the steps that it connects.
        path: its line, as SVG's ``d``.
        leftwards: whether it comes from the right; its label is on its left then.
        label_x: the side of its label that is next to it.
        label_y: the label's base line.
    """

    edge: Edge
    path: str
    leftwards: bool
    label_x: float
    label_y: float


@dataclass(frozen=True)
class Graph:
    """A drawing.

    Attributes:
        width: in pixels.
        height: in pixels.
        boxes: the steps.
        arrows: the arrows.
    """

    width: float
    height: float
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


@lru_cache(maxsize=256)
def _draw(names: tuple[str, ...], edges: tuple[Edge, ...]) -> Graph:
    places, bends = _places(names, edges)
    boxes = tuple(Box(name, x - WIDTH / 2, y) for name, (x, y) in places.items())
    arrows = tuple(_arrow(edge, places, bends.get((edge.source, edge.target), [])) for edge in edges)
    points = [*places.values(), *(point for bend in bends.values() for point in bend)]
    width = max(x for x, _ in points) + WIDTH / 2 + _MARGIN
    return Graph(round(width), max(y for _, y in points) + HEIGHT + _MARGIN, boxes, arrows)


def draw(definition: Definition) -> Graph:
    """Return the drawing of a definition's steps."""
    return _draw(tuple(definition.steps), definition.edges)


def _places(
    names: tuple[str, ...], edges: Iterable[Edge]
) -> tuple[dict[str, Point], dict[tuple[str, str], list[Point]]]:
    """Return the middle of each step's upper side, and the points that long arrows pass."""
    numbers = {name: number for number, name in enumerate(names)}
    pairs = [(numbers[edge.source], numbers[edge.target]) for edge in edges]
    points: dict[int, Point] = {}
    links: list[tuple[int, int]] = []
    left = _MARGIN + WIDTH / 2
    for positions, _, _, drawn in from_edges(pairs, vertex_spacing=_SPACING) if pairs else ():
        shift = max(points, default=-1) + 1
        scaled = _scaled(positions, left, len(names))
        # Numbers above the steps' are bends, and each drawing counts them anew.
        key = {number: number if number < len(names) else number + len(names) + shift for number in scaled}
        points |= {key[number]: point for number, point in scaled.items()}
        links += [(key[int(a)], key[int(b)]) for a, b in drawn or ()]
        left = max(x for x, _ in scaled.values()) + _COLUMN
    for number in sorted(set(numbers.values()) - points.keys()):
        points[number] = (left, _MARGIN)
        left += _COLUMN
    places = {name: points[number] for name, number in numbers.items()}
    return places, _bends(links, points, names)


def _scaled(positions: Iterable[tuple[int | str, Point]], left: float, steps: int) -> dict[int, Point]:
    """Return the library's positions, which go from bottom to top, as pixels.

    Args:
        positions: the places by number.
        left: where the leftmost place goes.
        steps: the number of steps. Greater numbers are bends.
    """
    found = {int(number): point for number, point in positions}
    side = -1 if _is_mirrored({number: point for number, point in found.items() if number < steps}) else 1
    lowest, highest = min(side * x for x, _ in found.values()), max(y for _, y in found.values())
    return {
        number: (left + (side * x - lowest) / _SPACING * _COLUMN, _MARGIN + (highest - y) / _SPACING * _ROW)
        for number, (x, y) in found.items()
    }


def _is_mirrored(places: dict[int, Point]) -> bool:
    """Return whether most neighbours stand in the opposite order of the definition."""
    rows = sorted((y, x, number) for number, (x, y) in places.items())
    pairs = [(a[2], b[2]) for a, b in pairwise(rows) if a[0] == b[0]]
    return sum(a > b for a, b in pairs) > len(pairs) / 2


def _bends(
    links: list[tuple[int, int]], points: dict[int, Point], names: tuple[str, ...]
) -> dict[tuple[str, str], list[Point]]:
    after: dict[int, list[int]] = defaultdict(list)
    for source, target in links:
        after[source].append(target)
    found = {}
    for source, name in enumerate(names):
        for first in after[source]:
            way, current = [], first
            while current >= len(names):
                way.append(points[current])
                current = after[current][0]
            found[name, names[current]] = way
    return found


def _arrow(edge: Edge, places: dict[str, Point], bends: list[Point]) -> Arrow:
    (x, top), (end_x, end_y) = places[edge.source], places[edge.target]
    y = top + HEIGHT
    path = f"M{x:.0f},{y:.0f}"
    for bend_x, bend_y in bends:
        # Straight beside the row of steps, a curve between two rows.
        path += f" {_curve((x, y), (bend_x, bend_y))} V{bend_y + HEIGHT:.0f}"
        x, y = bend_x, bend_y + HEIGHT
    path += f" {_curve((x, y), (end_x, end_y - 5))}"
    leftwards = x > end_x
    return Arrow(edge, path, leftwards, end_x + (-6 if leftwards else 6), end_y - 8)


def _curve(start: Point, end: Point) -> str:
    middle = (start[1] + end[1]) / 2
    return f"C{start[0]:.0f},{middle:.0f} {end[0]:.0f},{middle:.0f} {end[0]:.0f},{end[1]:.0f}"
