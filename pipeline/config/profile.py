"""Looks at a CSV file: its format, and the values of each column."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.config.column_counts import Column
from pipeline.config.columns import DatasetSection
from pipeline.config.csv_rows import FileFormat, Record, chunks, first_record
from pipeline.config.delimited import DELIMITERS, are_numbers, line_for_excel_in
from pipeline.config.input_file import EMPTY, UNREADABLE, UTF16, is_utf16, opened, reason
from pipeline.config.number_texts import DECIMAL_COMMA, THOUSANDS
from pipeline.config.roles import IGNORED, Role, roles_of
from pipeline.errors import UserError
from pipeline.text import some_of

_SAMPLE_BYTES, _SAMPLE_LINES = 1 << 20, 100
_SHOWN_LINES = 5
_MOST_COMPARED = 10_000_000
"""Rows that are compared with each other; each takes 8 bytes."""

_DECIMAL_POINT = r"[+-]?\d+\.\d+"
_MIX = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Profile:
    """A file's format, columns and rows.

    Attributes:
        path: the file.
        form: how it is read.
        columns: its columns, in order.
        rows: the number of rows, without the misfits.
        misfits: the number of rows that have more or fewer fields than there are columns. MakeFolds refuses them.
        first_misfit: the first of them; None if there is none.
        repeats: the lines that repeat the header. They are no rows, and MakeFolds refuses them.
        refused: the number of rows with a value that their column's role does not allow.
        dropped: the number of rows that are left out before they are judged, because of a missing value.
        duplicates: the number of rows that are equal to an earlier one in every column.
        compared: the number of rows, from the first, among which duplicates were looked for.
        is_decoded: whether the whole file is text in its encoding.
    """

    path: Path
    form: FileFormat
    columns: list[Column]
    rows: int
    misfits: int
    first_misfit: Record | None
    repeats: list[int]
    refused: int
    dropped: int
    duplicates: int
    compared: int
    is_decoded: bool = True

    @property
    def bad(self) -> int:
        """The number of rows that MakeFolds refuses."""
        return self.refused + self.misfits + len(self.repeats)

    @property
    def judged(self) -> int:
        """The number of rows that MakeFolds accepts or refuses."""
        return self.rows + self.misfits + len(self.repeats) - self.dropped


def profile(path: Path) -> Profile:
    """Look at every row of a file with a header, and find out its format.

    A few texts among numbers or dates are taken as missing values, in all columns but those of few texts, where they
    may be values.

    Raises:
        UserError: the file cannot be read, is empty, or has no header.
    """
    form = _format_of(path)
    try:
        names = _header(path, form)
        role = replace(IGNORED, decimal=form.decimal)
        found = _profile(path, form, names, dict.fromkeys(names, role))
        strays = frozenset(text for column in found.columns for text in column.strays)
        if not strays:
            return found
        ours = replace(role, also_missing=strays)
        columns = {each.name: role if each.has_few_values and not each.strays else ours for each in found.columns}
        return _profile(path, form, names, columns)
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is not text in {form.encoding}: {error}") from None


def names_of(path: Path) -> list[str]:
    """Return the names of the columns of a file with a header.

    Raises:
        UserError: the file cannot be read, is empty, or has no header.
    """
    form = _format_of(path)
    try:
        return _header(path, form)
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is not text in {form.encoding}: {error}") from None


def profile_as(path: Path, dataset: DatasetSection) -> Profile:
    """Look at every row of a file as a configuration says: format and roles of the columns.

    Raises:
        UserError: the file cannot be read, or is empty.
    """
    form = FileFormat(dataset.encoding, dataset.delimiter, dataset.decimal, dataset.header)
    roles = roles_of(dataset)
    names = first = first_record(path, form, "replace")
    if not dataset.header:
        names = [*roles, *(f"(column {place + 1})" for place in range(len(roles), len(first)))]
    try:
        return _profile(path, form, names, roles)
    except UnicodeDecodeError:
        return _profile(path, form, names, roles, "replace")


def profile_again(known: Profile, roles: Mapping[str, Role]) -> Profile:
    """Look at every row of a file in its known format, with roles for its columns.

    Raises:
        UserError: the file cannot be read.
    """
    return _profile(known.path, known.form, [column.name for column in known.columns], roles)


def header_again(profile: Profile) -> str:
    """Return a sentence, without a stop, about the lines that repeat the header."""
    lines = f"line{'s' if len(profile.repeats) > 1 else ''} {some_of(map(str, profile.repeats), _SHOWN_LINES)}"
    return f"The header is repeated in {lines}"


def read_chunks(path: Path, form: FileFormat, names: list[str]) -> Iterator[pd.DataFrame]:
    """Yield the rows as text, without blanks around it and without the misfits.

    Raises:
        UserError: the file cannot be read as CSV.
    """
    for chunk in chunks(path, form, len(names), "strict"):
        yield chunk.rows.set_axis(names, axis="columns")


def _profile(
    path: Path, form: FileFormat, names: list[str], roles: Mapping[str, Role], errors: str = "strict"
) -> Profile:
    columns = [Column(name, roles.get(name, IGNORED)) for name in names]
    rows = misfits = refused = dropped = 0
    first_misfit: Record | None = None
    repeats: list[int] = []
    hashes: list[np.ndarray] = []
    for frame, others, first, repeated in chunks(path, form, len(names), errors):
        row_hashes = np.zeros(len(frame), np.uint64)
        is_refused, is_dropped = np.zeros((2, len(frame)), bool)
        for column, (_, texts) in zip(columns, frame.items(), strict=True):
            added = column.add(texts)
            row_hashes = row_hashes * _MIX + added.hashes
            is_refused |= added.are_refused
            is_dropped |= added.are_dropped
        if rows < _MOST_COMPARED:
            hashes.append(row_hashes[: _MOST_COMPARED - rows])
        rows += len(frame)
        misfits += others
        first_misfit = first_misfit or first
        repeats += repeated
        refused += int((is_refused & ~is_dropped).sum())
        dropped += int(is_dropped.sum())
    compared = np.concatenate(hashes) if hashes else np.empty(0, np.uint64)
    duplicates = len(compared) - len(np.unique(compared))
    return Profile(
        path,
        form,
        columns,
        rows,
        misfits,
        first_misfit,
        repeats,
        refused,
        dropped,
        duplicates,
        len(compared),
        is_decoded=errors == "strict",
    )


def _format_of(path: Path) -> FileFormat:
    try:
        with opened(path) as file:
            start = file.read(_SAMPLE_BYTES)
            is_utf8 = _is_utf8(chain([start], iter(lambda: file.read(_SAMPLE_BYTES), b"")))
    except UNREADABLE as error:
        raise UserError(f"{path}: cannot be read: {reason(error)}") from None
    if not start.strip():
        raise UserError(f"{path}: {EMPTY}")
    if is_utf16(start):
        raise UserError(f"{path}: {UTF16}")
    if b"\0" in start:
        raise UserError(f"{path}: holds NUL bytes, so it is no text: save it as CSV in UTF-8")
    # cp1252 is what Windows' programs write in western Europe and America.
    encoding = "UTF-8" if is_utf8 else "cp1252"
    text = start.decode(encoding, "replace")
    if fault := line_for_excel_in(text):
        raise UserError(f"{path}: {fault}")
    lines = text.splitlines()[:_SAMPLE_LINES]
    delimiter = max(DELIMITERS, key=lambda delimiter: _regularity(lines, delimiter))
    return FileFormat(encoding, delimiter, _decimal_of(lines, delimiter))


def _decimal_of(lines: list[str], delimiter: str) -> str:
    """Return the decimal separator of most numbers that have one."""
    fields = [field.strip() for row in csv.reader(lines, delimiter=delimiter) for field in row]
    points = [field for field in fields if re.fullmatch(_DECIMAL_POINT, field)]
    commas = [field for field in fields if re.fullmatch(DECIMAL_COMMA, field)]
    # Who separates fields by commas writes decimal points, so that 1,234 is an integer there.
    if delimiter == "," and all(re.fullmatch(THOUSANDS, field) for field in commas):
        return "."
    return "," if len(commas) > len(points) else "."


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
    names = first_record(path, form)
    if are_numbers(names):
        raise UserError(f"{path}: its first line holds numbers and no names: add a header that names the columns")
    if repeated := {name for name in names if names.count(name) > 1}:
        raise UserError(f"{path}: the header names {sorted(repeated)[0]!r} twice: give each column a name of its own")
    return names
