"""Places the steps of an execution on a scale of time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from studio.executions import Execution, StepState
from studio.text import duration, seconds_between

_MARKS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
_MOST_MARKS = 6


@dataclass(frozen=True)
class Bar:
    """A step on the scale.

    Attributes:
        step: the step.
        left: where it starts, in percent of the width.
        width: how long it took, in percent of the width.
    """

    step: StepState
    left: float
    width: float


@dataclass(frozen=True)
class Timeline:
    """The bars of an execution.

    Attributes:
        bars: the steps that have started, in that order.
        marks: places on the scale in percent, with the time since the start in words.
    """

    bars: tuple[Bar, ...]
    marks: tuple[tuple[float, str], ...]


def timeline(execution: Execution) -> Timeline:
    """Return the bars of an execution's steps."""
    started = [step for step in execution.steps.values() if step.start is not None]
    begin = min([execution.start, *(step.start for step in started if step.start)])
    ends = [seconds_between(begin, step.end) or 0.0 for step in started]
    total = max([1.0, *ends])
    bars = tuple(_bar(step, 100 * (seconds_between(begin, step.start) or 0.0) / total, total) for step in started)
    return Timeline(bars, tuple(_marks(total)))


def _marks(total: float) -> Iterator[tuple[float, str]]:
    distance = next((each for each in _MARKS if total / each <= _MOST_MARKS), total)
    for number in range(int(total // distance) + 1):
        # The last part of the width has no place for a text.
        if number * distance <= 0.95 * total:
            yield round(100 * number * distance / total, 2), duration(round(number * distance))


def _bar(step: StepState, left: float, total: float) -> Bar:
    width = max(0.6, 100 * (step.seconds or 0.0) / total)
    left = min(left, 99.4)
    return Bar(step, round(left, 2), round(min(width, 100 - left), 2))
