"""Looks at a CSV file: its format, and the values of each column."""

from __future__ import annotations

import codecs
import csv
import io
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.config.column_counts import Column
from pipeline.config.columns import DatasetSection
from pipeline.config.delimited import DELIMITERS
from pipeline.config.input_file import UNREADABLE, opened, reason
from pipeline.config.roles import IGNORED, Role, roles_of
from pipeline.errors import UserError

_SAMPLE_BYTES, _SAMPLE_LINES = 1 << 20, 100
_MOST_ROWS, _MOST_CELLS, _FEWEST_ROWS = 100_000, 2_000_000, 1000
"""The size of the pieces in which a file is read."""

_MOST_COMPARED = 10_000_000
"""Rows that are compared with each other; each takes 8 bytes."""

_DAMAGED = "cannot be read: it is damaged"
_DECIMALS = {".": re.compile(r"[+-]?\d+\.\d+"), ",": re.compile(r"[+-]?\d+,\d+")}
_MIX = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class FileFormat:
    """How a file is read.

    Attributes:
        encoding: its encoding.
        delimiter: the character between fields.
        decimal: the decimal separator of numbers.
        header: whether the first line names the columns.
    """

    encoding: str
    delimiter: str
    decimal: str = "."
    header: bool = True


@dataclass(frozen=True)
class Profile:
    """A file's format, columns and rows.

    Attributes:
        path: the file.
        form: how it is read.
        columns: its columns, in order.
        rows: the number of rows, without those that have too many fields.
        too_long: the number of rows that have too many fields.
        refused: the number of rows with a value that their column's role does not allow.
        duplicates: the number of rows that are equal to an earlier one in every column.
        compared: the number of rows, from the first, among which duplicates were looked for.
        is_decoded: whether the whole file is text in its encoding.
    """

    path: Path
    form: FileFormat
    columns: list[Column]
    rows: int
    too_long: int
    refused: int
    duplicates: int
    compared: int
    is_decoded: bool = True


def profile(path: Path) -> Profile:
    """Look at every row of a file with a header, and find out its format.

    Raises:
        UserError: the file cannot be read, is empty, or has no header.
    """
    form = _format_of(path)
    try:
        names = _header(path, form)
        return _profile(path, form, names, dict.fromkeys(names, replace(IGNORED, decimal=form.decimal)))
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is not text in {form.encoding}: {error}") from None


def profile_as(path: Path, dataset: DatasetSection) -> Profile:
    """Look at every row of a file as a configuration says: format and roles of the columns.

    Raises:
        UserError: the file cannot be read, or is empty.
    """
    form = FileFormat(dataset.encoding, dataset.delimiter, dataset.decimal, dataset.header)
    roles = roles_of(dataset)
    names = first = _first_record(path, form, "replace")
    if not dataset.header:
        names = [*roles, *(f"(column {place + 1})" for place in range(len(roles), len(first)))]
    try:
        return _profile(path, form, names, roles)
    except UnicodeDecodeError:
        return _profile(path, form, names, roles, "replace")


def read_chunks(path: Path, form: FileFormat, names: list[str]) -> Iterator[pd.DataFrame]:
    """Yield the rows as text, without blanks around it. A field that a row lacks is empty.

    Raises:
        UserError: the file cannot be read as CSV.
    """
    for chunk, _ in _chunks(path, form, len(names), "strict"):
        yield chunk.set_axis(names, axis="columns")


def _profile(
    path: Path, form: FileFormat, names: list[str], roles: Mapping[str, Role], errors: str = "strict"
) -> Profile:
    columns = [Column(name, roles.get(name, IGNORED)) for name in names]
    rows = too_long = refused = 0
    hashes: list[np.ndarray] = []
    for chunk, skipped in _chunks(path, form, len(names), errors):
        row_hashes = np.zeros(len(chunk), np.uint64)
        is_refused = np.zeros(len(chunk), bool)
        for column, (_, texts) in zip(columns, chunk.items(), strict=True):
            value_hashes, are_refused = column.add(texts)
            row_hashes = row_hashes * _MIX + value_hashes
            is_refused |= are_refused
        if rows < _MOST_COMPARED:
            hashes.append(row_hashes[: _MOST_COMPARED - rows])
        rows += len(chunk)
        too_long += skipped
        refused += int(is_refused.sum())
    compared = np.concatenate(hashes) if hashes else np.empty(0, np.uint64)
    duplicates = len(compared) - len(np.unique(compared))
    return Profile(
        path, form, columns, rows, too_long, refused, duplicates, len(compared), is_decoded=errors == "strict"
    )


def _chunks(path: Path, form: FileFormat, width: int, errors: str) -> Iterator[tuple[pd.DataFrame, int]]:
    """Yield rows, and how many were skipped among them because they have more fields than there are columns."""
    try:
        with opened(path) as file:
            reader = pd.read_csv(
                file,
                sep=form.delimiter,
                encoding=form.encoding,
                encoding_errors=errors,
                header=0 if form.header else None,
                names=range(width),
                dtype=str,
                keep_default_na=False,
                na_filter=False,
                chunksize=max(_FEWEST_ROWS, min(_MOST_ROWS, _MOST_CELLS // width)),
                on_bad_lines="warn",
                engine="c" if form.delimiter.isascii() else "python",
                index_col=False,
            )
            while True:
                chunk, skipped = _next(reader)
                if chunk is None:
                    return
                yield chunk.fillna("").apply(lambda texts: texts.str.strip()), skipped
    except pd.errors.ParserError as error:
        raise UserError(f"{path}: {_fault_of(str(error))}") from None
    except SystemError:
        # Pandas has warned of a bad line while an error of the archive's library was set.
        raise UserError(f"{path}: {_DAMAGED}") from None
    except UNREADABLE as error:
        raise UserError(f"{path}: cannot be read: {reason(error)}") from None


def _fault_of(message: str) -> str:
    """Return a sentence for an error of pandas."""
    # What pandas says if the archive's library raises an error; it leaves out which.
    if "Calling read" in message:
        return _DAMAGED
    if opening := re.search(r"EOF inside string starting at row (\d+)", message):
        return f"a quote is not closed. It begins in row {int(opening[1]) + 1}, counted from the first line"
    return f"cannot be read as CSV: {message}"


def _next(reader: Iterator[pd.DataFrame]) -> tuple[pd.DataFrame | None, int]:
    # Pandas tells the number of skipped rows nowhere but in its warnings.
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        chunk = next(reader, None)
    return chunk, sum(str(warning.message).count("Skipping line") for warning in told)


def _format_of(path: Path) -> FileFormat:
    try:
        with opened(path) as file:
            start = file.read(_SAMPLE_BYTES)
            is_utf8 = _is_utf8(chain([start], iter(lambda: file.read(_SAMPLE_BYTES), b"")))
    except UNREADABLE as error:
        raise UserError(f"{path}: cannot be read: {reason(error)}") from None
    if not start.strip():
        raise UserError(f"{path}: is empty")
    if b"\0" in start:
        raise UserError(f"{path}: is not text with one byte for ASCII characters: save it as UTF-8")
    # cp1252 is what Windows' programs write in western Europe and America.
    encoding = "UTF-8" if is_utf8 else "cp1252"
    lines = start.decode(encoding, "replace").splitlines()[:_SAMPLE_LINES]
    delimiter = max(DELIMITERS, key=lambda delimiter: _regularity(lines, delimiter))
    return FileFormat(encoding, delimiter, _decimal_of(lines, delimiter))


def _decimal_of(lines: list[str], delimiter: str) -> str:
    """Return the decimal separator of most numbers that have one."""
    fields = [field.strip() for row in csv.reader(lines, delimiter=delimiter) for field in row]
    found = {decimal: sum(map(bool, map(pattern.fullmatch, fields))) for decimal, pattern in _DECIMALS.items()}
    return max(found, key=lambda decimal: found[decimal])


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
    try:
        counts = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
    except csv.Error:
        # A field is longer than csv allows, as all text after a lone quote.
        return 0.0, 1
    fields = counts[0] if counts else 1
    return (counts.count(fields) / len(counts) if fields > 1 else 0.0, fields)


def _header(path: Path, form: FileFormat) -> list[str]:
    names = _first_record(path, form)
    if any(re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", name) for name in names):
        raise UserError(f"{path}: its first line holds numbers and no names: add a header that names the columns")
    if repeated := {name for name in names if names.count(name) > 1}:
        raise UserError(f"{path}: the header names {sorted(repeated)[0]!r} twice: give each column a name of its own")
    return names


def _first_record(path: Path, form: FileFormat, errors: str = "strict") -> list[str]:
    try:
        with opened(path) as file, io.TextIOWrapper(file, form.encoding, errors, newline="") as text:
            fields = next(csv.reader(text, delimiter=form.delimiter), [])
    except UNREADABLE as error:
        raise UserError(f"{path}: cannot be read: {reason(error)}") from None
    except csv.Error as error:
        raise UserError(f"{path}: its first line cannot be read: {error}") from None
    if not fields:
        raise UserError(f"{path}: its first line is blank: remove it, so that the file begins with its header")
    return [name.strip().lstrip("\ufeff") for name in fields]
