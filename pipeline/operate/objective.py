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

    @property
    def extreme(self) -> str:
        """How the best value is called: lowest or highest."""
        return "lowest" if self.minimizes else "highest"

    @property
    def starts_sentence(self) -> str:
        """The title with a capital."""
        return self.title[:1].upper() + self.title[1:]


_NUMBER_BASELINES = {"mean": "Predicting the mean", "least_squares": "Least squares"}
_CLASS_BASELINES = {"constant": "Class rates", "logistic_regression": "Logistic regression"}

METRIC_TITLES = {
    "mse": "MSE",
    "rmse": "RMSE",
    "mae": "MAE",
    "median_absolute_error": "Median absolute error",
    "r2": "R2",
    "logloss": "Log loss",
    "mlogloss": "Log loss",
    "auc": "AUC",
    "average_precision": "Average precision",
    "brier": "Brier score",
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "f1": "F1",
    "precision": "Precision",
    "recall": "Recall",
    "f1_macro": "Macro F1",
    "precision_macro": "Macro precision",
    "recall_macro": "Macro recall",
}
"""The titles of the metrics of predictions out of fold that people are shown, in this order."""

CLASS_METRICS = ("auc", "accuracy", "f1", "f1_macro")
"""The few of them that sum up a model of classes, in this order."""


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


def own_value_of(document: Mapping[str, Any]) -> float | None:
    """Return the value of ``best.json``, a training job or a kept estimate; None if there is none.

    As in an estimate of ``best.json``, its name was ``mse`` before there were other objectives.
    """
    value: float | None = document["value"] if "value" in document else document.get("mse")
    return value


def fold_values_of(estimate: Mapping[str, Any]) -> list[float]:
    """Return the values of the chosen hyperparameters on the folds; empty if they are not known."""
    values: list[float] = estimate.get("fold_values", estimate.get("fold_mse", []))
    return values


def baselines_of(best: Mapping[str, Any]) -> dict[str, float]:
    """Return the objective on the same folds of models without tuning, by their titles; those that are known."""
    titles = _CLASS_BASELINES if best.get("classes") else _NUMBER_BASELINES
    known = {title: best["baselines"].get(name) for name, title in titles.items()}
    return {title: float(value) for title, value in known.items() if value is not None}
