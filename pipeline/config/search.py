"""The typed model of the hyperparameter search, and the defaults that depend on the algorithm."""

from __future__ import annotations

import math
from typing import Any, Literal

from pydantic import Field

from definition_language.objectives import Problem
from pipeline.algorithms.algorithm import Algorithm, Value
from pipeline.algorithms.table import ALGORITHMS, DEFAULT
from pipeline.config.section import DEFAULT_IN_WORDS, VALUES_IN_WORDS, Section
from pipeline.config.types import HyperparameterName, NonNegativeFloat, PositiveFloat, TrainingInstance

MOST_JOBS = 750
"""https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-limits.html"""

OWN_KEYS = ("learning_rate", "l1")
"""Hyperparameters that have a key beside ``grid`` and ``ranges``."""

_SEARCHED_JOBS = 12
"""The default of max_jobs for the strategies without a grid."""

_BY_PROBLEM = "[Algorithms and problems](configuration.md#algorithms-and-problems)"


def _own_default(name: str) -> str:
    """Return the default of a hyperparameter's own key, in words."""
    return f"``{list(ALGORITHMS[DEFAULT].default_grid[name])}``; its two ends for other strategies"


class TuningSection(Section):
    """The hyperparameter search of each fold."""

    strategy: Literal["Grid", "Random", "Bayesian"] = "Grid"
    """How the points are chosen. ``Grid`` trains every combination of the listed values."""

    objective: str = Field(
        default="",
        json_schema_extra={VALUES_IN_WORDS: f"an objective of {_BY_PROBLEM}", DEFAULT_IN_WORDS: "the problem's first"},
    )
    """The metric that the tuning jobs optimise and by which the model is chosen."""

    grid: dict[HyperparameterName, list[Value]] = Field(
        default_factory=dict, json_schema_extra={DEFAULT_IN_WORDS: f"the algorithm's, see {_BY_PROBLEM}"}
    )
    """For ``Grid``: the values of each searched hyperparameter, for example
    ``{max_depth: [3, 6], num_round: [100, 300]}``. Any tunable hyperparameter of the algorithm, within the range that
    SageMaker tunes. A grid is not yet seen on AWS: SageMaker has to accept categorical ranges for numbers."""

    ranges: dict[HyperparameterName, list[Value]] = Field(
        default_factory=dict, json_schema_extra={DEFAULT_IN_WORDS: "the two ends of the algorithm's grid"}
    )
    """For ``Random`` and ``Bayesian``: ``[lowest, highest]`` of each searched hyperparameter. Learning rates, penalties
    and the number of trees are searched evenly in the logarithm, unless the lowest value is 0."""

    learning_rate: list[PositiveFloat] | None = Field(
        default=None, min_length=1, max_length=30, json_schema_extra={DEFAULT_IN_WORDS: _own_default("learning_rate")}
    )
    """For linear-learner without ``grid`` and ``ranges``: their ``learning_rate``."""

    l1: list[NonNegativeFloat] | None = Field(
        default=None, min_length=1, max_length=30, json_schema_extra={DEFAULT_IN_WORDS: _own_default("l1")}
    )
    """As ``tuning.learning_rate``."""

    static_hyperparameters: dict[HyperparameterName, Value] = Field(default_factory=dict)
    """Any other hyperparameter of the algorithm. Names and values are checked when the file is read; those that the
    pipeline sets itself are refused. linear-learner's ``mini_batch_size`` is compared with the rows of a small local
    ``dataset.input`` before anything else; its ``num_models`` is refused, because SageMaker makes it 1 in a tuning
    job. XGBoost needs ``num_round``, here or in the search; its ``early_stopping_rounds`` is refused: search
    ``num_round``."""

    max_jobs: int = Field(
        default=0,
        ge=1,
        le=MOST_JOBS,
        json_schema_extra={DEFAULT_IN_WORDS: f"a grid's number of points; {_SEARCHED_JOBS} for other strategies"},
    )
    """Training jobs of each fold. A grid needs one for each point."""

    max_parallel_jobs: int = Field(
        default=0, ge=1, le=100, json_schema_extra={DEFAULT_IN_WORDS: "2, or 1 if ``max_jobs`` is 1"}
    )
    """Training jobs of one fold that run at the same time. With five folds at once that makes ten. ``make estimate``
    says which quota they need. Quotas are not yet seen on AWS."""

    early_stopping: Literal["Off", "Auto"] = "Off"
    """Only ``Off``; ``Auto`` is refused. A stopped job would leave a point without an error on one fold. Of
    linear-learner, SageMaker stops jobs only if the objective is ``objective_loss``."""

    instance_type: TrainingInstance = "ml.m5.large"
    """Default of the parameter TrainingInstanceType. No effect locally. Not yet seen on AWS."""

    volume_gigabytes: int = Field(default=30, ge=1, le=16384)
    """Disk of each training job. No effect locally. Not yet seen on AWS."""

    max_runtime_minutes: int = Field(default=60, ge=2, le=7200)
    """A training job is stopped after this time."""

    spot: bool = False
    """Uses spare capacity at a discount. Jobs may wait, and be interrupted. No effect locally. Not yet seen on AWS."""

    max_wait_minutes: int = Field(default=120, ge=2, le=7200)
    """With spot: limit for waiting and training together. No effect locally. Not yet seen on AWS."""

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
