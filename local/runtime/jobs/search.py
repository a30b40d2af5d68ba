"""Search strategies, which choose the hyperparameters of a tuning job's training jobs."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from local.runtime.jobs.ranges import Range

if TYPE_CHECKING:
    import optuna

Point = dict[str, str]
"""Values of the tuned hyperparameters by name, as text in a training job's HyperParameters."""

_MOST_DUPLICATES = 100


class Search(Protocol):
    """A search strategy."""

    def ask(self, count: int) -> list[Point]:
        """Return up to ``count`` further points, or an empty list if no points are left."""

    def tell(self, point: Point, value: float | None) -> None:
        """Report the result of a point.

        Args:
            point: A point that ``ask`` returned. Must be the same object.
            value: The objective, or None if the training job has none.
        """


class GridSearch:
    """Tries every combination of the categorical values once."""

    def __init__(self, ranges: list[Range]) -> None:
        names = [each.name for each in ranges]
        combinations = itertools.product(*(each.values for each in ranges))
        self._points: Iterator[Point] = (dict(zip(names, values, strict=True)) for values in combinations)

    def ask(self, count: int) -> list[Point]:
        """Return up to ``count`` further combinations."""
        return list(itertools.islice(self._points, count))

    def tell(self, point: Point, value: float | None) -> None:
        """Do nothing, because the grid does not depend on results."""


class OptunaSearch:
    """Searches with Optuna's samplers: random or Bayesian.

    The Bayesian search is a tree-structured Parzen estimator. SageMaker uses a Gaussian process. The estimator assumes
    bad results for unfinished points (the "constant liar"), so that the points of a batch differ.
    """

    def __init__(self, strategy: str, ranges: list[Range], *, minimize: bool, seed: int | None) -> None:
        self._study, self._failed = _study(strategy, minimize=minimize, seed=seed)
        self._ranges = ranges
        self._distributions = {each.name: _distribution(each) for each in ranges}
        self._trials: list[tuple[Point, Any]] = []
        self._seen: set[tuple[str, ...]] = set()

    def ask(self, count: int) -> list[Point]:
        """Return ``count`` further points. A point repeats only if the sampler finds no new one in 100 attempts."""
        return [self._next() for _ in range(count)]

    def tell(self, point: Point, value: float | None) -> None:
        """Report the result of a point to the sampler."""
        trial = next(trial for asked, trial in self._trials if asked is point)
        if value is None:
            self._study.tell(trial, state=self._failed)
        else:
            self._study.tell(trial, value)

    def _next(self) -> Point:
        for _ in range(_MOST_DUPLICATES):
            trial = self._study.ask(self._distributions)
            point = {each.name: _text(each, trial.params[each.name]) for each in self._ranges}
            if tuple(point.values()) not in self._seen:
                break
            self._study.tell(trial, state=self._failed)
        self._seen.add(tuple(point.values()))
        self._trials.append((point, trial))
        return point


def search(strategy: str, ranges: list[Range], *, minimize: bool, seed: int | None) -> Search:
    """Return the search for a strategy.

    Args:
        strategy: ``Grid``, ``Random`` or ``Bayesian``.
        ranges: The ranges to search. For Grid, all of them are categorical.
        minimize: Whether a lower objective is better.
        seed: Makes the points reproducible. None for a random seed.
    """
    if strategy == "Grid":
        return GridSearch(ranges)
    return OptunaSearch(strategy, ranges, minimize=minimize, seed=seed)


def _study(strategy: str, *, minimize: bool, seed: int | None) -> tuple[optuna.Study, Any]:
    # Imported here because the import takes a second, and grid search does not need Optuna.
    import optuna  # noqa: PLC0415

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    samplers: dict[str, Callable[[], Any]] = {
        "Random": lambda: optuna.samplers.RandomSampler(seed=seed),
        "Bayesian": lambda: optuna.samplers.TPESampler(seed=seed, constant_liar=True),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = samplers[strategy]()
    direction = "minimize" if minimize else "maximize"
    return optuna.create_study(direction=direction, sampler=sampler), optuna.trial.TrialState.FAIL


def _distribution(each: Range) -> Any:
    from optuna import distributions  # noqa: PLC0415

    if each.kind == "Categorical":
        return distributions.CategoricalDistribution(each.values)
    if each.kind == "Integer":
        return distributions.IntDistribution(int(each.minimum), int(each.maximum), log=each.scaling == "Logarithmic")
    if each.scaling == "ReverseLogarithmic":
        return distributions.FloatDistribution(1 - each.maximum, 1 - each.minimum, log=True)
    return distributions.FloatDistribution(each.minimum, each.maximum, log=each.scaling == "Logarithmic")


def _text(each: Range, value: Any) -> str:
    if each.kind == "Continuous" and each.scaling == "ReverseLogarithmic":
        return repr(1 - value)
    return value if isinstance(value, str) else repr(value)
