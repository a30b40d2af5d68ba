"""The metrics that are computed here, and which of them is a tuning job's objective.

Formulas of classification: https://scikit-learn.org/stable/modules/model_evaluation.html, and for ``logloss``,
``mlogloss``, ``aucpr``, ``mape`` and ``rmsle`` XGBoost's src/metric (``aucpr`` interpolates as Davis and Goadrich do,
ICML 2006).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

REGRESSION, BINARY, MULTICLASS = "regression", "binary", "multiclass"


@dataclass(frozen=True)
class Metric:
    """A metric.

    Attributes:
        low: its lowest possible value.
        high: its highest possible value.
        maximize: whether larger is better.
        averages_rows: whether it is a mean over rows. Then the folds' mean, weighted by their rows, is its value over
            all rows. Of another metric, for example AUC, that mean is only a mean.
    """

    low: float = 0.0
    high: float = 1.0
    maximize: bool = True
    averages_rows: bool = False


_SHARE = Metric(averages_rows=True)
_ERROR = Metric(maximize=False, averages_rows=True)
_LOSS = Metric(high=math.inf, maximize=False, averages_rows=True)
_SCORE = Metric()

METRICS: Mapping[str, Mapping[str, Metric]] = {
    REGRESSION: {
        "mse": _LOSS,
        "rmse": Metric(high=math.inf, maximize=False),
        "mae": _LOSS,
        "mape": _LOSS,
        "rmsle": Metric(high=math.inf, maximize=False),
        "r2": Metric(low=-math.inf),
    },
    BINARY: {
        "logloss": _LOSS,
        "brier": _ERROR,
        "error": _ERROR,
        "accuracy": _SHARE,
        "balanced_accuracy": _SCORE,
        "auc": _SCORE,
        "aucpr": _SCORE,
        "average_precision": _SCORE,
        "f1": _SCORE,
        "f1_macro": _SCORE,
        "precision": _SCORE,
        "precision_macro": _SCORE,
        "recall": _SCORE,
        "recall_macro": _SCORE,
    },
    MULTICLASS: {
        "mlogloss": _LOSS,
        "error": _ERROR,
        "accuracy": _SHARE,
        "balanced_accuracy": _SCORE,
        "f1_macro": _SCORE,
        "precision_macro": _SCORE,
        "recall_macro": _SCORE,
    },
}
"""The metrics that are computed out of fold, by problem."""

_XGBOOST: Mapping[str, Mapping[str, str]] = {
    REGRESSION: {name: name for name in ("mse", "rmse", "mae", "mape", "rmsle", "r2")},
    BINARY: {
        **{name: name for name in ("logloss", "error", "accuracy", "balanced_accuracy", "auc", "aucpr", "f1_macro")},
        **{name: name for name in ("precision", "precision_macro", "recall", "recall_macro")},
        # The container's f1 is a mean over the classes.
        "f1": "f1_macro",
        "f1_binary": "f1",
        "precision_micro": "accuracy",
        "recall_micro": "accuracy",
    },
    MULTICLASS: {
        **{name: name for name in ("mlogloss", "accuracy", "balanced_accuracy", "f1_macro")},
        **{name: name for name in ("precision_macro", "recall_macro")},
        "f1": "f1_macro",
        "merror": "error",
        "precision_micro": "accuracy",
        "recall_micro": "accuracy",
    },
}
_LINEAR_LEARNER: Mapping[str, Mapping[str, str]] = {
    REGRESSION: {"mse": "mse", "rmse": "rmse", "absolute_loss": "mae"},
    BINARY: {
        "binary_classification_accuracy": "accuracy",
        "roc_auc_score": "auc",
        "precision": "precision",
        "recall": "recall",
    },
    MULTICLASS: {
        "multiclass_accuracy": "accuracy",
        "macro_recall": "recall_macro",
        "macro_precision": "precision_macro",
    },
}
_BY_ALGORITHM = {"xgboost": _XGBOOST, "linear-learner": _LINEAR_LEARNER}

_PLAIN_LOSSES = {
    REGRESSION: ("mse", ("auto", "squared_loss")),
    BINARY: ("logloss", ("auto", "logistic")),
    MULTICLASS: ("mlogloss", ("auto", "softmax_loss")),
}


def computed_metric(algorithm: str, problem: str, objective: str, hyperparameters: Mapping[str, str]) -> str | None:
    """Return the name in ``METRICS`` of a tuning job's objective, or None if that is not computed here.

    Args:
        algorithm: the algorithm's name.
        problem: ``regression``, ``binary`` or ``multiclass``.
        objective: the objective's name, for example ``validation:auc``.
        hyperparameters: those of the training jobs, because linear-learner's objectives depend on them.
    """
    name = objective.partition(":")[2]
    if algorithm == "linear-learner":
        if name == "objective_loss":
            return _loss(problem, hyperparameters)
        if name in ("binary_f_beta", "macro_f_beta"):
            f1 = "f1" if problem == BINARY else "f1_macro"
            return f1 if float(hyperparameters.get("f_beta", 1)) == 1 else None
    return _BY_ALGORITHM.get(algorithm, {}).get(problem, {}).get(name)


def _loss(problem: str, hyperparameters: Mapping[str, str]) -> str | None:
    """Return the metric that linear-learner's ``objective_loss`` is, unless another loss or weights were asked for."""
    metric, losses = _PLAIN_LOSSES[problem]
    is_weighted = (
        hyperparameters.get("positive_example_weight_mult", "1.0") not in ("1", "1.0")
        or hyperparameters.get("balance_multiclass_weights", "false").lower() == "true"
    )
    return metric if hyperparameters.get("loss", "auto") in losses and not is_weighted else None
