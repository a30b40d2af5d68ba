"""The metric in which SelectBest's results are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ObjectiveMetric:
    """The tuning jobs' objective.

    Attributes:
        name: for example ``validation:auc``.
        title: the name for people.
        minimizes: whether lower values are better.
    """

    name: str
    title: str
    minimizes: bool

    @property
    def column(self) -> str:
        """The name in the columns of ``cv_results.json``."""
        return self.name.rpartition(":")[2]


def objective_of(best: Mapping[str, Any]) -> ObjectiveMetric:
    """Return the objective of ``best.json``. Before there were others, it was always the MSE."""
    metric = best.get("metric")
    if metric is None:
        return ObjectiveMetric("validation:mse", "MSE", minimizes=True)
    return ObjectiveMetric(metric["name"], metric["title"], minimizes=metric["direction"] == "Minimize")


def value_of(estimate: Mapping[str, Any]) -> float:
    """Return the value of an estimate of ``best.json``, whose name was ``mse`` before there were other objectives."""
    value: float = estimate["value"] if "value" in estimate else estimate["mse"]
    return value
