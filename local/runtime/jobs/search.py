"""Chooses the hyperparameters of a tuning job's next training jobs."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from local.runtime.jobs.ranges import Range

if TYPE_CHECKING:
    import optuna

Point = dict[str, str]
"""Values of the tuned hyperparameters, as the training job gets them."""

_MOST_DUPLICATES = 100


class Search(Protocol):
    """A strategy."""

    def ask(self, count: int) -> list[Point]:
        """Return the next points, at most ``count``; none when there are no more."""

    def tell(self, point: Point, value: float | None) -> None:
        """Say what a point has given; None when its job failed."""


class GridSearch:
    """Every combination of the categorical values, once."""

    def __init__(self, ranges: list[Range]) -> None:
        names = [each.name for each in ranges]
        combinations = itertools.product(*(each.values for each in ranges))
        self._points: Iterator[Point] = (dict(zip(names, values, strict=True)) for values in combinations)

    def ask(self, count: int) -> list[Point]:
        """Return the next combinations."""
        return list(itertools.islice(self._points, count))

    def tell(self, point: Point, value: float | None) -> None:
        """Results do not matter to a grid."""


class OptunaSearch:
    """Random and Bayesian search by Optuna's samplers.

    Bayesian search is the tree-structured Parzen estimator; SageMaker's is a Gaussian process. Its points of one
    batch are kept apart by assuming that those not yet finished turn out badly (the "constant liar").
    """

    def __init__(self, strategy: str, ranges: list[Range], *, minimize: bool, seed: int | None) -> None:
        self._study, self._failed = _study(strategy, minimize=minimize, seed=seed)
        self._ranges = ranges
        self._distributions = {each.name: _distribution(each) for each in ranges}
        self._trials: list[tuple[Point, Any]] = []
        self._seen: set[tuple[str, ...]] = set()

    def ask(self, count: int) -> list[Point]:
        """Return the next points, none of which came before as long as the sampler finds new ones."""
        return [self._next() for _ in range(count)]

    def tell(self, point: Point, value: float | None) -> None:
        """Let the sampler learn from a result."""
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
    """Return the search of a strategy: Grid, Random or Bayesian.

    Args:
        strategy: its name.
        ranges: the hyperparameters to vary; all categorical for Grid.
        minimize: whether less is better.
        seed: makes the points reproducible.
    """
    if strategy == "Grid":
        return GridSearch(ranges)
    return OptunaSearch(strategy, ranges, minimize=minimize, seed=seed)


def _study(strategy: str, *, minimize: bool, seed: int | None) -> tuple[optuna.Study, Any]:
    # It takes a second to import, which a service that tunes by grid need not spend.
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
