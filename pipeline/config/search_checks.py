"""Checks of the hyperparameter search: each value is valid, but they do not fit together or the algorithm."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from definition_language.hyperparameters import Tunable, text_of
from pipeline.config.column_checks import Fault
from pipeline.config.search import MOST_JOBS, OWN_KEYS, TuningSection

if TYPE_CHECKING:
    from pipeline.algorithms.algorithm import Value
    from pipeline.config.models import Config

_MOST_VALUES = 30
"""https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CategoricalParameterRange.html"""


def check_search(config: Config) -> Iterator[Fault]:
    """Yield the faults of the search, and of the hyperparameters that are not searched."""
    alone = [*_check_objective(config), *_check_keys(config), *_check_tuned(config), *_check_static(config)]
    yield from alone
    yield from _check_job_counts(config.tuning)
    if not alone:
        yield from config.algorithm.check(
            config.task,
            {name: text_of(value) for name, value in config.tuning.static_hyperparameters.items()},
            {name: text_of(values[0]) for name, values in config.tuning.searched.items()},
        )
    if config.tuning.early_stopping == "Auto":
        yield "tuning.early_stopping", config.algorithm.early_stopping_fault(config.tuning.objective)


def _check_objective(config: Config) -> Iterator[Fault]:
    objective, problem = config.tuning.objective, config.training.problem
    known = config.algorithm.objectives(problem)
    if objective not in known:
        title = config.algorithm.title
        yield "tuning.objective", f"{objective!r} is not an objective of {title} for {problem}: {', '.join(known)}"


def _check_keys(config: Config) -> Iterator[Fault]:
    tuning = config.tuning
    if tuning.grid and tuning.strategy != "Grid":
        yield "tuning.grid", f"the strategy {tuning.strategy} searches between two ends: use tuning.ranges"
    if tuning.ranges and tuning.strategy == "Grid":
        yield "tuning.ranges", "the strategy Grid searches listed values: use tuning.grid"
    for name in OWN_KEYS:
        if getattr(tuning, name) is not None and (tuning.grid or tuning.ranges):
            yield f"tuning.{name}", f"write it into tuning.{_section(tuning)}, with the other hyperparameters"


def _check_tuned(config: Config) -> Iterator[Fault]:
    tuning, tunable = config.tuning, config.algorithm.tunable(config.training.problem)
    for name, values in tuning.searched.items():
        path = f"tuning.{name}" if name in OWN_KEYS and getattr(tuning, name) else f"tuning.{_section(tuning)}.{name}"
        if name not in tunable:
            yield path, f"is not a tunable hyperparameter of {config.algorithm.title}: {', '.join(tunable)}"
            continue
        yield from _check_values(path, values, tunable[name])
        yield from _check_number_of_values(path, values, tunable[name], tuning.strategy)


def _check_number_of_values(path: str, values: list[Value], tunable: Tunable, strategy: str) -> Iterator[Fault]:
    if len({text_of(value) for value in values}) < len(values):
        yield path, "a value is listed twice"
    elif not 1 <= len(values) <= _MOST_VALUES:
        yield path, f"has {len(values)} values: SageMaker takes 1 to {_MOST_VALUES}"
    elif strategy != "Grid" and tunable.kind != "Categorical" and not _are_ends(values):
        yield path, f"the strategy {strategy} needs [lowest, highest], not {values}"


def _are_ends(values: list[Value]) -> bool:
    lowest, highest = (values[0], values[-1]) if len(values) == 2 else (0, 0)
    return not isinstance(lowest, str) and not isinstance(highest, str) and lowest < highest


def _check_values(path: str, values: list[Value], tunable: Tunable) -> Iterator[Fault]:
    for index, value in enumerate(values):
        if sentence := _value_fault(value, tunable):
            yield f"{path}[{index}]", sentence


def _value_fault(value: Value, tunable: Tunable) -> str | None:
    if tunable.kind == "Categorical":
        return None if text_of(value) in tunable.values else f"{value!r} is not one of {', '.join(tunable.values)}"
    if isinstance(value, bool | str) or not math.isfinite(value):
        return f"{value!r} is not a finite number"
    if tunable.kind == "Integer" and not isinstance(value, int):
        return f"{value!r} is not a whole number"
    assert tunable.minimum is not None
    assert tunable.maximum is not None
    if not tunable.minimum <= value <= tunable.maximum:
        bounds = f"{tunable.minimum:g} to {tunable.maximum:g}"
        return f"{value:g} is outside the range that SageMaker tunes, {bounds}"
    return None


def _check_job_counts(tuning: TuningSection) -> Iterator[Fault]:
    points = tuning.points
    if not points:  # an empty list of values is a fault of its own
        return
    if tuning.max_jobs > MOST_JOBS:
        yield "tuning.max_jobs", f"the grid has {points} points, and SageMaker allows {MOST_JOBS} training jobs"
    elif tuning.strategy == "Grid" and tuning.max_jobs != points:
        relation = "fewer" if tuning.max_jobs < points else "more"
        rule = "SageMaker requires one job for each point"
        yield "tuning.max_jobs", f"{tuning.max_jobs} is {relation} than the grid's {points} points: {rule}"
    if tuning.max_parallel_jobs > tuning.max_jobs:
        yield "tuning.max_parallel_jobs", f"{tuning.max_parallel_jobs} is more than max_jobs, {tuning.max_jobs}"


def _check_static(config: Config) -> Iterator[Fault]:
    for name, value in config.tuning.static_hyperparameters.items():
        if sentence := _name_fault(config, name) or _static_fault(config, name, value):
            yield f"tuning.static_hyperparameters.{name}", sentence


def _name_fault(config: Config, name: str) -> str | None:
    if name in config.tuning.searched:
        return "is tuned: SageMaker would refuse a static value"
    return config.algorithm.name_fault(name, config.training.problem)


def _static_fault(config: Config, name: str, value: Value) -> str | None:
    problem = config.training.problem
    rule = config.algorithm.rules(problem).get(name)
    if rule is None:
        return None
    try:
        rule.parse(text_of(value))
    except ValueError:
        return f"{value!r} is not {rule.expected.rstrip()}{config.algorithm.value_hint(name, value, problem)}"
    return None


def _section(tuning: TuningSection) -> str:
    return "grid" if tuning.strategy == "Grid" else "ranges"
