"""Reads the rows of a local CSV file, and counts their fields as MakeFolds does."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, repeat
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.config.delimited import line_break_in
from pipeline.config.input_file import UNREADABLE, opened, reason
from pipeline.errors import UserError

_MOST_ROWS, _MOST_CELLS = 100_000, 2_000_000
"""The size of the chunks in which a file is read."""

_BATCH = 1000
"""The number of records that are split at once."""

Columns = Sequence[Sequence[str]]
Batches = Iterator[tuple[int, list[list[str]]]]
"""Records, and the line in which the first of them begins."""

# As in MakeFolds: a long text is no fault.
csv.field_size_limit(2**31 - 1)


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


class Record(NamedTuple):
    """A row of a file.

    Attributes:
        line: the line in which it begins, from 1.
        fields: its fields.
    """

    line: int
    fields: list[str]


class Chunk(NamedTuple):
    """Consecutive rows of a file.

    Attributes:
        rows: those with as many fields as there are columns, as text without blanks around it.
        misfits: the number of the others.
        first_misfit: the first of them; None if there is none.
        repeats: the lines that repeat the header. They are not among the rows.
    """

    rows: pd.DataFrame
    misfits: int
    first_misfit: Record | None
    repeats: list[int]


class _Batch(NamedTuple):
    """The columns of some records, and what else is a field of ``Chunk``."""

    columns: Columns
    misfits: int = 0
    first_misfit: Record | None = None
    repeats: Sequence[int] = ()


def first_record(path: Path, form: FileFormat, errors: str = "strict") -> list[str]:
    """Return the fields of a file's first record, without blanks around them.

    Raises:
        UserError: the file cannot be read, its first line is blank, or a name in its header has a line break.
    """
    _, batch = next(_batches(path, form, errors))
    if _is_blank(batch[0]):
        raise UserError(f"{path}: its first line is blank: remove it, so that the file begins with its header")
    if form.header and (fault := line_break_in(batch[0])):
        raise UserError(f"{path}: {fault}")
    return [field.strip() for field in batch[0]]


def chunks(path: Path, form: FileFormat, width: int, errors: str) -> Iterator[Chunk]:
    """Yield the rows of a file. Blank lines are left out.

    Args:
        path: the file.
        form: how it is read.
        width: the number of its columns.
        errors: what to do about bytes in another encoding, see ``open``.

    Raises:
        UserError: the file cannot be read as CSV.
    """
    count = max(1, min(_MOST_ROWS, _MOST_CELLS // width) // _BATCH)
    batches = _batches(path, form, errors)
    header = next(batches)[1][0] if form.header else None
    while parts := list(_columns_of_batches(batches, count, width, header)):
        columns = zip(*(part.columns for part in parts), strict=True)
        frame = pd.DataFrame(dict(enumerate(map(_column, columns))))
        first = next((part.first_misfit for part in parts if part.first_misfit is not None), None)
        repeats = list(chain.from_iterable(part.repeats for part in parts))
        yield Chunk(frame, sum(part.misfits for part in parts), first, repeats)


def picked(
    path: Path, form: FileFormat, width: int, place: int, pick: Callable[[pd.Series[str]], npt.NDArray[np.bool_]]
) -> Iterator[tuple[int, str]]:
    """Yield some values of a column, each with the line in which its row begins.

    Args:
        path: the file.
        form: how it is read.
        width: the number of its columns.
        place: the column's position.
        pick: returns which of some texts are yielded.

    Raises:
        UserError: the file cannot be read as CSV.
    """
    batches = _batches(path, form, "replace")
    if form.header:
        next(batches)
    for line, batch in batches:
        places = [number for number, fields in enumerate(batch) if len(fields) == width]
        texts = _column([[batch[number][place] for number in places]])
        for chosen in np.flatnonzero(pick(texts)).tolist():
            yield _line_at(places[chosen], line, batch), texts[chosen]


def _columns_of_batches(batches: Batches, count: int, width: int, header: list[str] | None) -> Iterator[_Batch]:
    """Yield the columns of each of the next batches, without the misfits and the repeated headers."""
    for line, batch in islice(batches, count):
        fitting = [fields for fields in batch if len(fields) == width and fields != header and not _is_blank(fields)]
        # Lists, unlike texts, cost the garbage collector time: only those of one batch exist at once.
        columns = list(zip(*fitting, strict=True)) or [()] * width
        if len(fitting) == len(batch):
            yield _Batch(columns)
            continue
        misfits = [place for place, fields in enumerate(batch) if len(fields) != width and not _is_blank(fields)]
        first = Record(_line_at(misfits[0], line, batch), batch[misfits[0]]) if misfits else None
        repeats = [_line_at(place, line, batch) for place, fields in enumerate(batch) if fields == header]
        yield _Batch(columns, len(misfits), first, repeats)


def _line_at(place: int, line: int, batch: list[list[str]]) -> int:
    """Return the line in which a record of a batch begins; the batch begins in ``line``."""
    return line + sum(map(_lines_of, batch[:place]))


def _column(parts: Iterable[Sequence[str]]) -> pd.Series[str]:
    return pd.Series(list(chain.from_iterable(parts)), dtype="str").str.strip()


def _batches(path: Path, form: FileFormat, errors: str) -> Batches:
    """Yield the first record, and then the others; a blank line is an empty record."""
    batch: list[list[str]] = []
    line = 1
    try:
        with opened(path) as file, io.TextIOWrapper(file, form.encoding, errors) as text:
            lines = chain([text.readline().removeprefix("\ufeff")], text)
            # A quoted field that is still open at the end takes the additional line.
            reader = csv.reader(chain(lines, [""]), delimiter=form.delimiter)
            for size in chain([1], repeat(_BATCH)):
                records = list(islice(reader, size))
                if not records:
                    break
                yield line, records
                batch, line = records, reader.line_num + 1
    except UNREADABLE as error:
        raise UserError(f"{path}: cannot be read: {reason(error)}") from None
    except csv.Error as error:
        raise UserError(f"{path}: cannot be read as CSV: {error}") from None
    if last := batch[-1]:
        raise UserError(f"{path}: a quote is not closed. Its row begins in line {line - _lines_of(last)}")


def _lines_of(fields: list[str]) -> int:
    return 1 + sum(field.count("\n") for field in fields)


def _is_blank(fields: list[str]) -> bool:
    return not fields or (len(fields) == 1 and set(fields[0]) == {" "})
