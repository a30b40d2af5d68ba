"""Encodes the rows of CSV files as a model's features, in the order that the model was trained with."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from operator import itemgetter

from pipeline.config.columns import DatasetSection
from pipeline.config.delimited import DELIMITERS, fields_of
from pipeline.errors import UserError
from pipeline.operate.features import LARGEST, RowError, column_encoders, is_number, number
from pipeline.operate.model_columns import ModelColumns
from pipeline.operate.undecoded import has_undecoded
from pipeline.text import number_of, shortened, some_of

_has_only_number_characters = re.compile(r"[-+.0-9eE,]+").fullmatch
_USUAL_ENCODINGS = ("UTF-8", "cp1252")


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
        dataset: the configured delimiter and encoding, and whether training files have a header.

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
    raise UserError(_misfit(name, fields, columns, dataset.encoding))


class RowEncoder:
    """Encodes the rows of one file.

    Args:
        layout: the file's layout.
        columns: the model's columns.
    """

    def __init__(self, layout: Layout, columns: ModelColumns) -> None:
        position = {name: place for place, name in enumerate(layout.names)}
        self._width = len(layout.names)
        # Numbers that are features as they are, are encoded together: that is several times as fast.
        together = layout.encoded or columns.preparation.copies_numbers
        self._numeric = columns.features if layout.encoded else columns.preparation.numeric if together else []
        self._pick = _picker([position[name] for name in self._numeric])
        encoders = [] if layout.encoded else column_encoders(columns)[len(self._numeric) :]
        self._others = [(position[name], encode) for name, encode in encoders]

    def encode(self, row: Sequence[str]) -> str:
        """Return a row's features, separated by commas.

        Raises:
            RowError: the row has another number of fields than the file has columns, or a value cannot be encoded.
        """
        if len(row) != self._width:
            raise RowError(f"has {number_of(len(row), 'field')}, but {number_of(self._width, 'is', 'are')} expected")
        parts = [encode(row[position]) for position, encode in self._others]
        if not self._numeric:
            return ",".join(parts)
        numbers = self._pick(row)
        line = ",".join(numbers)
        if not _are_plain_numbers(line, numbers):
            line = ",".join(map(number, numbers, self._numeric))
        return ",".join([line, *parts])


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
    numbers = sum(map(is_number, fields))
    headless = not dataset.header and len(fields) == len(columns.trained_on)
    if headless and (len(fields) != len(columns.features) or numbers < len(fields)):
        return Layout(delimiter, columns.trained_on, header=False, encoded=False)
    # One number is enough: a header has none, and a row of features with a bad value is still a row.
    if numbers and len(fields) == len(columns.features):
        return Layout(delimiter, columns.features, header=False, encoded=True)
    return None


def _misfit(name: str, fields: Sequence[str], columns: ModelColumns, encoding: str) -> str:
    if any(map(is_number, fields)):
        return (
            f"{name}: has {number_of(len(fields), 'column')}. Give a header that names {some_of(columns.raw)}; "
            f"or, without a header, the {number_of(len(columns.features), 'encoded feature')} of {columns.source}: "
            f"{some_of(columns.features)}"
        )
    reading, fields = _best_reading(fields, columns, encoding)
    named = some_of(map(shortened, fields))
    missing = some_of(column for column in columns.raw if column not in set(fields))
    lacks = f"lacks {missing}, which {columns.source} needs"
    if reading == encoding:
        return f"{name}: the header {lacks}; it names {named}"
    return (
        f"{name}: is not {encoding}, the dataset.encoding. If it is read as {reading}, the header names {named}"
        f"{f'; it {lacks}' if missing else ''}. Save the file as {encoding}, or set dataset.encoding: {reading} in a "
        "copy of the configuration"
    )


def _best_reading(fields: Sequence[str], columns: ModelColumns, encoding: str) -> tuple[str, Sequence[str]]:
    """Return the encoding in which a header names the most columns, the configured one or a usual one; and its names.

    Of equally good ones it is the first that reads every byte.
    """
    readings = {encoding: fields}
    for other in _USUAL_ENCODINGS:
        with suppress(UnicodeError):
            as_other = [field.encode(encoding, "surrogateescape").decode(other).lstrip("\ufeff") for field in fields]
            readings.setdefault(other, as_other)

    def goodness(reading: tuple[str, Sequence[str]]) -> tuple[int, bool]:
        names = reading[1]
        return len({*columns.raw}.intersection(names)), not any(map(has_undecoded, names))

    return max(readings.items(), key=goodness)


def _picker(positions: Sequence[int]) -> Callable[[Sequence[str]], Sequence[str]]:
    """Return a function that picks some fields of a row."""
    if len(positions) > 1:
        return itemgetter(*positions)
    return lambda row: [row[position] for position in positions]


def _are_plain_numbers(line: str, numbers: Sequence[str]) -> bool:
    """Return whether all numbers are finite and have no blanks around them; wrong only for some that are."""
    try:
        return _has_only_number_characters(line) is not None and math.hypot(*map(float, numbers)) <= LARGEST
    except ValueError:
        return False
