"""SageMaker's rule for stopping training jobs that will not be a tuning job's best."""

from __future__ import annotations

from itertools import accumulate
from statistics import median


class MedianRule:
    """Stops a job whose objective is worse than the median of earlier jobs' running averages.

    Source: "Stop Training Jobs Early" in SageMaker's developer guide: after each epoch the value is compared
    with the median, over all earlier jobs, of their running averages up to the same epoch.
    """

    def __init__(self, *, minimize: bool) -> None:
        self._sign = 1 if minimize else -1
        self._averages: list[list[float]] = []

    def add(self, values: list[float]) -> None:
        """Take note of an ended job's values, one an epoch."""
        if values:
            self._averages.append([total / count for count, total in enumerate(accumulate(values), start=1)])

    def stops(self, values: list[float]) -> bool:
        """Return whether a job whose values so far these are is to be stopped."""
        epoch = len(values) - 1
        reached = [averages[epoch] for averages in self._averages if len(averages) > epoch >= 0]
        return bool(reached) and self._sign * values[-1] > self._sign * median(reached)
