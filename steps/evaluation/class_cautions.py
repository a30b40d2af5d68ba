"""Warns about faults of a classification that a statistician would see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import chdtrc

from evaluation.objective import Objective

_CHANCE = 0.001
"""Probability below which chance does not explain a difference."""

_IMBALANCED = 0.9
_FEWEST_IN_FOLD, _FEWEST_PER_FEATURE = 10, 10
"""Below 10 rows of the rarer class for each feature, coefficients of a logistic regression were found to be biased:
Peduzzi and others, Journal of Clinical Epidemiology 49, 1996."""

_MISCALIBRATED = 0.05


def class_cautions(
    folds: Mapping[str, Any], objective: Objective, out_of_fold: Mapping[str, Any], tables: Mapping[str, Any] | None
) -> Iterator[str]:
    """Yield the warnings, one sentence each.

    Args:
        folds: the content of folds.json.
        objective: the objective.
        out_of_fold: the metrics of the predictions; without models, the reason.
        tables: the content of classification.json, if there are models.
    """
    names, counts = folds["classes"], folds["class_rows"]
    yield from _about_rare_classes(names, counts, len(folds["folds"]), len(folds["columns"]["features"]))
    largest = max(range(len(counts)), key=counts.__getitem__)
    share = counts[largest] / sum(counts)
    if share >= _IMBALANCED and objective.metric in ("accuracy", "error"):
        yield (
            f"{share:.1%} of the rows have the class {names[largest]!r}, so {objective.title} says little: "
            "a log loss or AUC as tuning.objective tells more."
        )
    if not folds.get("shuffle", True):
        yield from _about_drift([fold["class_rows"] for fold in folds["folds"]])
    if tables is not None:
        yield from _about_predictions(names, tables["confusion"])
        yield from _about_calibration(tables.get("calibration", []), out_of_fold["rows"])


def _about_rare_classes(names: Sequence[str], counts: Sequence[int], folds: int, features: int) -> Iterator[str]:
    rarest = min(range(len(counts)), key=counts.__getitem__)
    name, count = names[rarest], counts[rarest]
    if count < _FEWEST_IN_FOLD * folds:
        yield (
            f"The class {name!r} has only {count} rows, about {count / folds:.2g} in each of {folds} folds: "
            "what is said about it is uncertain."
        )
    elif count < _FEWEST_PER_FEATURE * features:
        yield (
            f"The class {name!r} has {count} rows for {features} features, fewer than {_FEWEST_PER_FEATURE} for each: "
            "models may fit chance."
        )


def _about_predictions(names: Sequence[str], table: Sequence[Sequence[int]]) -> Iterator[str]:
    predicted = [sum(column) for column in zip(*table, strict=True)]
    never = [name for name, count in zip(names, predicted, strict=True) if not count]
    if len(never) == len(names) - 1:
        only = next(name for name in names if name not in never)
        yield f"Every row is predicted as {only!r}: the predicted labels tell nothing, whatever the scores do."
    elif never:
        listed = ", ".join(map(repr, never[:5]))
        yield f"Never predicted: {listed}{f' and {len(never) - 5} more' if len(never) > 5 else ''}."


def _about_calibration(tenths: Sequence[Mapping[str, float]], rows: int) -> Iterator[str]:
    """Warn if probabilities are off by more than chance explains.

    This is the test of Hosmer and Lemeshow on rows that the models did not see, by tenths of the probability scale.
    """
    gaps = [(tenth["rows"], tenth["positive_rate"] - tenth["mean_prediction"]) for tenth in tenths]
    off = sum(count * abs(gap) for count, gap in gaps) / rows
    if off <= _MISCALIBRATED:
        return
    expected = [max(t["mean_prediction"] * (1 - t["mean_prediction"]), 1e-12) for t in tenths]
    statistic = sum(count * gap**2 / size for (count, gap), size in zip(gaps, expected, strict=True))
    if chdtrc(len(tenths), statistic) < _CHANCE:
        yield (
            f"The probabilities are off by {off:.2g} on average: compare mean_prediction with positive_rate in "
            "classification.json before using them as probabilities."
        )


def _about_drift(class_rows: Sequence[Sequence[int]]) -> Iterator[str]:
    """Warn if the classes' shares move from fold to fold more than chance explains: Pearson's chi-squared test."""
    table = np.asarray(class_rows, np.float64)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    statistic = float(np.sum((table - expected) ** 2 / expected))
    if chdtrc((table.shape[0] - 1) * (table.shape[1] - 1), statistic) < _CHANCE:
        yield (
            "The classes drift in the order of the file: their shares differ from fold to fold. Set folds.shuffle to "
            "true unless the order is time."
        )
