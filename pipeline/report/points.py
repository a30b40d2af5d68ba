"""The points that the search tried, with their errors on the folds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pipeline.operate.objective import ObjectiveMetric
from pipeline.report.numbers import spread, tuned

_MOST_VALUES = 8
"""The values of a hyperparameter up to which a heat map has room for numbers in its cells."""


@dataclass(frozen=True)
class Points:
    """The points that have the objective on each fold, the best first.

    Attributes:
        ranked: rows of ``cv_results.json`` with a rank; at least one.
        objective: the metric of these rows.
    """

    ranked: Sequence[dict[str, Any]]
    objective: ObjectiveMetric

    @property
    def mean(self) -> str:
        """The name of the means in ``table``, for example ``mean_mse``."""
        return f"mean_{self.objective.column}"

    @cached_property
    def names(self) -> list[str]:
        """The tuned hyperparameters, those with more than one value first."""
        return sorted(
            self.ranked[0]["params"], key=lambda name: (len(self.values(name)) < 2, name != "learning_rate", name)
        )

    def values(self, name: str) -> list[float]:
        """Return the values of a hyperparameter, in order; none if one of them is no number."""
        try:
            return sorted({float(row["params"][name]) for row in self.ranked})
        except (KeyError, ValueError):
            return []

    @cached_property
    def axes(self) -> list[str]:
        """The two hyperparameters that the pictures show, or one."""
        return [name for name in self.names if self.values(name)][:2]

    @property
    def is_grid(self) -> bool:
        """Whether the points are all combinations of few values of at most two hyperparameters.

        Others may have been searched, with one value.
        """
        counts = [count for count in (len(self.values(name)) for name in self.names) if count != 1]
        return len(counts) <= 2 and max(counts, default=0) <= 2 * _MOST_VALUES and math.prod(counts) == len(self.ranked)

    @property
    def has_room(self) -> bool:
        """Whether the cells of a heat map have room for numbers."""
        return all(len(self.values(name)) <= _MOST_VALUES for name in self.axes)

    @cached_property
    def table(self) -> list[dict[str, Any]]:
        """The points: hyperparameters, mean, paired standard error, whether it was chosen, value of each fold.

        The standard error is that of the difference to the point with the best mean, fold by fold.
        """
        best = _folds(self.ranked[0])
        return [
            {
                **{name: tuned(row["params"][name]) for name in self.names},
                self.mean: row[f"mean_test_{self.objective.column}"],
                "standard_error": spread([own - other for own, other in zip(_folds(row), best, strict=True)]),
                "chosen": row["chosen"],
                **{f"fold_{fold}": value for fold, value in enumerate(_folds(row), start=1)},
            }
            for row in self.ranked
        ]

    def edges(self) -> list[str]:
        """Return where the point with the best mean lies at the edge of what was tried."""
        found = []
        for name in self.axes:
            values, own = self.values(name), float(self.ranked[0]["params"][name])
            if len(values) > 1 and own in (values[0], values[-1]) and own > 0:
                found.append(f"the {'smallest' if own == values[0] else 'largest'} {name}, {own:g}")
        return found


def _folds(row: dict[str, Any]) -> list[float]:
    return [row[name] for name in row if name.startswith("split")]
