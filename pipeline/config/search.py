"""The typed model of the hyperparameter search, and the defaults that depend on the algorithm."""

from __future__ import annotations

import math
from typing import Any, Literal

from pydantic import Field

from definition_language.objectives import Problem
from pipeline.algorithms.algorithm import Algorithm, Value
from pipeline.config.section import Section
from pipeline.config.types import NonNegativeFloat, PositiveFloat, TrainingInstance

MOST_JOBS = 750
"""https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-limits.html"""

OWN_KEYS = ("learning_rate", "l1")
"""Hyperparameters that have a key beside ``grid`` and ``ranges``."""

_SEARCHED_JOBS = 12
"""The default of max_jobs for the strategies without a grid."""


class TuningSection(Section):
    """The hyperparameter search of each fold. ``Config`` gives it the defaults that depend on the algorithm."""

    strategy: Literal["Grid", "Random", "Bayesian"] = "Grid"
    objective: str = ""
    grid: dict[str, list[Value]] = Field(default_factory=dict)
    ranges: dict[str, list[Value]] = Field(default_factory=dict)
    learning_rate: list[PositiveFloat] | None = Field(default=None, min_length=1, max_length=30)
    l1: list[NonNegativeFloat] | None = Field(default=None, min_length=1, max_length=30)
    static_hyperparameters: dict[str, Value] = Field(default_factory=dict)
    max_jobs: int = Field(default=0, ge=1, le=MOST_JOBS)
    max_parallel_jobs: int = Field(default=0, ge=1, le=100)
    early_stopping: Literal["Off", "Auto"] = "Off"
    instance_type: TrainingInstance = "ml.m5.large"
    volume_gigabytes: int = Field(default=30, ge=1, le=16384)
    max_runtime_minutes: int = Field(default=60, ge=2, le=7200)
    spot: bool = False
    max_wait_minutes: int = Field(default=120, ge=2, le=7200)

    @property
    def searched(self) -> dict[str, list[Value]]:
        """The searched hyperparameters with the grid's values, or with their two ends for the other strategies."""
        own: dict[str, list[Value]] = {
            name: list(values) for name in OWN_KEYS if (values := getattr(self, name)) is not None
        }
        return {**own, **(self.grid if self.strategy == "Grid" else self.ranges)}

    @property
    def points(self) -> int:
        """The number of points of the grid."""
        return math.prod(map(len, self.searched.values()))


def complete(tuning: TuningSection, algorithm: Algorithm, problem: Problem) -> TuningSection:
    """Return the section with the defaults that depend on the algorithm, the problem and other values."""
    update: dict[str, Any] = {} if tuning.grid or tuning.ranges else _default_search(tuning, algorithm)
    if not tuning.objective:
        update["objective"] = next(iter(algorithm.objectives(problem)))
    tuning = tuning.model_copy(update=update)
    if not tuning.max_jobs:
        jobs = tuning.points if tuning.strategy == "Grid" else _SEARCHED_JOBS
        tuning = tuning.model_copy(update={"max_jobs": jobs})
    return tuning.model_copy(update={"max_parallel_jobs": tuning.max_parallel_jobs or min(2, tuning.max_jobs)})


def _default_search(tuning: TuningSection, algorithm: Algorithm) -> dict[str, Any]:
    """Return the default search: the algorithm's grid, or its two ends for the strategies without a grid.

    If a hyperparameter's own key is given, only the others that have such a key are added.
    """
    default = {name: list(values) for name, values in algorithm.default_grid.items()}
    if tuning.strategy != "Grid":
        default = {name: [values[0], values[-1]] for name, values in default.items()}
    missing = {name: values for name, values in default.items() if name in OWN_KEYS and getattr(tuning, name) is None}
    if any(getattr(tuning, name) is not None for name in OWN_KEYS):
        return missing
    rest = {name: values for name, values in default.items() if name not in OWN_KEYS}
    return {**missing, **({"grid" if tuning.strategy == "Grid" else "ranges": rest} if rest else {})}
