"""The objectives that SageMaker's algorithms have for a problem, with their directions.

Sources: the developer guide, "Tune a linear learner model" and "Tune an XGBoost model".
"""

from __future__ import annotations

from collections.abc import Mapping, Sized
from math import inf
from typing import Final, Literal

from definition_language.linear_learner import BINARY, MULTICLASS, REGRESSOR
from definition_language.linear_learner_metrics import OBJECTIVES_BY_TYPE
from definition_language.xgboost import TUNING_OBJECTIVES

Problem = Literal["regression", "binary", "multiclass"]
Direction = Literal["Minimize", "Maximize"]


def _validated(directions: Mapping[str, str], *metrics: str) -> dict[str, Direction]:
    names = [f"validation:{metric}" for metric in metrics]
    return {name: "Minimize" if directions[name] == "Minimize" else "Maximize" for name in names}


OBJECTIVES: Final[Mapping[str, Mapping[Problem, Mapping[str, Direction]]]] = {
    "linear-learner": {
        # Not objective_loss: with a normalised label, it is not in the label's unit.
        "regression": _validated(OBJECTIVES_BY_TYPE[REGRESSOR], "mse", "rmse", "absolute_loss"),
        "binary": _validated(
            OBJECTIVES_BY_TYPE[BINARY],
            *("objective_loss", "roc_auc_score", "binary_classification_accuracy", "binary_f_beta", "precision"),
            "recall",
        ),
        "multiclass": _validated(
            OBJECTIVES_BY_TYPE[MULTICLASS],
            *("objective_loss", "multiclass_accuracy", "multiclass_top_k_accuracy", "dcg", "macro_f_beta"),
            *("macro_precision", "macro_recall"),
        ),
    },
    "xgboost": {
        "regression": _validated(TUNING_OBJECTIVES, "mse", "rmse", "mae", "mape", "rmsle", "r2"),
        "binary": _validated(
            TUNING_OBJECTIVES,
            *("logloss", "auc", "aucpr", "accuracy", "balanced_accuracy", "error", "f1", "f1_binary", "precision"),
            "recall",
        ),
        "multiclass": _validated(
            TUNING_OBJECTIVES,
            *("mlogloss", "accuracy", "balanced_accuracy", "merror", "f1", "f1_macro", "precision_macro"),
            *("precision_micro", "recall_macro", "recall_micro"),
        ),
    },
}
"""Names and directions by algorithm and problem. The first one is this project's default."""

_LOSSES: Final = frozenset(
    {"absolute_loss", "dcg", "logloss", "mae", "mape", "mlogloss", "mse", "objective_loss", "rmse", "rmsle"}
)


def problem_of(classes: Sized) -> Problem:
    """Return the problem of a label with these classes; without classes, the label is a number."""
    if not len(classes):
        return "regression"
    return "binary" if len(classes) == 2 else "multiclass"


def bounds(metric: str) -> tuple[float, float]:
    """Return the least and the largest value that a metric can have.

    Args:
        metric: the metric without its channel, for example ``auc``.
    """
    if metric == "r2":
        return -inf, 1.0
    return (0.0, inf) if metric in _LOSSES else (0.0, 1.0)
