"""Numbers from headerless CSV text, for training and for requests.

Almost every text consists of plain numbers only, and then it is a JSON array but for its line breaks, which simdjson
reads exactly (correctly rounded), fast and without a Python object for each number. What JSON spells differently
(``+1``, ``.5``, ``007``, quotes, spaces) takes a slower path that accepts it, or says which row and field is wrong.
"""

import math
import re
import threading

import numpy as np
import numpy.typing as npt
import simdjson

# Linear: no two repetitions can take the same digits.
_NUMBER = re.compile(rb"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_NUMBER_CHARACTERS = b"0123456789+-.eE"


class _Own(threading.local):
    """What each thread has for itself: a parser keeps its memory from one text to the next."""

    def __init__(self) -> None:
        self.parser = simdjson.Parser()


_own = _Own()


class CsvError(ValueError):
    """Text that is not rows of numbers.

    Attributes:
        row: the first wrong row, counted from 1.
        reason: what is wrong with it.
    """

    def __init__(self, row: int, reason: str) -> None:
        super().__init__(f"row {row}: {reason}")
        self.row = row
        self.reason = reason


def parse_csv(text: bytes, columns: int | None = None) -> npt.NDArray[np.float64]:
    """Parse rows that are all of one width.

    Args:
        text: without a header; a line break at its end is ignored, either kind will do.
        columns: the width that the rows must have; by default the first row's.

    Returns:
        Finite numbers, of shape (rows, columns).

    Raises:
        CsvError: if the text is empty, ragged, or holds something else than finite numbers.
    """
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n")
    text = text.rstrip(b"\n")
    width = columns or text.partition(b"\n")[0].count(b",") + 1
    values = _parse_plain(text, width)
    if values is None:
        values = _parse_field_by_field(text, width)
    return values


def first_width(text: bytes) -> int:
    """The number of fields of the first row that is not blank; 0 if there is none."""
    start = len(text) - len(text.lstrip(b"\r\n"))
    end = text.find(b"\n", start)
    return text.count(b",", start, len(text) if end < 0 else end) + 1 if start < len(text) else 0


def _parse_plain(text: bytes, width: int) -> npt.NDArray[np.float64] | None:
    """The values if the text is JSON but for its line breaks, else None."""
    separators = text.translate(None, _NUMBER_CHARACTERS)
    line = b"," * (width - 1)
    rows = (len(separators) + 1) // width
    if separators != (line + b"\n") * (rows - 1) + line:
        return None
    try:
        array = _own.parser.parse(b"[%b]" % text.replace(b"\n", b","))
        assert isinstance(array, simdjson.Array)
        values = np.frombuffer(array.as_buffer(of_type="d"))
    except (ValueError, RuntimeError):  # the latter for whole numbers of more than 64 bits
        return None
    return values.reshape(rows, width) if len(values) == rows * width else None


def _parse_field_by_field(text: bytes, width: int) -> npt.NDArray[np.float64]:
    rows = [_parse_line(line, row, width) for row, line in enumerate(text.split(b"\n"), 1)]
    return np.array(rows, dtype=np.float64)


def _parse_line(line: bytes, row: int, width: int) -> list[float]:
    if not line.strip():
        raise CsvError(row, "is empty")
    fields = line.split(b",")
    if len(fields) != width:
        raise CsvError(row, f"has {len(fields)} fields where {width} are expected")
    return [_parse_field(field, row, number) for number, field in enumerate(fields, 1)]


def _parse_field(field: bytes, row: int, number: int) -> float:
    text = field.strip()
    if len(text) > 1 and text.startswith(b'"') and text.endswith(b'"'):
        text = text[1:-1].strip()
    # Not float() alone: it takes nan, inf and 1_000.
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(value):
        shown = field[:160].decode("utf-8", "replace")[:40]
        raise CsvError(row, f"field {number} '{shown}' is not a finite number")
    return value
