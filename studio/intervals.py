"""Places errors or scores and their intervals on one scale, in percent of its width."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from studio.text import number

_MARKS = 5


@dataclass(frozen=True)
class Errors:
    """The errors or scores on a line.

    Attributes:
        name: what they are of.
        value: the value.
        low: the lower end of its interval, or None.
        high: its upper end, or None.
        baselines: values to compare it with, by name.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    baselines: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Line:
    """Where the errors of a line are.

    Attributes:
        errors: the errors.
        value: the place of the value.
        low: the place of the interval's lower end, or None.
        high: the place of its upper end, or None.
        baselines: the places of what it is compared with, by name.
    """

    errors: Errors
    value: float
    low: float | None
    high: float | None
    baselines: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Scale:
    """Lines on one scale that starts at zero.

    Attributes:
        lines: the lines.
        marks: places of marks and their texts.
    """

    lines: tuple[Line, ...]
    marks: tuple[tuple[float, str], ...]


def scale(lines: Sequence[Errors]) -> Scale:
    """Return the places of values: of negative ones the beginning, of what is no finite number the end."""
    values = [value for each in lines for value in (each.value, each.high, *(error for _, error in each.baselines))]
    highest = max((value for value in values if value is not None and math.isfinite(value)), default=0.0)
    step = _step(highest)
    # The text of the last mark has room to the right of it.
    whole = 1.06 * max(highest, 1e-300)

    def place(value: float) -> float:
        return round(100 * min(max(value, 0.0), whole) / whole, 2) if math.isfinite(value) else 100.0

    placed = tuple(
        Line(
            each,
            place(each.value),
            None if each.low is None else place(each.low),
            None if each.high is None else place(each.high),
            tuple((name, place(error)) for name, error in each.baselines),
        )
        for each in lines
    )
    count = math.floor(0.94 * whole / step + 1e-9) + 1 if step else 1
    return Scale(placed, tuple((place(step * index), number(step * index)) for index in range(count)))


def _step(highest: float) -> float:
    """Return a round distance of marks, so that there are five of them at most."""
    if highest <= 0:
        return 0.0
    power = 10.0 ** math.floor(math.log10(highest / _MARKS))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10, 20) if highest / (factor * power) <= _MARKS)
