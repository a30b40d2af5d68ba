"""Makes features of the values of raw records, as steps/folds/preparation.py does for training."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime

from pipeline.config.columns import DatePart, DatesSection
from pipeline.config.number_texts import WITH_POINT
from pipeline.operate.model_columns import ModelColumns
from pipeline.operate.undecoded import as_cp1252, has_undecoded
from pipeline.text import shortened, some_of

LARGEST = 3.4028234e38
"""The largest 32-bit float: the algorithms compute with such numbers."""

Encode = Callable[[str], str]
"""Returns the features of a value, separated by commas; raises ``RowError``."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_EPOCH = datetime(1970, 1, 1).toordinal()
_PARTS: Mapping[DatePart, Callable[[datetime], int]] = {
    "year": lambda date: date.year,
    "month": lambda date: date.month,
    "day": lambda date: date.day,
    "weekday": lambda date: date.weekday(),
    "day_of_year": lambda date: date.timetuple().tm_yday,
    "hour": lambda date: date.hour,
    "days": lambda date: date.toordinal() - _EPOCH,
}


class RowError(Exception):
    """A row cannot be scored; the text names the column and the value."""


def column_encoders(columns: ModelColumns) -> list[tuple[str, Encode]]:
    """Return what makes the features, in their order: the raw column and the function for its value."""
    prepared = columns.preparation
    return [
        *((name, _encoder(name, columns, _number(name, prepared.decimal))) for name in prepared.numeric),
        *((name, _encoder(name, columns, _date(name, dates))) for name, dates in prepared.dates.items()),
        *((name, _indicator(name, columns)) for name in prepared.missing_indicators),
        *((name, _encoder(name, columns, category(name, columns))) for name in columns.categorical),
    ]


def is_number(text: str) -> bool:
    """Return whether a text is a finite number without blanks around it."""
    return _NUMBER.fullmatch(text) is not None


def number(text: str, column: str) -> str:
    """Return a number without the blanks around it.

    Raises:
        RowError: it is not a finite number, or too large.
    """
    stripped = text.strip()
    if not is_number(stripped):
        raise RowError(f"{column} is {_quoted(stripped)}: a finite number is expected")
    if abs(float(stripped)) > LARGEST:
        raise RowError(f"{column} is {_quoted(stripped)}: a 32-bit float is at most {LARGEST:.1e}")
    return stripped


def category(column: str, columns: ModelColumns) -> Encode:
    """Return the one-hot encoding of a column."""
    places = {value: place for place, value in enumerate(columns.categorical[column])}
    width = len(columns.encoded(column))
    other = width - 1 if column in columns.preparation.other else None

    def encode(text: str) -> str:
        place = places.get(text)
        if place is None:
            place = places.get(text.strip(), other)
        if place is None:
            raise RowError(f"{column} is {_quoted(text.strip())}: one of {some_of(places)} is expected")
        # Joined by repetition: a column may have thousands of values.
        return "0," * place + "1" + ",0" * (width - place - 1)

    return encode


def _encoder(column: str, columns: ModelColumns, encode: Encode) -> Encode:
    """Return the encoding of a column whose values may be missing."""
    prepared = columns.preparation
    treatment = prepared.missing.get(column)
    missing = _missing_of(column, columns)
    if treatment is None and column not in prepared.other:
        return encode
    # The fill is recorded as training used it: numbers with a decimal point.
    fill = None
    if treatment is not None and treatment.fill is not None:
        fill = treatment.fill if column in prepared.numeric else encode(treatment.fill)

    def encode_or_fill(text: str) -> str:
        if text.strip() not in missing:
            return encode(text)
        if fill is None:
            raise RowError(f"{column} is missing, and the model has not been trained on rows without it")
        return fill

    return encode_or_fill


def _number(column: str, decimal: str) -> Encode:
    if decimal == ".":
        return lambda text: number(text, column)

    def encode(text: str) -> str:
        stripped = text.strip()
        plain = stripped.translate(WITH_POINT)
        if not is_number(plain):
            raise RowError(f"{column} is {_quoted(stripped)}: a number with a decimal comma is expected")
        return number(plain, column)

    return encode


def _date(column: str, dates: DatesSection) -> Encode:
    known: dict[str, str] = {}

    def encode(text: str) -> str:
        stripped = text.strip()
        if stripped not in known:
            known[stripped] = ",".join(str(_PARTS[part](_parsed(stripped, column, dates))) for part in dates.parts)
        return known[stripped]

    return encode


def _parsed(text: str, column: str, dates: DatesSection) -> datetime:
    try:
        return datetime.fromisoformat(text) if dates.format is None else datetime.strptime(text, dates.format)
    except ValueError:
        form = dates.format or "YYYY-MM-DD"
        raise RowError(f"{column} is {_quoted(text)}: a date as {form} is expected") from None


def _indicator(column: str, columns: ModelColumns) -> Encode:
    missing = _missing_of(column, columns)
    return lambda text: "1" if text.strip() in missing else "0"


def _quoted(text: str) -> str:
    """Return a value for a message."""
    if has_undecoded(text):
        return f"{shortened(as_cp1252(text))!r} if it is read as cp1252, and not text in dataset.encoding"
    return repr(shortened(text))


def _missing_of(column: str, columns: ModelColumns) -> frozenset[str]:
    """Return the texts that stand for a missing value; a category may list such a text as a value."""
    return frozenset(columns.preparation.missing_values).difference(columns.categorical.get(column, ()))
