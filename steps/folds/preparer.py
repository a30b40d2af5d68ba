"""Prepares the columns of rows, before they are judged and encoded.

The counting pass finds what is learned from the data (see ``learning``): the values of categories and the fills of
missing values. Until then, placeholders stand for them, so that rows can be judged.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from folds.columns import Declared
from folds.preparation import DROP, LOG1P, Dates

Column = Sequence[str]

_DIGITS = 200
"""The maximum number of digits before the point. With a two-digit exponent a number then stays below the largest
double, 1.8e308."""

NUMBER = (
    rf"[+-]?(?:[0-9]{{1,{_DIGITS}}}(?:\.[0-9]*)?|\.[0-9]+)"
    r"(?:[eE](?:-[0-9]{1,3}|\+?(?:0[0-9]{2}|[0-9]{1,2})))?"
)
_NUMBER = re.compile(NUMBER)

_UNLISTED = "\0"
"""Stands for a value that has no feature of its own. No text has this character."""

_FROM_COMMA = str.maketrans({",": ".", ".": "_"})
"""A point beside decimal commas separates thousands: as a number it would be wrong by a factor of 1000."""


class Preparer:
    """Prepares the needed columns of rows.

    Attributes:
        sources: for each prepared column its place among the needed columns.
        categories: the valid texts of each prepared categorical column, in the order of the one-hot encoding.
    """

    def __init__(self, declared: Declared) -> None:
        self._preparation = declared.preparation
        self._missing = frozenset(self._preparation.missing_values)
        places = {name: place for place, name in enumerate(declared.needed)}
        categories = declared.categorical
        self.categories = [self._listed(name, values) for name, values in categories.items()]
        steps = [_Step(places[declared.label], 1, self._label)]
        steps += [_Step(places[name], 1, self._numbers(name)) for name in declared.numeric]
        steps += [
            _Step(places[name], len(dates.parts), self._dates(name, dates))
            for name, dates in self._preparation.dates.items()
        ]
        steps += [
            _Step(places[name], 1, _indicator(self._missing.difference(categories.get(name, ()))))
            for name in self._preparation.indicators
        ]
        steps += [_Step(places[name], 1, self._category(name, values)) for name, values in categories.items()]
        self._steps = steps
        self._classes = {text: str(number) for number, text in enumerate(self._preparation.classes)}
        self.sources = [step.place for step in steps for _ in range(step.width)]
        self._drops = [
            (places[name], name, self._missing.difference(self._values_of(name, declared)))
            for name, how in self._preparation.missing.items()
            if how == DROP
        ]

    def prepare(self, columns: Sequence[Column]) -> Sequence[Column]:
        """Return the prepared columns: the label, numbers, the parts of dates, indicators, then categories.

        A text that is not valid stays invalid.

        Args:
            columns: the needed columns, in the order of ``Declared.needed``.
        """
        if not self._preparation.is_needed:
            return columns
        return [prepared for step in self._steps for prepared in step.prepare(columns[step.place])]

    def drops(self, columns: Sequence[Column]) -> dict[int, str]:
        """Return the rows that a missing value drops: the number of each, with the first such column.

        Args:
            columns: the needed columns, in the order of ``Declared.needed``.
        """
        return {
            row: name
            for place, name, missing in reversed(self._drops)
            for row, text in enumerate(columns[place])
            if text in missing
        }

    def dropped(self, fields: Sequence[str]) -> str | None:
        """Return the column whose missing value drops a row, or None.

        Args:
            fields: the needed fields of the row.
        """
        return next((name for place, name, missing in self._drops if fields[place] in missing), None)

    def is_missing(self, text: str) -> bool:
        """Return whether a text stands for a missing value."""
        return text in self._missing

    def _values_of(self, name: str, declared: Declared) -> Sequence[str]:
        """Return the texts that are values of a column, even if they would stand for a missing value elsewhere."""
        return self._preparation.classes if name == declared.label else declared.categorical.get(name, ())

    def _label(self, texts: Column) -> Sequence[Column]:
        if self._classes:
            return [[self._classes.get(text, "") for text in texts]]
        numbers = self._with_points(texts)
        return [list(map(_log1p, numbers)) if self._preparation.label_transform == LOG1P else numbers]

    def _with_points(self, texts: Column) -> Column:
        return [text.translate(_FROM_COMMA) for text in texts] if self._preparation.decimal == "," else texts

    def _numbers(self, name: str) -> Callable[[Column], Sequence[Column]]:
        if name not in self._preparation.filled:
            return lambda texts: [self._with_points(texts)]
        fill = self._preparation.fills.get(name, "0")

        def prepare(texts: Column) -> Sequence[Column]:
            numbers = zip(texts, self._with_points(texts), strict=True)
            return [[fill if text in self._missing else number for text, number in numbers]]

        return prepare

    def _dates(self, name: str, dates: Dates) -> Callable[[Column], Sequence[Column]]:
        parts_of: dict[str, tuple[str, ...]] = {}
        if name in self._preparation.filled:
            fill = self._preparation.fills.get(name)
            filled = ("0",) * len(dates.parts) if fill is None else dates.features_of(fill)
            parts_of = dict.fromkeys(self._missing, filled)

        def prepare(texts: Column) -> Sequence[Column]:
            for text in set(texts).difference(parts_of):
                parts_of[text] = dates.features_of(text)
            return list(zip(*map(parts_of.__getitem__, texts), strict=True)) or [()] * len(dates.parts)

        return prepare

    def _listed(self, name: str, values: Sequence[str]) -> list[str]:
        has_unlisted = name in self._preparation.other or (name in self._preparation.found and not values)
        return [*values, _UNLISTED] if has_unlisted else list(values)

    def _category(self, name: str, values: Sequence[str]) -> Callable[[Column], Sequence[Column]]:
        listed = self._listed(name, values)
        unlisted = _UNLISTED if _UNLISTED in listed else None
        filled = name in self._preparation.filled
        if unlisted is None and not filled:
            return lambda texts: [texts]
        fill = self._preparation.fills.get(name, listed[-1]) if filled else ""
        if filled and fill not in listed:
            fill = _UNLISTED
        texts_of = {**dict.fromkeys(self._missing, fill), **{value: value for value in values}}

        def prepare(texts: Column) -> Sequence[Column]:
            return [[texts_of.get(text, text if unlisted is None else unlisted) for text in texts]]

        return prepare


def _indicator(missing: frozenset[str]) -> Callable[[Column], Sequence[Column]]:
    return lambda texts: [["1" if text in missing else "0" for text in texts]]


@dataclass(frozen=True)
class _Step:
    """Prepares one needed column: its place among these, and the number of prepared columns."""

    place: int
    width: int
    prepare: Callable[[Column], Sequence[Column]]


def _log1p(text: str) -> str:
    """Return log(1 + x); an empty text for a number that has no logarithm, and any other text as it is."""
    if not _NUMBER.fullmatch(text):
        return text
    number = float(text)
    return repr(math.log1p(number)) if number > -1 else ""
