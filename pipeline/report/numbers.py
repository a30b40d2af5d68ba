"""Numbers as the page shows them, and the intervals of means over folds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from scipy.special import stdtrit

_CONFIDENCE = 0.95


def short(value: float) -> str:
    """Return a number with four digits, or all digits before the point."""
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e12 else f"{value:.4g}"


def tuned(value: str) -> str:
    """Return a hyperparameter as a short number; text stays as it is."""
    try:
        return f"{float(value):.4g}"
    except ValueError:
        return value


def spread(values: Sequence[float]) -> float:
    """Return the standard error of a mean over folds, corrected for the training rows that they share.

    It is the correction of Nadeau and Bengio, see docs/selection.md.
    """
    folds = len(values)
    return statistics.stdev(values) * math.sqrt(1 / folds + 1 / (folds - 1))


def reach(values: Sequence[float]) -> float:
    """Return half the length of the approximate 95 % interval of a mean over folds."""
    return float(stdtrit(len(values) - 1, (1 + _CONFIDENCE) / 2)) * spread(values)
