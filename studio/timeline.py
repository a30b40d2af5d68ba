"""Places the steps of an execution on a scale of time."""

from __future__ import annotations

from dataclasses import dataclass

from studio.executions import Execution, StepState
from studio.text import duration, seconds_between

_MARKS = 4


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
    marks = tuple((100 * n / _MARKS, duration(total * n / _MARKS)) for n in range(_MARKS))
    return Timeline(bars, marks)


def _bar(step: StepState, left: float, total: float) -> Bar:
    width = max(0.6, 100 * (step.seconds or 0.0) / total)
    left = min(left, 99.4)
    return Bar(step, round(left, 2), round(min(width, 100 - left), 2))
