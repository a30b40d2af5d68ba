"""SageMaker's median rule, which stops unpromising training jobs of a tuning job."""

from __future__ import annotations

from itertools import accumulate
from statistics import median


class MedianRule:
    """Stops a job whose objective is worse than the median of earlier jobs' running averages.

    The objective is compared after each epoch. The running averages are those up to the same epoch.
    Source: "Stop Training Jobs Early" in SageMaker's developer guide.
    """

    def __init__(self, *, minimize: bool) -> None:
        self._sign = 1 if minimize else -1
        self._averages: list[list[float]] = []

    def add(self, values: list[float]) -> None:
        """Record the objective values of an ended job, one for each epoch."""
        if values:
            self._averages.append([total / count for count, total in enumerate(accumulate(values), start=1)])

    def stops(self, values: list[float]) -> bool:
        """Return whether to stop a job.

        Args:
            values: The job's objective values so far, one for each epoch.
        """
        epoch = len(values) - 1
        reached = [averages[epoch] for averages in self._averages if len(averages) > epoch >= 0]
        return bool(reached) and self._sign * values[-1] > self._sign * median(reached)
