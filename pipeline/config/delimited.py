"""The delimiters of CSV files that are tried, and the fields of a file's first line."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

from pipeline.text import shortened

DELIMITERS = (",", ";", "\t", "|")

_SHOWN_CHARACTERS = 40
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def fields_of(line: str, delimiter: str) -> list[str]:
    """Return the fields of a line, without blanks around them; none if a field is longer than csv's limit."""
    try:
        return [field.strip() for field in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return []


def first_fields_of(text: str, delimiter: str) -> list[str]:
    """Return the fields of the first record of a text, as they are; none if a field is longer than csv's limit."""
    try:
        return next(csv.reader(io.StringIO(text, newline=None), delimiter=delimiter), [])
    except csv.Error:
        return []


def line_break_in(header: Iterable[str]) -> str | None:
    """Return a sentence about the first field of a header that has a line break; MakeFolds reads one line."""
    broken = next((field for field in header if "\n" in field), None)
    if broken is None:
        return None
    return (
        f"the header has a line break within quotes, in {shortened(broken, _SHOWN_CHARACTERS)!r}: "
        "remove it, or close the quote, so that the header is one line"
    )


def are_numbers(fields: Sequence[str]) -> bool:
    """Return whether a first line is a row, because all of its fields are numbers; a name may be one, as a year is."""
    return all(map(_NUMBER.fullmatch, fields))


def numbers_among(names: Iterable[str]) -> list[str]:
    """Return the names of columns that are numbers: if they are no years, the first line may be a row."""
    return list(filter(_NUMBER.fullmatch, names))


def line_for_excel_in(text: str) -> str | None:
    """Return a sentence about a first line such as ``sep=;``, which tells Excel the delimiter and is no header."""
    first = text.removeprefix("\ufeff").split("\n", 1)[0].strip('\r"')
    if re.fullmatch("sep=.", first, re.I) is None:
        return None
    return f"its first line, {first}, is for Excel only: remove it, so that the file begins with its header"
