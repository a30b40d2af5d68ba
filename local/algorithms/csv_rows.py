"""Parse CSV text without a header, for training and for requests.

Almost every text has only plain numbers. With its line breaks replaced by commas, it is the content of a JSON array.
simdjson parses that fast, rounds correctly, and creates no Python object per number. A slower parser accepts spellings
that JSON does not (``+1``, ``.5``, ``007``, quotes, spaces), and reports the row and field of an error.
"""

import math
import re
import threading

import numpy as np
import numpy.typing as npt
import simdjson

from definition_language.text import number_of

# Matches in linear time, because no two repetitions can match the same digits.
_NUMBER = re.compile(rb"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_NUMBER_CHARACTERS = b"0123456789+-.eE"


class _ThreadState(threading.local):
    """A parser for each thread, because a parser reuses its memory for the next text."""

    def __init__(self) -> None:
        self.parser = simdjson.Parser()


_thread_state = _ThreadState()


class CsvError(ValueError):
    """The text does not consist of rows of numbers.

    Attributes:
        row: The first invalid row, counted from 1.
        reason: Why the row is invalid.
    """

    def __init__(self, row: int, reason: str) -> None:
        super().__init__(f"row {row}: {reason}")
        self.row = row
        self.reason = reason


def parse_csv(
    text: bytes, columns: int | None = None, *, delimiter: bytes = b",", missing: bool = False
) -> npt.NDArray[np.float64]:
    """Parse rows of equal width.

    Args:
        text: CSV without a header. Lines end with LF or CRLF; line breaks at the end are ignored.
        columns: The required number of columns; by default that of the first row.
        delimiter: The character between two fields.
        missing: Whether a field can be empty or ``nan``, which both give NaN.

    Returns:
        Finite numbers, and NaN if ``missing``, of shape (rows, columns).

    Raises:
        CsvError: The text is empty, rows differ in width, or a field is not a finite number.
    """
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n")
    text = text.rstrip(b"\n")
    width = columns or text.partition(b"\n")[0].count(delimiter) + 1
    plain = text if delimiter == b"," else text.translate(bytes.maketrans(b"," + delimiter, b";,"))
    values = _parse_plain(plain, width)
    if values is None:
        parser = _FieldParser(width, delimiter, missing=missing)
        values = np.array([parser.line(line, row) for row, line in enumerate(text.split(b"\n"), 1)], dtype=np.float64)
    return values


def first_width(text: bytes) -> int:
    """Return the number of fields in the first row that is not blank, or 0 if there is none."""
    start = len(text) - len(text.lstrip(b"\r\n"))
    end = text.find(b"\n", start)
    return text.count(b",", start, len(text) if end < 0 else end) + 1 if start < len(text) else 0


def _parse_plain(text: bytes, width: int) -> npt.NDArray[np.float64] | None:
    """Return the values if all fields are spelled as JSON numbers, else None."""
    separators = text.translate(None, _NUMBER_CHARACTERS)
    line = b"," * (width - 1)
    rows = (len(separators) + 1) // width
    if separators != (line + b"\n") * (rows - 1) + line:
        return None
    try:
        array = _thread_state.parser.parse(b"[%b]" % text.replace(b"\n", b","))
        assert isinstance(array, simdjson.Array)
        values = np.frombuffer(array.as_buffer(of_type="d"))
    except (ValueError, RuntimeError):  # RuntimeError for integers of more than 64 bits
        return None
    return values.reshape(rows, width) if len(values) == rows * width else None


class _FieldParser:
    """Parses lines field by field."""

    def __init__(self, width: int, delimiter: bytes, *, missing: bool) -> None:
        self._width = width
        self._delimiter = delimiter
        self._missing = missing

    def line(self, line: bytes, row: int) -> list[float]:
        """Return the numbers of a line.

        Args:
            line: The line.
            row: The line's number, for messages.
        """
        if not line.strip():
            raise CsvError(row, "is empty")
        fields = line.split(self._delimiter)
        if len(fields) != self._width:
            raise CsvError(
                row, f"has {number_of(len(fields), 'field')} where {number_of(self._width, 'is', 'are')} expected"
            )
        return [self._field(field, row, number) for number, field in enumerate(fields, 1)]

    def _field(self, field: bytes, row: int, number: int) -> float:
        text = field.strip()
        if self._missing and text.lower() in (b"", b"nan"):
            return math.nan
        if len(text) > 1 and text.startswith(b'"') and text.endswith(b'"') and not self._missing:
            text = text[1:-1].strip()
        # Matched first, because float() accepts nan, inf and 1_000.
        value = float(text) if _NUMBER.fullmatch(text) else math.nan
        if not math.isfinite(value):
            shown = field[:160].decode("utf-8", "replace")[:40]
            raise CsvError(row, f"field {number} '{shown}' is not a finite number")
        return value
