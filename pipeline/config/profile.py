"""Looks at a CSV file: its format, and the values of each column."""

from __future__ import annotations

import codecs
import csv
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.config.delimited import DELIMITERS
from pipeline.errors import UserError

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?", "-"})
"""Texts, in lower case, that stand for a missing value in many files."""

MOST_VALUES = 50
"""The number of values up to which a column of text is a category."""

_SAMPLE_BYTES, _SAMPLE_LINES, _CHUNK = 1 << 20, 100, 100_000
_DECIMAL_COMMA = r"[+-]?\d+,\d+"
_DATE = r"\d{4}-\d{1,2}-\d{1,2}.*|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}.*"


@dataclass(frozen=True)
class FileFormat:
    """How a file is read.

    Attributes:
        encoding: its encoding.
        delimiter: the character between fields.
    """

    encoding: str
    delimiter: str


@dataclass
class Column:
    """The counts and values of a column.

    Attributes:
        name: its name in the header.
        rows: the number of rows so far.
        missing: how many values are missing.
        numbers: how many are numbers.
        decimal_commas: how many are numbers with a decimal comma.
        dates: how many look like dates.
        values: the values that are not missing, in the order of their first appearance; at most ``MOST_VALUES + 1``.
        is_counter: whether all values are integers, each larger than the one before.
        total: the sum of the numbers.
        squares: the sum of their squares, each less ``shift``.
        shift: the first number.
    """

    name: str
    rows: int = 0
    missing: int = 0
    numbers: int = 0
    decimal_commas: int = 0
    dates: int = 0
    values: dict[str, None] = field(default_factory=dict)
    is_counter: bool = True
    total: float = 0.0
    squares: float = 0.0
    shift: float | None = None
    _last: float = -math.inf

    def add(self, texts: pd.Series[str]) -> None:
        """Add the values of more rows."""
        known = texts[~texts.str.lower().isin(MISSING)]
        numbers = pd.to_numeric(known, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        finite = numbers[np.isfinite(numbers)]
        self.rows += len(texts)
        self.missing += len(texts) - len(known)
        self.numbers += len(finite)
        self.decimal_commas += int(known.str.fullmatch(_DECIMAL_COMMA).sum())
        self.dates += int(known.str.fullmatch(_DATE).sum())
        if len(self.values) <= MOST_VALUES:
            for value in pd.unique(known)[: MOST_VALUES + 1]:
                self.values.setdefault(value)
        self._add_numbers(finite, whole=len(finite) == len(texts))

    def _add_numbers(self, finite: np.ndarray, *, whole: bool) -> None:
        if not len(finite):
            self.is_counter = False
            return
        steps = np.diff(finite, prepend=self._last)
        self.is_counter = self.is_counter and whole and bool((steps > 0).all() and (finite == np.rint(finite)).all())
        self._last = float(finite[-1])
        if self.shift is None:
            self.shift = float(finite[0])
        self.total += float((finite - self.shift).sum())
        self.squares += float(((finite - self.shift) ** 2).sum())

    @property
    def known(self) -> int:
        """How many values are not missing."""
        return self.rows - self.missing

    @property
    def variance(self) -> float:
        """The variance of the numbers."""
        return max(0.0, self.squares / self.numbers - (self.total / self.numbers) ** 2) if self.numbers else 0.0


@dataclass(frozen=True)
class Profile:
    """A file's format and columns.

    Attributes:
        path: the file.
        form: how it is read.
        columns: its columns, in order.
        rows: the number of rows, without those that have too many fields.
    """

    path: Path
    form: FileFormat
    columns: list[Column]
    rows: int


def profile(path: Path) -> Profile:
    """Look at every row of a file with a header.

    Raises:
        UserError: the file cannot be read, is empty, or has no header.
    """
    form = _format_of(path)
    columns = [Column(name) for name in _header(path, form)]
    for chunk in read_chunks(path, form):
        for column, (_, texts) in zip(columns, chunk.items(), strict=True):
            column.add(texts)
    rows = columns[0].rows
    if not rows:
        raise UserError(f"{path}: has a header and no rows")
    return Profile(path, form, columns, rows)


def read_chunks(path: Path, form: FileFormat) -> Iterator[pd.DataFrame]:
    """Yield the rows as text, without blanks around it. A field that a row lacks is empty.

    Raises:
        UserError: the file cannot be read as CSV.
    """
    try:
        reader = pd.read_csv(
            path,
            sep=form.delimiter,
            encoding=form.encoding,
            dtype=str,
            keep_default_na=False,
            na_filter=False,
            chunksize=_CHUNK,
            on_bad_lines="skip",
            index_col=False,
        )
        for chunk in reader:
            yield chunk.fillna("").apply(lambda texts: texts.str.strip())
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: is not a CSV file in {form.encoding}: {error}") from None


def _format_of(path: Path) -> FileFormat:
    try:
        with path.open("rb") as file:
            start = file.read(_SAMPLE_BYTES)
            is_utf8 = _is_utf8(chain([start], iter(lambda: file.read(_SAMPLE_BYTES), b"")))
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    if not start.strip():
        raise UserError(f"{path}: is empty")
    if b"\0" in start:
        raise UserError(f"{path}: is not text with one byte for ASCII characters: save it as UTF-8")
    # cp1252 is what Windows' programs write in western Europe and America.
    encoding = "UTF-8" if is_utf8 else "cp1252"
    lines = start.decode(encoding, "replace").splitlines()[:_SAMPLE_LINES]
    return FileFormat(encoding, max(DELIMITERS, key=lambda delimiter: _regularity(lines, delimiter)))


def _is_utf8(blocks: Iterable[bytes]) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for block in blocks:
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _regularity(lines: list[str], delimiter: str) -> tuple[float, int]:
    """Return how well a delimiter explains the lines: the share with as many fields as the first, and that number."""
    counts = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
    fields = counts[0] if counts else 1
    return (counts.count(fields) / len(counts) if fields > 1 else 0.0, fields)


def _header(path: Path, form: FileFormat) -> list[str]:
    with path.open(encoding=form.encoding, newline="") as file:
        names = [name.strip().lstrip("\ufeff") for name in next(csv.reader(file, delimiter=form.delimiter))]
    if not names:
        raise UserError(f"{path}: its first line is blank: remove it, so that the file begins with its header")
    if any(re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", name) for name in names):
        raise UserError(f"{path}: its first line holds numbers and no names: add a header that names the columns")
    if repeated := {name for name in names if names.count(name) > 1}:
        raise UserError(f"{path}: the header names {sorted(repeated)[0]!r} twice: give each column a name of its own")
    return names
