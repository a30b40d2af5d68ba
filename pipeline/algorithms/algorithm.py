"""What the pipeline needs to know about an algorithm."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from definition_language.hyperparameters import Rule, Tunable
from definition_language.objectives import OBJECTIVES, Direction, Problem

Value = bool | int | float | str
"""The value of a hyperparameter, as a configuration has it."""


@dataclass(frozen=True)
class Task:
    """What a model learns.

    Attributes:
        problem: the kind of label.
        classes: the number of classes; 0 for regression.
        objective: the metric that the tuning jobs optimise, for example ``validation:mse``.
    """

    problem: Problem
    classes: int
    objective: str

    @property
    def metric(self) -> str:
        """The objective without its channel."""
        return self.objective.partition(":")[2]


@dataclass(frozen=True)
class Algorithm:
    """A built-in algorithm of SageMaker.

    Attributes:
        name: the name in the configuration, in OBJECTIVES and in the arguments of SelectBest and VerifyEndpoint.
        title: the name for messages.
        framework: the name by which the SDK's image_uris knows it.
        repository: the repository of its image.
        version: the image's version for image_uris; None if there is one only.
        runs_programs: whether SelectBest and VerifyEndpoint run in its image, because they need its library.
        program_modules: the modules of steps/ that import its library. Other algorithms' programs go without them.
        is_linear: whether a model has one coefficient a feature, and is trained in epochs; else it has trees, and is
            trained in rounds.
        rules: returns the hyperparameters that a configuration may set, for a problem.
        tunable: the hyperparameters that can be tuned, with their ranges.
        default_grid: the search of a configuration that sets none.
        logarithmic: the hyperparameters that are searched on a logarithmic scale.
        fixed: returns the hyperparameters that the pipeline sets. Arguments: the task, and the number of features,
            which is None if it is not known before the job.
        follows_rows: the hyperparameters that MakeFolds suggests for the number of rows, if they are not set.
        least_rows: the hyperparameter whose value is the least number of rows to train on; None if there is none.
        refit: returns more hyperparameters of a training on all rows outside a tuning job. Its argument: the
            configuration's static hyperparameters.
        name_fault: returns why a configuration may not set a hyperparameter, or None. Arguments: the name, and the
            problem.
        value_hint: returns what to add to the message about a wrong value; usually nothing. Arguments: the name, the
            value, and the problem.
        check: yields the paths and faults of hyperparameters that do not fit together. Arguments: the task, and the
            static and tuned hyperparameters; of the tuned ones the first value.
        knows_constant: returns whether SelectBest computes the objective of predicting the same for every row.
            Arguments: the task, and the static hyperparameters.
        early_stopping_fault: returns why tuning.early_stopping cannot be Auto. Its argument: the objective.
        gives_probabilities: returns whether the scores of classes are probabilities. Its argument: the static
            hyperparameters.
        content_types: what an endpoint takes.
        response_types: what an endpoint and a transform job answer in.
        batch_accept: the type of a transform job's output: one answer a line.
    """

    name: str
    title: str
    framework: str
    repository: str
    version: str | None
    runs_programs: bool
    program_modules: tuple[str, ...]
    is_linear: bool
    rules: Callable[[Problem], Mapping[str, Rule]]
    tunable: Callable[[Problem], Mapping[str, Tunable]]
    default_grid: Mapping[str, tuple[int | float, ...]]
    logarithmic: frozenset[str]
    fixed: Callable[[Task, int | None], dict[str, str]]
    follows_rows: tuple[str, ...]
    least_rows: str | None
    refit: Callable[[Mapping[str, Value]], dict[str, str]]
    name_fault: Callable[[str, Problem], str | None]
    value_hint: Callable[[str, Any, Problem], str]
    check: Callable[[Task, Mapping[str, str], Mapping[str, str]], Iterator[tuple[str, str]]]
    knows_constant: Callable[[Task, Mapping[str, Value]], bool]
    early_stopping_fault: Callable[[str], str]
    gives_probabilities: Callable[[Mapping[str, Value]], bool]
    content_types: tuple[str, ...]
    response_types: tuple[str, ...]
    batch_accept: str

    def objectives(self, problem: Problem) -> Mapping[str, Direction]:
        """Return the objectives for a problem with their directions, the default first."""
        return OBJECTIVES[self.name][problem]
