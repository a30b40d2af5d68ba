"""Groups training jobs by their hyperparameters."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from evaluation.jobs import Job

Key = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Point:
    """A set of tuned hyperparameters with its training jobs.

    Attributes:
        hyperparameters: the tuned hyperparameters.
        jobs: the job of each fold, in order; None for a fold without a usable one.
        faults: why the point is not eligible; empty if it is.
    """

    hyperparameters: dict[str, str]
    jobs: list[Job | None]
    faults: list[str]

    @property
    def eligible(self) -> bool:
        """Whether the point has a finite objective in each fold, from jobs that completed."""
        return not self.faults

    @property
    def values(self) -> list[float]:
        """The objective of each fold that has one."""
        return [job.value for job in self.jobs if job is not None and job.value is not None]

    def number(self, name: str) -> float:
        """Return a tuned hyperparameter as a number; NaN if it is not tuned or is text."""
        return _number(self.hyperparameters.get(name, "nan"))

    def __str__(self) -> str:
        """Return for example ``l1=0.1 learning_rate=0.01``."""
        return " ".join(f"{name}={value}" for name, value in sorted(self.hyperparameters.items()))


def points_of(jobs: Iterable[Job], folds: int) -> list[Point]:
    """Return the points that were tried, in the order of their hyperparameters.

    Args:
        jobs: the training jobs of all folds.
        folds: the number of folds.
    """
    by_key: dict[Key, list[Job]] = defaultdict(list)
    for job in jobs:
        by_key[_key(job.hyperparameters)].append(job)
    return [_point(by_key[key], folds) for key in sorted(by_key, key=_order)]


def _point(jobs: list[Job], folds: int) -> Point:
    usable: list[Job | None] = []
    faults: list[str] = []
    for fold in range(1, folds + 1):
        tried = sorted((job for job in jobs if job.fold == fold), key=lambda job: job.name)
        good = next((job for job in tried if job.fault is None), None)
        usable.append(good)
        if good is None:
            reasons = [job.fault for job in tried if job.fault is not None]
            faults.append(f"fold {fold}: {reasons[0] if reasons else 'no training job'}")
    return Point(jobs[0].hyperparameters, usable, faults)


def _key(hyperparameters: dict[str, str]) -> Key:
    """Return a key that is equal for equal numbers: ``0.10`` and ``1e-1``."""
    return tuple(sorted((name, _canonical(value)) for name, value in hyperparameters.items()))


def _canonical(text: str) -> str:
    number = _number(text)
    return text if math.isnan(number) else repr(number)


def _order(key: Key) -> list[tuple[str, float, str]]:
    numbers = [(name, _number(value), value) for name, value in key]
    return [(name, math.inf if math.isnan(number) else number, value) for name, number, value in numbers]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
