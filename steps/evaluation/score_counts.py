"""Counts the rows of two classes by their score, from which every measure of their order follows.

Memory is bounded: beyond ``MOST`` distinct scores, scores are rounded down to multiples of a power of two, the largest
that leaves few enough. Rows that this makes equal count as ties, and ``auc_error`` says how far the AUC may be off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from evaluation.rows import Numbers

MOST = 1 << 18
"""The largest number of distinct scores that are kept."""

_FINEST = 40
"""The first rounding is to multiples of 2 ** -40."""

_CURVE_POINTS = 300
_TENTHS = 10
_BINS = 20

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ScoreCounts:
    """The rows of each class by score.

    Attributes:
        scores: the distinct scores, ascending.
        negatives: the rows of class 0 with each score.
        positives: the rows of class 1 with each score.
        sums: of the scores of these rows, before they were rounded.
        bits: scores are multiples of ``2 ** -bits``; None if they are not rounded.
    """

    scores: Numbers
    negatives: Counts
    positives: Counts
    sums: Numbers
    bits: int | None = None

    @property
    def auc_error(self) -> float:
        """How far the AUC may be off, at most: 0 unless scores were rounded."""
        negatives, positives = self.totals
        if self.bits is None or not negatives or not positives:
            return 0.0
        return float((self.positives.astype(np.float64) * self.negatives).sum()) / (2.0 * negatives * positives)

    @property
    def totals(self) -> tuple[int, int]:
        """The number of rows of class 0 and of class 1."""
        return int(self.negatives.sum()), int(self.positives.sum())

    def _descending(self) -> tuple[Counts, Counts]:
        """Return how many negatives and positives have at least each score, from the highest score on, after (0, 0)."""
        falsely = np.concatenate([[0], np.cumsum(self.negatives[::-1])])
        truly = np.concatenate([[0], np.cumsum(self.positives[::-1])])
        return falsely, truly

    def auc(self) -> float | None:
        """Return the area under the ROC curve: how often a row of class 1 has the higher score; ties count half.

        None if a class has no rows.
        """
        negatives, positives = self.totals
        if not negatives or not positives:
            return None
        falsely, truly = self._descending()
        area = float(np.sum(np.diff(falsely) * (truly[1:] + truly[:-1]) / 2.0))
        return area / (negatives * positives)

    def average_precision(self) -> float | None:
        """Return the mean of the precision over the positives, without interpolation; None without positives."""
        _, positives = self.totals
        if not positives:
            return None
        falsely, truly = self._descending()
        precisions = truly[1:] / np.maximum(falsely[1:] + truly[1:], 1)
        return float(np.sum(np.diff(truly) * precisions) / positives)

    def area_under_precision_recall(self) -> float | None:
        """Return the area under the precision-recall curve as XGBoost's ``aucpr``; None if a class has no rows.

        Between two points, false positives grow linearly with true positives (Davis and Goadrich, ICML 2006).
        """
        negatives, positives = self.totals
        if not negatives or not positives:
            return None
        falsely, truly = (part.astype(np.float64) for part in self._descending())
        rise = np.diff(truly)
        rising = rise > 0
        slope = np.divide(np.diff(falsely), rise, out=np.zeros_like(rise), where=rising)
        a, b = slope + 1, (falsely[:-1] - slope * truly[:-1]) / positives
        low, high = truly[:-1] / positives, truly[1:] / positives
        # A logarithm of 0 has the factor b = 0.
        with np.errstate(divide="ignore", invalid="ignore"):
            curved = (high - low - b / a * (np.log(a * high + b) - np.log(a * low + b))) / a
        areas = np.where(np.abs(b) > 1e-12, curved, (high - low) / a)
        return float(np.sum(areas[rising]))

    def curve(self, most: int = _CURVE_POINTS) -> list[dict[str, float]]:
        """Return points of the ROC curve and of the precision-recall curve, from the highest threshold on.

        Each has ``threshold`` (rows with at least this score are predicted as class 1; None predicts none), ``fpr``,
        ``tpr`` (which is the recall) and ``precision``. Of many points, half are spread evenly along the ROC curve and
        half along the precision-recall curve.
        """
        negatives, positives = self.totals
        if not negatives or not positives:
            return []
        falsely, truly = self._descending()
        fpr, tpr = falsely / negatives, truly / positives
        precision = np.where(falsely + truly > 0, truly / np.maximum(falsely + truly, 1), 1.0)
        places = np.arange(len(fpr))
        if len(places) > most:
            places = np.union1d(_spread(most // 2, fpr, tpr), _spread(most - most // 2, tpr, precision))
        thresholds = [None, *self.scores[::-1].tolist()]
        return [
            {
                "threshold": thresholds[place],
                "fpr": float(fpr[place]),
                "tpr": float(tpr[place]),
                "precision": float(precision[place]),
            }
            for place in places.tolist()
        ]

    def calibration(self) -> list[dict[str, float]]:
        """Return the rows, the mean prediction and the share of positives by tenths of the probability scale.

        A tenth without rows is left out. Its probabilities are in ``[low, high)``; the last tenth includes 1.
        """
        rows = self.negatives + self.positives
        tenth = np.clip((self.scores * _TENTHS).astype(np.int64), 0, _TENTHS - 1)
        counts, positives, sums = (
            np.bincount(tenth, weights=values, minlength=_TENTHS) for values in (rows, self.positives, self.sums)
        )
        return [
            {
                "low": place / _TENTHS,
                "high": (place + 1) / _TENTHS,
                "rows": int(counts[place]),
                "mean_prediction": float(sums[place] / counts[place]),
                "positive_rate": float(positives[place] / counts[place]),
            }
            for place in range(_TENTHS)
            if counts[place]
        ]

    def histogram(self) -> list[dict[str, Any]]:
        """Return the rows of each class by twentieths of the scores' range, which is from 0 to 1 for probabilities.

        Each has ``low``, ``high`` and ``rows``: those of class 0 and of class 1.
        """
        if not len(self.scores):
            return []
        lowest, highest = float(self.scores[0]), float(self.scores[-1])
        if lowest >= 0 and highest <= 1:
            lowest, highest = 0.0, 1.0
        width = (highest - lowest) / _BINS or 1.0
        places = np.clip(((self.scores - lowest) / width).astype(np.int64), 0, _BINS - 1)
        rows = [np.bincount(places, counts, _BINS).astype(int).tolist() for counts in (self.negatives, self.positives)]
        return [
            {"low": lowest + place * width, "high": lowest + (place + 1) * width, "rows": [own[place] for own in rows]}
            for place in range(_BINS)
        ]

    def gains(self) -> list[dict[str, float]]:
        """Return the cumulative gains by tenths of the rows, those with the highest scores first.

        ``gain`` is the share of all positives among them, and ``lift`` their positive rate relative to that of all
        rows. Of rows with equal scores, a part counts in proportion.
        """
        negatives, positives = self.totals
        if not positives:
            return []
        falsely, truly = self._descending()
        total = negatives + positives
        table = []
        for number in range(1, _TENTHS + 1):
            share = number / _TENTHS
            gain = float(np.interp(share * total, falsely + truly, truly)) / positives
            table.append({"share": share, "rows": round(share * total), "gain": gain, "lift": gain / share})
        return table


def _spread(most: int, x: Numbers, y: Numbers) -> Counts:
    """Return the places of at most so many points, evenly spread along a curve, with the first and the last."""
    length = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))])
    places = np.searchsorted(length, np.linspace(0, length[-1], most))
    return np.unique(np.append(np.clip(places[:-1], 0, len(length) - 1), len(length) - 1))


class ScoreCounter:
    """Counts rows. It sorts many at a time, which is faster than to sort each block into the others.

    Args:
        parts: counts to begin with.
        most: the largest number of distinct scores that are kept; None for ``MOST``.
    """

    def __init__(self, *parts: ScoreCounts, most: int | None = None) -> None:
        self._parts = list(parts)
        self._most = most or MOST
        self._waiting = 0

    def add(self, scores: Numbers, labels: Numbers, counts: Counts | None = None) -> None:
        """Add rows.

        Args:
            scores: of shape (n,); larger is more like class 1.
            labels: 0 or 1, of shape (n,).
            counts: how many rows each of them is; None for one.
        """
        counts = np.ones(len(scores), np.int64) if counts is None else counts
        positives = np.where(labels == 1, counts, 0)
        self._parts.append(ScoreCounts(scores, counts - positives, positives, scores * counts))
        self._waiting += len(scores)
        if self._waiting > self._most:
            self._settle()

    def __add__(self, other: ScoreCounter) -> ScoreCounter:
        """Return a counter of the rows of both."""
        return ScoreCounter(self.counts, other.counts)

    @property
    def counts(self) -> ScoreCounts:
        """The rows so far."""
        if len(self._parts) != 1 or self._waiting:
            self._settle()
        return self._parts[0]

    def _settle(self) -> None:
        self._parts, self._waiting = [_merged(self._parts, self._most)], 0


def _merged(parts: Sequence[ScoreCounts], most: int) -> ScoreCounts:
    """Return the rows of all parts."""
    if not parts:
        nothing = np.empty(0, np.int64)
        return ScoreCounts(np.empty(0), nothing, nothing, np.empty(0))
    bits = min((part.bits for part in parts if part.bits is not None), default=None)
    whole = np.concatenate([part.scores for part in parts])
    bits = _bits_of(np.sort(whole), bits, most)
    rounded = whole if bits is None else np.floor(whole * 2.0**bits) / 2.0**bits
    scores, places = np.unique(rounded, return_inverse=True)

    def summed(values: Sequence[npt.NDArray[np.number]]) -> Numbers:
        return np.bincount(places.ravel(), np.concatenate(values), len(scores)).astype(np.float64)

    negatives, positives = (
        summed(values).astype(np.int64)
        for values in ([part.negatives for part in parts], [part.positives for part in parts])
    )
    return ScoreCounts(scores, negatives, positives, summed([part.sums for part in parts]), bits)


def _bits_of(ascending: Numbers, bits: int | None, most: int) -> int | None:
    """Return how finely scores can be kept, at most as finely as ``bits``."""

    def distinct(bits: int | None) -> int:
        rounded = ascending if bits is None else np.floor(ascending * 2.0**bits)
        return int(np.count_nonzero(np.diff(rounded))) + 1

    while distinct(bits) > most:
        bits = _FINEST if bits is None else bits - 1
    return bits
