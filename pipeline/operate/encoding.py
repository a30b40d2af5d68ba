"""Encodes the rows of CSV files as a model's features, in the order that the model was trained with."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter

from pipeline.config.delimited import DELIMITERS, fields_of
from pipeline.config.models import DatasetSection
from pipeline.errors import UserError, some_of

_LARGEST = 3.4028234e38
"""The largest 32-bit float: linear-learner computes with such numbers."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_has_only_number_characters = re.compile(r"[-+.0-9eE,]+").fullmatch
_SHOWN_CHARACTERS = 60


class RowError(Exception):
    """A row cannot be scored; the text names the column and the value."""


@dataclass(frozen=True)
class ModelColumns:
    """The columns that a model was trained on, and their encoding.

    Attributes:
        label: the column that the model predicts.
        numeric: the columns that are features as they are.
        categorical: the values of each one-hot encoded column, in the order of the encoding.
        groups: the column whose rows stayed in one fold; None without one.
        source: where this is recorded, for messages: "the model package <ARN>" or "the configuration".
    """

    label: str
    numeric: Sequence[str]
    categorical: Mapping[str, Sequence[str]]
    groups: str | None
    source: str

    @classmethod
    def of_dataset(cls, dataset: DatasetSection) -> ModelColumns:
        """Return the columns that a configuration declares."""
        return cls(dataset.label, dataset.numeric, dataset.categorical, dataset.groups, "the configuration")

    @cached_property
    def features(self) -> list[str]:
        """The names of the features: numeric columns, then ``<column>_<value>`` for each category."""
        return [*self.numeric, *(f"{name}_{value}" for name, values in self.categorical.items() for value in values)]

    @cached_property
    def raw(self) -> list[str]:
        """The columns of a raw record that the features are made from."""
        return [*self.numeric, *self.categorical]

    @cached_property
    def trained_on(self) -> list[str]:
        """The columns of a training file without a header, from left to right."""
        names = [self.label, *self.raw]
        return names if self.groups in (None, *names) else [*names, str(self.groups)]


@dataclass(frozen=True)
class Layout:
    """How the rows of a file are laid out.

    Attributes:
        delimiter: the character between fields.
        names: the file's columns, from left to right.
        header: whether the first row names the columns.
        encoded: whether the columns are features; else they are those of raw records.
    """

    delimiter: str
    names: Sequence[str]
    header: bool
    encoded: bool


def layout_of(name: str, first_line: str, columns: ModelColumns, dataset: DatasetSection) -> Layout:
    """Return how a file is laid out, from its first line.

    The file's delimiter is the configured one, or else the first of comma, semicolon, tab and bar that fits.

    Args:
        name: the file's name, for errors.
        first_line: the first line that is not blank.
        columns: the model's columns.
        dataset: the configured delimiter, and whether training files have a header.

    Raises:
        UserError: the file has a header that lacks a column or names a column twice, or it has no header and another
            number of columns than the model has features.
    """
    delimiters = dict.fromkeys((dataset.delimiter, *DELIMITERS))
    split = {delimiter: fields_of(first_line, delimiter) for delimiter in delimiters}
    for fits in (_with_header, _without_header):
        for delimiter, fields in split.items():
            layout = fits(name, fields, delimiter, columns, dataset)
            if layout is not None:
                return layout
    known = {*columns.trained_on, *columns.features}
    fields = max(split.values(), key=lambda fields: (len(known.intersection(fields)), len(fields)))
    raise UserError(_misfit(name, fields, columns))


class RowEncoder:
    """Encodes the rows of one file.

    Args:
        layout: the file's layout.
        columns: the model's columns.
    """

    def __init__(self, layout: Layout, columns: ModelColumns) -> None:
        position = {name: number for number, name in enumerate(layout.names)}
        self._width = len(layout.names)
        self._numeric = list(columns.features if layout.encoded else columns.numeric)
        self._pick = _picker([position[name] for name in self._numeric])
        self._categorical = [
            (name, position[name], {value: number for number, value in enumerate(values)})
            for name, values in ({} if layout.encoded else columns.categorical).items()
        ]

    def encode(self, row: Sequence[str]) -> str:
        """Return a row's features, separated by commas.

        Raises:
            RowError: the row has another number of fields than the file has columns, or a value cannot be encoded.
        """
        if len(row) != self._width:
            raise RowError(f"has {len(row)} fields, but {self._width} are expected")
        numbers = self._pick(row)
        line = ",".join(numbers)
        if not _are_plain_numbers(line, numbers):
            line = ",".join(map(_number, numbers, self._numeric))
        if not self._categorical:
            return line
        parts = [line] if numbers else []
        for name, position, places in self._categorical:
            place = places.get(row[position])
            if place is None:
                place = _category(row[position], places, name)
            # Joined by repetition: a column may have thousands of values.
            parts.append("0," * place + "1" + ",0" * (len(places) - place - 1))
        return ",".join(parts)


def _with_header(
    name: str, fields: Sequence[str], delimiter: str, columns: ModelColumns, _: DatasetSection
) -> Layout | None:
    found = set(fields)
    for needed, encoded in ((columns.raw, False), (columns.features, True)):
        if found.issuperset(needed):
            times = Counter(fields)
            twice = [column for column in needed if times[column] > 1]
            if twice:
                raise UserError(f"{name}: the header names {some_of(twice)} twice: rename one of the columns")
            return Layout(delimiter, fields, header=True, encoded=encoded)
    return None


def _without_header(
    _: str, fields: Sequence[str], delimiter: str, columns: ModelColumns, dataset: DatasetSection
) -> Layout | None:
    numbers = sum(map(_is_number, fields))
    headless = not dataset.header and len(fields) == len(columns.trained_on)
    if headless and (len(fields) != len(columns.features) or numbers < len(fields)):
        return Layout(delimiter, columns.trained_on, header=False, encoded=False)
    # One number is enough: a header has none, and a row of features with a bad value is still a row.
    if numbers and len(fields) == len(columns.features):
        return Layout(delimiter, columns.features, header=False, encoded=True)
    return None


def _misfit(name: str, fields: Sequence[str], columns: ModelColumns) -> str:
    if any(map(_is_number, fields)):
        return (
            f"{name}: has {len(fields)} columns. Give a header that names {some_of(columns.raw)}; "
            f"or, without a header, the {len(columns.features)} encoded features of {columns.source}: "
            f"{some_of(columns.features)}"
        )
    missing = [column for column in columns.raw if column not in set(fields)]
    return (
        f"{name}: the header lacks {some_of(missing)}, which {columns.source} needs; it names "
        f"{some_of(map(_shortened, fields))}"
    )


def _picker(positions: Sequence[int]) -> Callable[[Sequence[str]], Sequence[str]]:
    """Return a function that picks some fields of a row."""
    if len(positions) > 1:
        return itemgetter(*positions)
    return lambda row: [row[position] for position in positions]


def _are_plain_numbers(line: str, numbers: Sequence[str]) -> bool:
    """Return whether all numbers are finite and have no blanks around them; wrong only for some that are."""
    try:
        return _has_only_number_characters(line) is not None and math.hypot(*map(float, numbers)) <= _LARGEST
    except ValueError:
        return False


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


def _number(text: str, column: str) -> str:
    number = text.strip()
    if not _is_number(number):
        raise RowError(f"{column} is {_shortened(number)!r}: a finite number is expected")
    if abs(float(number)) > _LARGEST:
        raise RowError(f"{column} is {_shortened(number)!r}: a 32-bit float is at most {_LARGEST:.1e}")
    return number


def _category(text: str, places: Mapping[str, int], column: str) -> int:
    value = text.strip()
    if value not in places:
        raise RowError(f"{column} is {_shortened(value)!r}: one of {some_of(places)} is expected")
    return places[value]


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."
