"""Learns what the preparation of columns needs: the values of categories, and the fills of missing values.

It learns from all rows, before they are dealt to folds, and from the features alone, never from the label. So the model
of a fold knows which values occur in its test set, and its medians are those of all rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from folds.columns import Declared
from folds.errors import FoldError
from folds.preparation import MEDIAN, Limits
from folds.verdicts import Judged

LEARNED_ROWS = 1 << 20
"""Up to about twice this many rows, all contribute to medians; of more rows, one in n does."""

MOST_VALUES = 1000
"""The largest number of features that one column may become."""

_MOST_COUNTED = 100_000


@dataclass
class Learned:
    """What some rows have shown.

    Attributes:
        counts: the number of rows of each text that is not missing, by column. Beyond many texts, it is incomplete.
        numbers: the numbers of numeric columns with fills, without missing values.
    """

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    numbers: dict[str, list[npt.NDArray[np.float64]]] = field(default_factory=dict)


class Learner:
    """Learns from the rows of a span.

    Args:
        declared: the columns.
        every: one row in this many contributes to medians.
    """

    def __init__(self, declared: Declared, every: int) -> None:
        preparation = declared.preparation
        self._missing = frozenset(preparation.missing_values)
        self._every, self._rows = every, 0
        counted = {*preparation.found, *preparation.filled}.difference(declared.numeric)
        self._counted = [(name, place) for place, name in enumerate(declared.needed) if name in counted]
        self._numeric = [
            (name, place) for place, name in enumerate(declared.needed) if name in {*preparation.filled} - counted
        ]
        self.learned = Learned({name: Counter() for name, _ in self._counted}, {name: [] for name, _ in self._numeric})

    def add(self, judged: Judged) -> None:
        """Add rows."""
        if not judged.rows or not (self._counted or self._numeric):
            return
        assert judged.columns is not None
        assert judged.prepared is not None
        for name, place in self._counted:
            counts = self.learned.counts[name]
            if len(counts) <= _MOST_COUNTED:
                counts.update(judged.columns[place])
        chosen = slice(-self._rows % self._every, None, self._every)
        for name, place in self._numeric:
            # Numeric columns have the same place among the needed and the prepared columns.
            both = zip(judged.columns[place][chosen], judged.prepared[place][chosen], strict=True)
            numbers = [float(number) for text, number in both if text not in self._missing]
            self.learned.numbers[name].append(np.array(numbers))
        self._rows += judged.rows


def merged(parts: Iterable[Learned]) -> Learned:
    """Return what all parts have shown together."""
    whole = Learned()
    for part in parts:
        for name, counts in part.counts.items():
            whole.counts.setdefault(name, Counter()).update(counts)
        for name, numbers in part.numbers.items():
            whole.numbers.setdefault(name, []).extend(numbers)
    return whole


def resolved(declared: Declared, learned: Learned) -> Declared:
    """Return the columns with what was learned: the values of categories, and the fills.

    Raises:
        FoldError: a column has too many values, or none.
    """
    preparation = declared.preparation
    known = {
        name: _without(counts, preparation.missing_values, declared.categorical.get(name, ()))
        for name, counts in learned.counts.items()
    }
    found = {name: _values(name, known[name], limits) for name, limits in preparation.found.items()}
    fills = {
        name: _most_frequent(name, known[name]) if name in known else _fill(name, how, learned.numbers[name])
        for name, how in preparation.filled.items()
    }
    return replace(
        declared,
        categorical={name: found.get(name, values) for name, values in declared.categorical.items()},
        preparation=replace(preparation, fills=fills),
    )


def _without(counts: Mapping[str, int], missing: Iterable[str], values: Iterable[str]) -> dict[str, int]:
    """Return the counts of the texts that are not missing values."""
    absent = {*missing} - {*values}
    return {text: count for text, count in counts.items() if text not in absent}


def _values(name: str, counts: Mapping[str, int], limits: Limits) -> list[str]:
    """Return the values that get a feature of their own, in alphabetical order."""
    if len(counts) > _MOST_COUNTED:
        raise FoldError(f"the column {name} has more than {_MOST_COUNTED} values: leave it out")
    if not counts:
        raise _only_missing(name)
    frequent = [text for text, count in counts.items() if count >= limits.min_frequency]
    most_frequent = sorted(frequent, key=lambda text: (-counts[text], text))[: limits.max_categories]
    if len(most_frequent) > MOST_VALUES:
        raise FoldError(
            f"the column {name} has {len(most_frequent)} values, and at most {MOST_VALUES} become features: set "
            f"other: true with max_categories or min_frequency in dataset.categorical.{name}, or leave the column out"
        )
    if not most_frequent:
        raise FoldError(
            f"the column {name} has no value with {limits.min_frequency} or more rows: leave it out, or lower "
            f"dataset.categorical.{name}.min_frequency"
        )
    return sorted(most_frequent)


def _most_frequent(name: str, counts: Mapping[str, int]) -> str:
    """Return the most frequent text; of equally frequent ones the first in alphabetical order."""
    if not counts:
        raise _only_missing(name)
    return min(counts, key=lambda text: (-counts[text], text))


def _only_missing(name: str) -> FoldError:
    return FoldError(f"the column {name} has only missing values: leave it out")


def _fill(name: str, how: str, parts: list[npt.NDArray[np.float64]]) -> str:
    numbers = np.concatenate(parts) if parts else np.empty(0)
    if not len(numbers):
        raise _only_missing(name)
    if how == MEDIAN:
        return f"{np.median(numbers):.15g}"
    values, counts = np.unique(numbers, return_counts=True)
    return f"{values[counts.argmax()]:.15g}"
