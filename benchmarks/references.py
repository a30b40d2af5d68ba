"""Cross-validates an estimator of scikit-learn on the folds that an execution made."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SCORERS: Mapping[str, str] = {
    "mse": "neg_mean_squared_error",
    "logloss": "neg_log_loss",
    "mlogloss": "neg_log_loss",
    "auc": "roc_auc",
}
"""scikit-learn's name of a metric. With the prefix ``neg``, it is the metric's negative."""

_XGBOOST_NAMES = {"num_round": "n_estimators", "eta": "learning_rate"}


def reference_values(
    folds: Path, algorithm: str, problem: str, metric: str, hyperparameters: Mapping[str, str]
) -> list[float]:
    """Return a metric on each fold, of an estimator that learned from the other folds.

    Args:
        folds: the folder that MakeFolds wrote, in the layout ``folders``.
        algorithm: ``xgboost``, or ``linear-learner``, for which ``nearest_linear_model`` says the estimator.
        problem: ``regression``, ``binary`` or ``multiclass``.
        metric: one of SCORERS.
        hyperparameters: those of the training jobs that are not the algorithm's defaults.
    """
    from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415 - scikit-learn takes a second to import
    from sklearn.model_selection import cross_validate  # noqa: PLC0415

    tables = [_table(folder) for folder in sorted(folds.glob("vc*/test"), key=lambda one: int(one.parent.name[2:]))]
    rows = np.concatenate(tables)
    ends = np.cumsum([len(table) for table in tables])
    places = np.arange(len(rows))
    tests = [places[end - len(table) : end] for table, end in zip(tables, ends, strict=True)]
    # The files of a training set are those of the other folds, in their order.
    splits = [(np.setdiff1d(places, test), test) for test in tests]
    estimator = (xgboost_model if algorithm == "xgboost" else nearest_linear_model)(
        problem, hyperparameters, len(rows) - len(tables[0])
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        scores = cross_validate(estimator, rows[:, 1:], rows[:, 0], cv=splits, scoring=SCORERS[metric])["test_score"]
    return [-float(score) if SCORERS[metric].startswith("neg") else float(score) for score in scores]


def xgboost_model(problem: str, hyperparameters: Mapping[str, str], _rows: int) -> Any:
    """Return the library's own estimator with the same parameters."""
    import xgboost  # noqa: PLC0415

    parameters = {_XGBOOST_NAMES.get(name, name): json.loads(value) for name, value in hyperparameters.items()}
    return (xgboost.XGBRegressor if problem == "regression" else xgboost.XGBClassifier)(n_jobs=1, **parameters)


def nearest_linear_model(problem: str, hyperparameters: Mapping[str, str], rows: int) -> Any:
    """Return the estimator that minimises what linear-learner minimises, the mean loss plus l1 times the sum of |w|.

    Features, and the label of regression, are standardised as linear-learner does. Its other hyperparameters say how
    it approaches the minimum, and have no counterpart.

    Args:
        problem: as above.
        hyperparameters: ``l1`` counts.
        rows: the number of training rows.
    """
    from sklearn.compose import TransformedTargetRegressor  # noqa: PLC0415
    from sklearn.linear_model import Lasso, LogisticRegression  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    penalty = float(hyperparameters["l1"])
    if problem == "regression":
        # Lasso has half of the squared loss.
        model = make_pipeline(StandardScaler(), Lasso(alpha=penalty / 2, max_iter=20_000))
        return TransformedTargetRegressor(model, transformer=StandardScaler())
    model = LogisticRegression(l1_ratio=1, C=1 / (penalty * rows), solver="saga", max_iter=20_000, random_state=0)
    return make_pipeline(StandardScaler(), model)


def _table(folder: Path) -> NDArray[np.float64]:
    parts = [np.loadtxt(file, delimiter=",", ndmin=2) for file in sorted(folder.glob("*.csv"))]
    return np.concatenate(parts)
