"""The metric by which training jobs are compared, and its direction."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from evaluation.metrics import METRICS, REGRESSION, Metric, computed_metric

MINIMIZE, MAXIMIZE = "Minimize", "Maximize"
_UNKNOWN = Metric(low=-math.inf, high=math.inf)
_TITLES = {"mse": "MSE", "rmse": "RMSE", "mae": "MAE", "r2": "R2", "auc": "AUC", "logloss": "log loss"} | {
    "mlogloss": "log loss",
    "f1": "F1",
    "f1_macro": "macro F1",
}

_TAKE_AN = "AEFMRaeiou"
"""First letters, of abbreviations or of words, before which "an" is said."""


@dataclass(frozen=True)
class Objective:
    """The tuning jobs' objective.

    Attributes:
        name: for example ``validation:auc``.
        maximize: whether larger is better.
        metric: its name in ``METRICS``; None if it is not computed here.
        properties: its range and kind; without limits if it is not computed here.
    """

    name: str
    maximize: bool = False
    metric: str | None = None
    properties: Metric = _UNKNOWN

    @property
    def direction(self) -> str:
        """``Minimize`` or ``Maximize``."""
        return MAXIMIZE if self.maximize else MINIMIZE

    @property
    def short_name(self) -> str:
        """The name without its channel, for example ``auc``."""
        return self.name.rpartition(":")[2]

    @property
    def title(self) -> str:
        """The metric's name in a sentence."""
        return _TITLES.get(self.metric or "", self.short_name)

    @property
    def with_article(self) -> str:
        """The same with an article, for example "an MSE" or "a log loss"."""
        return f"{'an' if self.title[0] in _TAKE_AN else 'a'} {self.title}"

    def cost(self, value: float) -> float:
        """Return a number that is lower for a better value. It is for comparing only."""
        return -value if self.maximize else value

    def loss(self, value: float) -> float:
        """Return how far a value is from the best possible one; NaN if that is not known."""
        if not self.maximize:
            return value
        return self.properties.high - value if math.isfinite(self.properties.high) else math.nan

    def is_better(self, value: float, other: float) -> bool:
        """Return whether a value is better than another one."""
        return self.cost(value) < self.cost(other)

    def clipped(self, value: float) -> float:
        """Return the nearest value that the metric can have."""
        return min(max(value, self.properties.low), self.properties.high)

    def known_as(self, algorithm: str, problem: str, hyperparameters: Mapping[str, str]) -> Objective:
        """Return the objective with what is known about the metric.

        Args:
            algorithm: the algorithm's name.
            problem: ``regression``, ``binary`` or ``multiclass``.
            hyperparameters: those of the chosen training jobs.
        """
        metric = computed_metric(algorithm, problem, self.name, hyperparameters)
        return self if metric is None else replace(self, metric=metric, properties=METRICS[problem][metric])


MEAN_SQUARED_ERROR = Objective("validation:mse", metric="mse", properties=METRICS[REGRESSION]["mse"])
