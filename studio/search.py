"""Places a tuning job's training jobs on a chart: the objective of each, in the order of their starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_TOP, _BOTTOM = 6.0, 94.0


@dataclass(frozen=True)
class Trial:
    """A training job on the chart.

    Attributes:
        job: AWS's summary of it.
        value: its objective.
        x: its place from the left, in percent of the width.
        y: its place from the top, in percent of the height. The largest value is at the top.
        best: the place of the best objective so far.
        end: the place at which the next training job begins.
    """

    job: Any
    value: float
    x: float
    y: float
    best: float
    end: float


@dataclass(frozen=True)
class Search:
    """The training jobs on the chart.

    Attributes:
        trials: those with an objective, in the order of their starts.
        lowest: the smallest objective.
        highest: the largest.
    """

    trials: tuple[Trial, ...]
    lowest: float
    highest: float


def search(training_jobs: Sequence[Any]) -> Search | None:
    """Return the chart of training jobs, or None if fewer than two have an objective.

    Args:
        training_jobs: AWS's summaries, the best first.
    """
    scored = [job for job in training_jobs if job.get("FinalHyperParameterTuningJobObjectiveMetric")]
    if len(scored) < 2:
        return None
    values = [_value(job) for job in scored]
    lowest, highest = min(values), max(values)
    better = min if values[0] == lowest else max
    ordered = sorted(scored, key=lambda job: job.get("TrainingStartTime") or job["CreationTime"])
    trials, best, width = [], _value(ordered[0]), 100 / len(ordered)

    def height(value: float) -> float:
        return round(_BOTTOM - (_BOTTOM - _TOP) * (value - lowest) / (highest - lowest or 1), 2)

    for number, job in enumerate(ordered):
        value = _value(job)
        best = better(best, value)
        left, end = (number + 0.5) * width, min(number + 1.5, len(ordered)) * width
        trials.append(Trial(job, value, round(left, 2), height(value), height(best), round(end, 2)))
    return Search(tuple(trials), lowest, highest)


def _value(job: Any) -> float:
    return float(job["FinalHyperParameterTuningJobObjectiveMetric"]["Value"])
