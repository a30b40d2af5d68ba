"""Warns about faults of the experiment that a statistician would see."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import add
from typing import Any

import numpy as np
from scipy.special import fdtrc

from evaluation.estimate import pooled
from evaluation.jobs import Search
from evaluation.models import LINEAR_LEARNER
from evaluation.moments import Moments
from evaluation.objective import Objective
from evaluation.points import Point
from evaluation.rules import LOWEST_MSE
from evaluation.text import number_of, some_of

_FEWEST_STEPS = 100
"""Steps of training below which linear-learner was seen to underfit: with 30, 342 rows end 28 % above least squares."""

_WORSE, _DROPPED, _COLLINEAR = 1.05, 0.1, 0.95
_NOTICEABLE = 1.01
_FAR_ABOVE = 10
"""From this excess on, relative to least squares, a percentage says nothing: their error may be a rounding error."""

_OUT_OF_LINE, _FAR, _FEWEST_FOLDS, _FEWEST_ROWS = 3.0, 1.2, 4, 20
_CHANCE = 0.001
"""Probability below which chance does not explain a difference."""

_OTHER_ALGORITHM = "try other hyperparameters, or a linear model."
_MORE_TRAINING = "train for more steps, or try other hyperparameters."
_FLOAT32 = 2.0**-24
_LOGGED_DIGITS = 1e-5
"""XGBoost logs its metrics with five decimals."""

_DEFAULT_BATCH, _DEFAULT_EPOCHS = 1000, 15
"""linear-learner's own."""


@dataclass(frozen=True)
class Evidence:
    """The facts behind the warnings.

    Attributes:
        search: the tuning jobs.
        points: the points that were tried.
        best: the point with the best mean.
        objective: the objective.
        value: the estimate of the chosen point.
        fold_values: the objective of the chosen point on each fold.
        constant: the objective of a constant prediction: of the mean, or of the class rates. None if it is not known.
        reference: the objective of least squares or logistic regression, or None.
        moments: the sums of each fold.
        folds: the content of folds.json.
        rule: how the point was chosen.
        algorithm: the algorithm's name.
    """

    search: Search
    points: Sequence[Point]
    best: Point | None
    objective: Objective
    value: float
    fold_values: Sequence[float]
    constant: float | None
    reference: float | None
    moments: Sequence[Moments]
    folds: Mapping[str, Any]
    rule: str
    algorithm: str = LINEAR_LEARNER

    @property
    def is_regression(self) -> bool:
        """Whether the label is a number."""
        return not self.folds.get("classes")

    @cached_property
    def total(self) -> Moments:
        """The sums over all folds."""
        return reduce(add, self.moments)


def cautions(evidence: Evidence) -> list[str]:
    """Return the warnings, one sentence each."""
    return [
        *evidence.folds.get("warnings", []),
        *_about_baselines(evidence),
        *_about_the_rule(evidence),
        *_about_the_grid(evidence),
        *_about_batches(evidence),
        *_about_folds(evidence),
        *_about_columns(evidence),
    ]


def _about_baselines(evidence: Evidence) -> Iterator[str]:
    title = evidence.objective.title
    if evidence.constant is not None and not evidence.objective.is_better(evidence.value, evidence.constant):
        what, short = ("the mean", "the mean") if evidence.is_regression else ("the class rates", "these")
        yield (
            f"The model is no better than predicting {what}: its {title} is {evidence.value:.4g}, "
            f"and that of {short} {evidence.constant:.4g}."
        )
    if evidence.reference is not None:
        yield from _about_the_reference(evidence, evidence.reference)


def _about_the_reference(evidence: Evidence, reference: float) -> Iterator[str]:
    """Warn if the model is noticeably worse than least squares or logistic regression."""
    objective = evidence.objective
    loss, own = objective.loss(reference), objective.loss(evidence.value)
    largest = max(abs(float(evidence.total.lowest[0])), abs(float(evidence.total.highest[0])))
    # Below the rounding error of the 32-bit label, no training can come nearer.
    least = (_FLOAT32 * largest) ** 2 if evidence.is_regression else 0.0
    if not own > max(_WORSE * loss, least):
        return
    name = "least squares" if evidence.is_regression else "logistic regression"
    worse = f"is {evidence.value:.4g}, which is worse than"
    if not objective.maximize:
        is_far = own - loss > _FAR_ABOVE * loss
        worse = f"is {'far' if is_far else f'{(own - loss) / loss:.0%}'} above"
    remedy = _remedy(evidence)
    yield f"The model's {objective.title} {worse} that of {name} on the same folds ({reference:.4g}): {remedy}"


def _remedy(evidence: Evidence) -> str:
    """Return what may lower an error that is above that of least squares."""
    if evidence.folds["preparation"]["label_transform"] is not None:
        return "does dataset.label_transform suit this label?"
    if _excess(evidence) is not None:
        return "see the next warning."
    return _MORE_TRAINING if evidence.algorithm == LINEAR_LEARNER else _OTHER_ALGORITHM


def _excess(evidence: Evidence) -> float | None:
    """Return how much the chosen point loses beyond the best mean, relative to that; None if not much."""
    if evidence.best is None or evidence.rule != LOWEST_MSE or len(evidence.fold_values) != len(evidence.best.values):
        return None
    rows = [fold["test_rows"] for fold in evidence.folds["folds"]]
    chosen, lowest = (evidence.objective.loss(pooled(v, rows)) for v in (evidence.fold_values, evidence.best.values))
    return chosen / lowest - 1 if chosen > _WORSE * lowest else None


def _about_the_rule(evidence: Evidence) -> Iterator[str]:
    # With a transformed label, the errors of the chosen point have another unit than those of the training jobs.
    if evidence.folds["preparation"]["label_transform"] is not None or (excess := _excess(evidence)) is None:
        return
    assert evidence.best is not None
    rules = "the selection.rules lowest_mean_mse and one_standard_error choose by all folds."
    if evidence.objective.maximize:
        yield (
            f"The chosen hyperparameters have the best {evidence.objective.title} on one fold, but over all folds "
            f"{evidence.best} is better: {rules}"
        )
    else:
        yield (
            f"The chosen hyperparameters have the lowest error on one fold, but over all folds {evidence.best} has a "
            f"lower one, by {excess / (1 + excess):.0%}: {rules}"
        )


def _about_the_grid(evidence: Evidence) -> Iterator[str]:
    if evidence.search.strategy != "Grid" or evidence.best is None:
        return
    for name in sorted(evidence.best.hyperparameters):
        numbers = {point.number(name) for point in evidence.points}
        values = sorted(number for number in numbers if not math.isnan(number))
        own = evidence.best.number(name)
        if len(values) < 2 or math.isnan(own):
            continue
        if own == values[-1] and _matters(evidence, name, values[-2]):
            yield f"The best {name} by mean, {own:g}, is the largest of the grid: try larger values."
        elif own == values[0] and own > 0 and _matters(evidence, name, values[1]):
            yield f"The best {name} by mean, {own:g}, is the smallest of the grid: try smaller values."


def _matters(evidence: Evidence, name: str, neighbour: float) -> bool:
    """Return whether the objective is noticeably worse with the edge's neighbour in the grid than at the edge."""
    assert evidence.best is not None
    rows = [fold["test_rows"] for fold in evidence.folds["folds"]]
    loss = evidence.objective.loss
    others = [
        loss(pooled(point.values, rows))
        for point in evidence.points
        if point.eligible and point.number(name) == neighbour
    ]
    return not others or min(others) > _NOTICEABLE * loss(pooled(evidence.best.values, rows))


def _about_batches(evidence: Evidence) -> Iterator[str]:
    if evidence.algorithm != LINEAR_LEARNER:
        return
    batch = int(evidence.search.static.get("mini_batch_size", _DEFAULT_BATCH))
    epochs = int(evidence.search.static.get("epochs", _DEFAULT_EPOCHS))
    rows = min(fold["train_rows"] for fold in evidence.folds["folds"])
    steps = rows // batch
    if steps * epochs < _FEWEST_STEPS:
        in_all = number_of(steps * epochs, "step")
        yield (
            f"Training takes {in_all} in all, {steps} in each of {number_of(epochs, 'epoch')}: "
            "too few to be near the best fit. Lower mini_batch_size or raise epochs."
        )
    dropped = rows - steps * batch
    if steps and dropped > _DROPPED * rows:
        yield (
            f"Each epoch leaves out {dropped} of {rows} training rows, which do not fill a batch of {batch}: "
            "lower mini_batch_size."
        )


def _about_folds(evidence: Evidence) -> Iterator[str]:
    if min(fold["test_rows"] for fold in evidence.folds["folds"]) >= _FEWEST_ROWS:
        yield from _out_of_line(evidence)
    if evidence.is_regression and not evidence.folds.get("shuffle", True):
        yield from _about_drift(evidence.moments, evidence.total)


def _out_of_line(evidence: Evidence) -> Iterator[str]:
    values, objective = evidence.fold_values, evidence.objective
    if len(values) < _FEWEST_FOLDS:
        return
    errors = [objective.loss(value) for value in values]
    middle = statistics.median(errors)
    # 1.4826 times the median deviation is the standard deviation of normal errors.
    deviation = 1.4826 * statistics.median(abs(error - middle) for error in errors)
    outside = {
        fold: value
        for fold, (value, error) in enumerate(zip(values, errors, strict=True), start=1)
        if max(error, middle) > _FAR * min(error, middle) and abs(error - middle) > _OUT_OF_LINE * deviation
    }
    if outside:
        named = some_of(f"fold {fold} with {objective.with_article} of {value:.4g}" for fold, value in outside.items())
        cause = "outliers of the label" if evidence.is_regression else "few rows of a class"
        yield (
            f"Out of line with the folds' median of {statistics.median(values):.4g}: {named}. "
            f"Look for {cause} or groups of rows there, or lower folds.count."
        )


def _about_drift(moments: Sequence[Moments], total: Moments) -> Iterator[str]:
    """Warn if the label's mean moves from fold to fold more than chance explains. The folds are in the file's order.

    This is the F test of an analysis of variance. The range of the means would grow with the number of folds.
    """
    freedom = len(moments) - 1, total.rows - len(moments)
    if freedom[1] < 1 or total.lowest[0] == total.highest[0]:
        return
    means = [float(fold.means[0]) for fold in moments]
    mean = pooled(means, [fold.rows for fold in moments])
    between = math.fsum(fold.rows * (own - mean) ** 2 for fold, own in zip(moments, means, strict=True))
    within = math.fsum(fold.rows * float(fold.deviations[0]) ** 2 for fold in moments)
    if within == 0 or fdtrc(*freedom, between / freedom[0] / (within / freedom[1])) < _CHANCE:
        yield (
            f"The label drifts in the order of the file: the folds' means reach from {min(means):.4g} to "
            f"{max(means):.4g}. Set folds.shuffle to true unless the order is time."
        )


def _about_columns(evidence: Evidence) -> Iterator[str]:
    total = evidence.total
    names = [evidence.folds["columns"]["label"], *evidence.folds["columns"]["features"]]
    constant = [name for name, low, high in zip(names, total.lowest, total.highest, strict=True) if low == high]
    if constant:
        yield f"Constant columns tell nothing: {some_of(constant)}."
    largest = np.maximum(np.abs(total.lowest), np.abs(total.highest))
    lost = (largest * _FLOAT32 > 0.01 * total.deviations) & (total.lowest < total.highest)
    if lost.any():
        columns = [name for name, is_lost in zip(names, lost, strict=True) if is_lost]
        yield (
            f"{evidence.algorithm} computes with 32-bit numbers, in which these columns lose their variation: "
            f"{some_of(columns)}. Subtract a constant from them."
        )
    if evidence.algorithm == LINEAR_LEARNER and (pairs := _collinear(total, evidence.folds)):
        yield f"Nearly collinear features, with |r| above {_COLLINEAR}: {some_of(pairs)}."


def _collinear(total: Moments, folds: Mapping[str, Any]) -> list[str]:
    """Return the pairs of collinear features, except those that encode the same column."""
    if not total.has_pairs:
        return []
    names = folds["columns"]["features"]
    column = {f"{name}_{value}": name for name, values in folds.get("encoding", {}).items() for value in values}
    correlations = total.correlations()
    places = np.argwhere(np.triu(np.abs(correlations), 1) > _COLLINEAR).tolist()
    return [
        f"{names[one]} and {names[other]} ({correlations[one, other]:.3f})"
        for one, other in places
        if names[one] not in column or column[names[one]] != column.get(names[other])
    ]


def precision_caution(double: Mapping[int, float], single: Mapping[int, float], title: str) -> list[str]:
    """Warn if 32-bit arithmetic makes the predictions' loss over 1 % worse.

    Args:
        double: the mean squared error or log loss of each fold's predictions, with 64-bit arithmetic.
        single: the same with 32-bit arithmetic.
        title: the loss's name.
    """
    worse = [fold for fold, error in double.items() if single[fold] > 1.01 * error]
    if not worse:
        return []
    return [
        f"Predictions lose precision in 32-bit numbers, as the endpoint computes them (fold {worse[0]}: {title} "
        f"{single[worse[0]]:.4g} instead of {double[worse[0]]:.4g}): scale or shift the largest columns."
    ]


def artifact_caution(
    reported: Sequence[float], scored: Mapping[int, float], objective: Objective, algorithm: str
) -> list[str]:
    """Warn if the predictions of an artifact do not have the objective that its training job reported."""
    rounding = 0.0 if algorithm == LINEAR_LEARNER else _LOGGED_DIGITS
    for fold, value in scored.items():
        own = reported[fold - 1]
        if abs(value - own) > 0.01 * abs(own) + rounding:
            have = f"have {objective.with_article} of {value:.6g}"
            return [f"Fold {fold}: the artifact's predictions {have}; its job reported {own:.6g}."]
    return []
