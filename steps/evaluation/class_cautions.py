"""Warns about faults of a classification that a statistician would see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import chdtrc

from evaluation.class_weighting import ClassWeighting
from evaluation.objective import Objective
from evaluation.text import number_of, some_of

_CHANCE = 0.001
"""Probability below which chance does not explain a difference."""

_IMBALANCED = 0.9
_ACCURACIES = ("accuracy", "error")
_FEWEST_IN_FOLD, _FEWEST_PER_FEATURE = 10, 10
"""Below 10 rows of the rarer class for each feature, coefficients of a logistic regression were found to be biased:
Peduzzi and others, Journal of Clinical Epidemiology 49, 1996."""

_MISCALIBRATED = 0.05


def class_cautions(
    folds: Mapping[str, Any],
    objective: Objective,
    weighting: ClassWeighting,
    out_of_fold: Mapping[str, Any],
    tables: Mapping[str, Any] | None,
) -> Iterator[str]:
    """Yield the warnings, one sentence each.

    Args:
        folds: the content of folds.json.
        objective: the objective.
        weighting: the training of the chosen model.
        out_of_fold: the metrics of the predictions; without models, the reason.
        tables: the content of classification.json, if there are models.
    """
    names, counts = folds["classes"], folds["class_rows"]
    yield from _about_rare_classes(names, counts, len(folds["folds"]), len(folds["columns"]["features"]))
    of_labels = [] if tables is None else list(_about_labels(names, tables["confusion"], objective, weighting))
    yield from of_labels or _about_accuracy(names, counts, objective)
    if not folds.get("shuffle", True):
        yield from _about_drift([fold["class_rows"] for fold in folds["folds"]])
    if tables is not None:
        yield from _about_calibration(tables.get("calibration", []), out_of_fold["rows"])


def _about_rare_classes(names: Sequence[str], counts: Sequence[int], folds: int, features: int) -> Iterator[str]:
    rarest = min(range(len(counts)), key=counts.__getitem__)
    name, count = names[rarest], counts[rarest]
    if count < _FEWEST_IN_FOLD * folds:
        yield (
            f"The class {name!r} has only {number_of(count, 'row')}, about {count / folds:.2g} in each of {folds} "
            "folds: what is said about it is uncertain."
        )
    elif count < _FEWEST_PER_FEATURE * features:
        yield (
            f"The class {name!r} has {number_of(count, 'row')} for {number_of(features, 'feature')}, fewer than "
            f"{_FEWEST_PER_FEATURE} for each: models may fit chance."
        )


def _about_labels(
    names: Sequence[str], rows: Sequence[Sequence[int]], objective: Objective, weighting: ClassWeighting
) -> Iterator[str]:
    """Warn if the predicted labels miss a class, or are right no more often than the most frequent class is."""
    table = np.asarray(rows, np.int64)
    class_rows, predicted, hits = table.sum(axis=1), table.sum(axis=0), np.diagonal(table)
    remedy = weighting.remedy(class_rows.tolist())
    missed = [name for name, own, right in zip(names, class_rows, hits, strict=True) if own and not right]
    frequent = int(class_rows.argmax())
    accuracy, share = float(hits.sum() / table.sum()), float(class_rows[frequent] / table.sum())
    if predicted.max() == table.sum():
        yield f"Every row is predicted as {names[predicted.argmax()]!r}, so the predicted labels tell nothing: {remedy}"
    elif missed:
        classes = "class" if len(missed) == 1 else "classes"
        yield f"No row of the {classes} {some_of(map(repr, missed))} is recognised (recall 0): {remedy}"
    # With the accuracy as objective, the warning about the class rates says so.
    elif accuracy <= share and not weighting.trades_accuracy and objective.metric not in _ACCURACIES:
        yield (
            f"The predicted labels have an accuracy of {accuracy:.4g}, and always saying {names[frequent]!r} has "
            f"{share:.4g}: {remedy}"
        )


def _about_accuracy(names: Sequence[str], counts: Sequence[int], objective: Objective) -> Iterator[str]:
    largest = max(range(len(counts)), key=counts.__getitem__)
    share = counts[largest] / sum(counts)
    if share >= _IMBALANCED and objective.metric in _ACCURACIES:
        yield (
            f"{share:.1%} of the rows have the class {names[largest]!r}, so {objective.title} says little: "
            "a log loss or AUC as tuning.objective tells more."
        )


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
