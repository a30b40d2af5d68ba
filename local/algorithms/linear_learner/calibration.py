"""Choose a binary classifier's threshold, and measure the criterion that chooses among models.

Source: Amazon SageMaker developer guide, ``binary_classifier_model_selection_criteria``. Which of several equally
good thresholds is chosen is not documented; see ``docs/linear-learner.md``.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from local.algorithms.linear_learner.choices import THRESHOLD
from local.algorithms.linear_learner.hyperparameters import Hyperparameters

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """Holds the best threshold of a model on a sample.

    Attributes:
        value: The criterion's value, from 0 to 1. More is better.
        threshold: The threshold. A row with at least this score has the predicted label 1.
    """

    value: float
    threshold: float


def criterion_values(shared: Hyperparameters, scores: Array, labels: Array) -> Array:
    """Return each model's value of the criterion, with its own best threshold.

    Args:
        shared: The hyperparameters, which name the criterion.
        scores: The scores, of shape (rows, models). Only their order counts.
        labels: The labels, 0 or 1, of shape (rows,).

    Returns:
        The values, of shape (models,). 0 for a model with a score that is not a number.
    """
    positive = labels == 1
    values = np.zeros(scores.shape[1])
    for model, column in enumerate(scores.T):
        if not np.isnan(column).any():
            values[model] = _Candidates(column, positive).criterion(shared).max()
    return values


def calibrate(shared: Hyperparameters, scores: Array, labels: Array) -> Calibration:
    """Return the threshold with the best value of the criterion.

    Of several, it is the one closest to 1/2, and of two the lower one. If no threshold reaches the target precision,
    it is the one with the highest precision.

    Args:
        shared: The hyperparameters, which name the criterion.
        scores: One model's scores as its artifact gives them, of shape (rows,).
        labels: The labels, 0 or 1, of shape (rows,).
    """
    candidates = _Candidates(scores, labels == 1)
    values = candidates.criterion(shared)
    best = float(values.max())
    if best == 0 and shared.binary_classifier_model_selection_criteria == "recall_at_target_precision":
        values = candidates.precision
    thresholds = candidates.thresholds(np.flatnonzero(values == values.max()))
    first = np.lexsort((thresholds, np.abs(thresholds - THRESHOLD)))[0]
    return Calibration(best, float(thresholds[first]))


class _Candidates:
    """The thresholds that can be best: each positive row's score, and infinity, with which no row is positive.

    Between two neighbouring positive rows, a lower threshold only adds false positives.
    """

    def __init__(self, scores: Array, positive: npt.NDArray[np.bool_]) -> None:
        self._positives, self._negatives = np.sort(scores[positive]), np.sort(scores[~positive])
        self._scores = np.append(self._positives, np.inf)
        self._positives_below = np.searchsorted(self._positives, self._scores)
        self._negatives_below = np.searchsorted(self._negatives, self._scores)
        self._true_positives = len(self._positives) - self._positives_below
        self._false_positives = len(self._negatives) - self._negatives_below

    @property
    def precision(self) -> Array:
        """The share of predicted positives that are positive; 0 if none is predicted."""
        precision: Array = self._true_positives / np.maximum(self._true_positives + self._false_positives, 1)
        return precision

    @property
    def recall(self) -> Array:
        """The share of positives that are predicted; 0 if there are none."""
        return self._true_positives / max(len(self._positives), 1)

    def criterion(self, shared: Hyperparameters) -> Array:
        """Return the criterion's value with each candidate."""
        match shared.binary_classifier_model_selection_criteria:
            case "accuracy":
                right = self._true_positives + self._negatives_below
                accuracy: Array = right / (len(self._positives) + len(self._negatives))
                return accuracy
            case "f_beta":
                square = shared.f_beta**2
                # The harmonic mean as counts: its denominator is beta^2 times the positives, plus the predicted ones.
                counts = square * len(self._positives) + self._true_positives + self._false_positives
                f_beta: Array = (1 + square) * self._true_positives / np.maximum(counts, np.finfo(float).tiny)
                return f_beta
            case "precision_at_target_recall":
                return self.precision * (self.recall >= shared.target_recall)
            case _:
                return self.recall * (self.precision >= shared.target_precision)

    def thresholds(self, candidates: npt.NDArray[np.int_]) -> Array:
        """Return a threshold for each candidate that separates it from all lower scores.

        It is 1/2 if 1/2 does so, else the middle between the candidate and the next lower score.
        """
        upper, lower = self._scores[candidates], np.full(len(candidates), -np.inf)
        for scores, below in ((self._positives, self._positives_below), (self._negatives, self._negatives_below)):
            counts = below[candidates]
            if len(scores):
                lower = np.maximum(lower, np.where(counts > 0, scores[counts - 1], -np.inf))
        # Beside the lowest and the highest score there is nothing to be in the middle of.
        beside = np.where(np.isinf(upper), _next_float32(lower, np.inf), _next_float32(upper, -np.inf))
        with np.errstate(invalid="ignore"):
            middle = (lower + upper) / 2
        separate = np.where(np.isfinite(middle), middle, beside)
        return np.where((lower < THRESHOLD) & (upper >= THRESHOLD), THRESHOLD, separate)


def _next_float32(values: Array, towards: float) -> Array:
    """Return the next number that a score, a float32, can be."""
    return np.nextafter(values.astype(np.float32), np.float32(towards)).astype(np.float64)
