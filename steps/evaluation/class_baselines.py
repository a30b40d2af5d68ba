"""What classifiers that need no tuning reach on the same folds: the class rates, and logistic regression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from evaluation.class_sums import ClassSums
from evaluation.estimate import pooled
from evaluation.logistic_regression import MOST_NUMBERS, TrainingTables, fold_sums
from evaluation.objective import Objective


def constant_sums(class_rows: Sequence[Sequence[int]]) -> list[ClassSums]:
    """Return for each fold the sums over its rows, predicted by the class rates of the other folds.

    The predicted class is the most frequent one of the other folds; of equally frequent ones the first.

    Args:
        class_rows: the number of rows of each class in each fold, of shape (folds, classes).
    """
    table = np.asarray(class_rows, np.int64)
    return [_constant(own, table.sum(axis=0) - own) for own in table]


def _constant(own: npt.NDArray[np.int64], rest: npt.NDArray[np.int64]) -> ClassSums:
    classes = len(own)
    rates = rest / rest.sum()
    predictions = np.full(classes, rates[1]) if classes == 2 else np.tile(rates, (classes, 1))
    sums = ClassSums(classes)
    sums.add(np.arange(classes, dtype=np.float64), predictions, np.full(classes, float(rest.argmax())), own)
    return sums


def class_baselines(
    folds: Sequence[dict[str, Any]], tables: TrainingTables | None, objective: Objective
) -> dict[str, Any]:
    """Return the baselines for best.json, in the objective's metric, as the estimate averages it over the folds.

    Args:
        folds: the folds of folds.json.
        tables: the rows of all folds for logistic regression.
        objective: the objective.

    Returns:
        ``constant`` and ``logistic_regression``; of one that is None, ``missing`` gives the reason.
    """
    rows = [fold["test_rows"] for fold in folds]
    if objective.metric is None:
        reason = f"{objective.name} is not computed here"
        return {"constant": None, "logistic_regression": None, "missing": dict.fromkeys(_NAMES, reason)}
    sums = {"constant": constant_sums([fold["class_rows"] for fold in folds])}
    missing = {}
    if tables is None or tables.is_too_large:
        missing["logistic_regression"] = f"rows times features are above {MOST_NUMBERS}"
    else:
        sums["logistic_regression"] = [own for _, own in sorted(fold_sums(tables).items())]
    found: dict[str, Any] = dict.fromkeys(_NAMES)
    for name, of_folds in sums.items():
        values = [own.metrics()[objective.metric] for own in of_folds]
        known = [value for value in values if value is not None]
        if len(known) == len(rows):
            found[name] = pooled(known, rows)
        else:
            missing[name] = f"a fold lacks a class, so that {objective.title} is not defined there"
    return found | ({"missing": missing} if missing else {})


_NAMES = ("constant", "logistic_regression")
