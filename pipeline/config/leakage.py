"""Finds columns that tell the class of every row: they may hold what is known only afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import pandas as pd

from pipeline.config.column_counts import MOST_VALUES, Column, as_numbers
from pipeline.config.profile import Profile, read_chunks
from pipeline.config.roles import IGNORED, Role

_FEWEST_ROWS, _FEWEST_ROWS_A_VALUE = 20, 5
"""With fewer rows, a column may tell all classes by chance."""


def telling_columns(profile: Profile, roles: Mapping[str, Role]) -> list[str]:
    """Return the columns by each of which alone every row's class can be told, without an error.

    Those are numbers whose ranges in the classes do not overlap, and categories of which each value has one class.

    Args:
        profile: the file.
        roles: the roles of its columns by name; that of the label has the classes.
    """
    names = [column.name for column in profile.columns]
    label = next(column.name for column in profile.columns if roles.get(column.name, IGNORED).name == "label")
    classes = roles[label].values or ()
    seen = [_Seen(column) for column in profile.columns if _can_be_told(column, roles.get(column.name, IGNORED))]
    if not seen or not profile.is_decoded or len(set(names)) < len(names):
        return []
    for chunk in read_chunks(profile.path, profile.form, names):
        rows = chunk[chunk[label].isin(classes)]
        for each in seen:
            each.add(rows[each.column.name], rows[label], profile.form.decimal)
        seen = [each for each in seen if each.tells()]
    return [each.column.name for each in seen if each.is_enough()]


class _Range(NamedTuple):
    lowest: float
    highest: float


def _can_be_told(column: Column, role: Role) -> bool:
    if column.known < _FEWEST_ROWS:
        return False
    if role.name == "numeric":
        return column.numbers == column.known
    few = min(MOST_VALUES, column.known / _FEWEST_ROWS_A_VALUE)
    return role.name == "categorical" and column.is_counted and len(column.counts) <= few


@dataclass
class _Seen:
    """What has been seen of a column: of each class its range, or of each value its classes."""

    column: Column
    _ranges: dict[str, _Range] = field(default_factory=dict)
    _classes: dict[str, set[str]] = field(default_factory=dict)

    @property
    def _is_numeric(self) -> bool:
        return self.column.numbers == self.column.known

    def add(self, texts: pd.Series[str], labels: pd.Series[str], decimal: str) -> None:
        if not self._is_numeric:
            for text, label in set(zip(texts, labels, strict=True)):
                if text not in self.column.missing_texts:
                    self._classes.setdefault(text, set()).add(label)
            return
        numbers = pd.Series(as_numbers(texts, decimal), texts.index)
        found = numbers.groupby(labels).agg(["min", "max"]).dropna()
        for label, lowest, highest in found.itertuples():
            known = self._ranges.get(label, _Range(lowest, highest))
            self._ranges[label] = _Range(min(known.lowest, lowest), max(known.highest, highest))

    def tells(self) -> bool:
        """Return whether the rows so far can be told apart."""
        if self._is_numeric:
            return all(first.highest < second.lowest for first, second in pairwise(sorted(self._ranges.values())))
        return all(len(classes) == 1 for classes in self._classes.values())

    def is_enough(self) -> bool:
        """Return whether more than one class has been seen."""
        return len(self._ranges) > 1 or len(set().union(*self._classes.values())) > 1
