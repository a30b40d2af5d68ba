"""What SelectBest has found out: the chosen model, and what all rows say about models like it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from evaluation.choice import Choice
from evaluation.coefficients import Linear, coefficients_of
from evaluation.fold_models import FoldModels
from evaluation.jobs import Search
from evaluation.objective import Objective
from evaluation.points import Point
from evaluation.scoring import Scored, of_folds


@dataclass(frozen=True)
class Selection:
    """The chosen model, and all that best.json and the evaluation's files are made of.

    Attributes:
        algorithm: what trained the models.
        folds: the content of folds.json.
        rows: the number of rows of each fold.
        problem: ``regression``, ``binary`` or ``multiclass``.
        classes: the label's texts in the order of the classes; empty if the label is a number.
        search: the tuning jobs.
        points: the points that were tried.
        objective: the objective.
        choice: the chosen hyperparameters.
        fold_models: their models, one for each fold.
        scored: the results of reading all rows.
    """

    algorithm: str
    folds: dict[str, Any]
    rows: list[int]
    problem: str
    classes: list[str]
    search: Search
    points: Sequence[Point]
    objective: Objective
    choice: Choice
    fold_models: FoldModels
    scored: Scored

    @property
    def label_transform(self) -> str | None:
        """The transform of the labels on which the models were trained, or None."""
        transform: str | None = self.folds["preparation"]["label_transform"]
        return transform

    @property
    def fold_values(self) -> dict[int, float]:
        """The objective of the out-of-fold predictions by fold, in the label's unit; empty if it is not known."""
        return of_folds(self.scored.fold_metrics, self.objective.metric)

    @cached_property
    def coefficients(self) -> list[dict[str, Any]]:
        """The coefficients by feature name; empty without models, or if they are not linear."""
        linear = [model for model in self.fold_models.models if isinstance(model, Linear)]
        if not linear:
            return []
        winner = self.choice.winner
        return coefficients_of(
            self.folds["columns"]["features"],
            linear,
            self.scored.total.deviations[1:],
            None if winner is None else linear[winner.fold - 1],
            self.classes if len(self.classes) > 2 else (),
        )
