"""Writes scored rows to a CSV file, which is whole or absent."""

from __future__ import annotations

import csv
import itertools
import uuid
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from pipeline.errors import UserError
from pipeline.operate.prediction import ScoredRow
from pipeline.operate.row_batches import InputFile

PREDICTION, ERROR = "prediction", "error"
_BUFFER = 1 << 20


class ScoredFile:
    """A CSV file of the input's columns and the predictions.

    The columns are those of the input, ``prediction`` and the scores of classes; without those of the input if it has
    no header. If a row is bad, the file has a column ``error`` too. If the input has a column of such a name, the added
    one has a number: ``prediction_2``. The delimiter and UTF-8's byte order mark are those of the first input file.

    Use it as a context: the file appears, or replaces another one, when the context ends without an exception.

    Args:
        path: the file.
        inputs: the files that are scored.
        score_columns: the names of a row's scores; none if the label is a number.
        encoding: the character encoding of the input and of this file.
        decimal: the decimal separator of the input and of this file.

    Raises:
        UserError: the path is a folder or a device, the input's files differ in their columns, or the file is among
            them.
    """

    def __init__(
        self, path: Path, inputs: Sequence[InputFile], score_columns: Sequence[str], encoding: str, decimal: str = "."
    ) -> None:
        _check_place(path)
        self._path = path
        self._encoding = "utf-8-sig" if inputs[0].stored.has_mark else encoding
        self._decimal = decimal
        self._delimiter = inputs[0].layout.delimiter
        self._names = list(inputs[0].layout.names) if inputs[0].layout.header else []
        self._unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        self._has_errors = False
        _check(path, inputs)
        self._columns = _free_names([PREDICTION, *score_columns, ERROR], self._names)
        *self._added, self._error = self._columns.values()
        # Files may have their columns in different orders.
        self._orders = {
            file.name: [list(file.layout.names).index(name) for name in self._names]
            for file in inputs
            if list(file.layout.names) != list(inputs[0].layout.names)
        }

    def __enter__(self) -> ScoredFile:
        """Begin a file beside the path.

        Raises:
            UserError: the folder cannot be written to.
        """
        try:
            self._file = self._open(self._unfinished, "x")
        except OSError as error:
            raise UserError(f"{self._path}: cannot be written: {error.strerror}") from None
        self._writer = self._csv_writer(self._file)
        self._writer.writerow([*self._names, *self._added])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the file appear, or delete it after an exception.

        Raises:
            UserError: the path cannot be replaced.
        """
        try:
            self._file.close()
            if kind is None:
                self._appear()
        finally:
            self._unfinished.unlink(missing_ok=True)

    def _appear(self) -> None:
        try:
            self._unfinished.replace(self._path)
        except OSError as error:
            raise UserError(f"{self._path}: cannot be replaced: {error.strerror}") from None

    @property
    def renamed(self) -> dict[str, str]:
        """The added columns whose usual name the input has already, with the names that they have instead."""
        added = [*self._added, self._error] if self._has_errors else self._added
        return {name: own for name, own in self._columns.items() if own != name and own in added}

    def write(self, row: ScoredRow) -> None:
        """Append a row."""
        if row.error is not None and not self._has_errors:
            self._add_error_column()
        fields: list[Any] = self._fields(row) if self._names else []
        fields += [""] * len(self._added) if row.prediction is None else map(self._text, (row.prediction, *row.scores))
        if self._has_errors:
            fields.append(self._storable(row.error or ""))
        self._writer.writerow(fields)

    def _text(self, value: float | str) -> str:
        return value if isinstance(value, str) else repr(value).replace(".", self._decimal)

    def _storable(self, error: str) -> str:
        """Return a message with escapes for characters that the file's encoding lacks; the rows came from the file."""
        return error.encode(self._encoding, "backslashreplace").decode(self._encoding)

    def _fields(self, row: ScoredRow) -> list[str]:
        width = len(self._names)
        fields = list(row.fields)
        if len(fields) != width:  # a bad row
            fields = (fields + [""] * width)[:width]
        order = self._orders.get(row.file.name)
        return fields if order is None else [fields[position] for position in order]

    def _add_error_column(self) -> None:
        """Copy the rows so far, because only now a row has an error."""
        self._has_errors = True
        self._file.close()
        longer = self._unfinished.with_name(f"{self._unfinished.name}.errors")
        file = self._open(longer, "x")
        try:
            writer = self._csv_writer(file)
            with self._open(self._unfinished, "r") as shorter:
                rows = csv.reader(shorter, delimiter=self._delimiter)
                writer.writerow([*next(rows), self._error])
                writer.writerows([*row, ""] for row in rows)
            longer.replace(self._unfinished)
        finally:
            longer.unlink(missing_ok=True)
        self._file, self._writer = file, writer

    def _open(self, path: Path, mode: str) -> IO[str]:
        # A large buffer: each system call lets another thread take the interpreter's lock for milliseconds.
        return path.open(mode, buffering=_BUFFER, encoding=self._encoding, errors="surrogateescape", newline="")

    def _csv_writer(self, file: IO[str]) -> Any:
        return csv.writer(file, delimiter=self._delimiter, lineterminator="\n")


def _check_place(path: Path) -> None:
    # The rows are scored first, for which a transform job costs money, and the file replaces the path afterwards.
    if path.is_dir():
        raise UserError(f"OUTPUT={path} is a folder: name a file, for example OUTPUT={path / 'scored.csv'}")
    if path.exists() and not path.is_file():
        raise UserError(f"OUTPUT={path} is a device or a pipe: name a file")


def _free_names(wanted: Sequence[str], taken: Sequence[str]) -> dict[str, str]:
    """Return a name for each wanted one: itself, or if that is taken, with the first free number from 2 on."""
    used, names = {*wanted, *taken}, {name: name for name in wanted}
    for name in set(wanted).intersection(taken):
        numbered = (f"{name}_{number}" for number in itertools.count(2))
        names[name] = next(each for each in numbered if each not in used)
        used.add(names[name])
    return names


def _check(path: Path, inputs: Sequence[InputFile]) -> None:
    first = inputs[0]
    for file in inputs:
        if file.layout.header != first.layout.header or sorted(file.layout.names) != sorted(first.layout.names):
            raise UserError(
                f"{file.name}: its columns differ from those of {first.name}, and OUTPUT has one header. "
                "Score the files one by one, or without OUTPUT"
            )
        if path.exists() and not file.name.startswith("s3://") and path.samefile(file.name):
            raise UserError(f"OUTPUT={path} is a file of INPUT: give it another name")
