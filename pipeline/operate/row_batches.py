"""Reads the rows of CSV files in batches and encodes them. No file is held in memory as a whole."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from pipeline.config.columns import DatasetSection
from pipeline.operate.encoding import Layout, RowEncoder, layout_of
from pipeline.operate.features import RowError
from pipeline.operate.model_columns import ModelColumns
from pipeline.operate.row_files import RowFile
from pipeline.text import number_of

_BATCH_CHARACTERS, _BATCH_ROWS = 1 << 20, 5000
"""Bounds of a batch. An endpoint takes 6 MiB, answers 6 MiB (a row has about 40 bytes), and has 60 seconds."""

_LONGEST_FIRST_LINE = 1 << 22
_FILES_AT_ONCE = 4


@dataclass(frozen=True)
class InputFile:
    """A file to score.

    Attributes:
        stored: the file.
        layout: how its rows are laid out.
    """

    stored: RowFile
    layout: Layout

    @property
    def name(self) -> str:
        """The file's path or S3 URI."""
        return self.stored.name


@dataclass
class RowBatch:
    """Rows of one file that are read, encoded and scored together.

    Attributes:
        file: the file.
        lines: the line on which each row begins.
        rows: the fields of each row.
        features: the encoded rows, without the bad ones.
        faults: the faults of the bad rows, by their index in ``rows``.
        end: the number of bytes of all files up to the end of this batch.
    """

    file: InputFile
    lines: list[int] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    features: list[str] = field(default_factory=list)
    faults: dict[int, str] = field(default_factory=dict)
    end: int = 0


def input_files(
    files: Sequence[RowFile], columns: ModelColumns, dataset: DatasetSection, note: Callable[[str], None]
) -> list[InputFile]:
    """Return the files that are not empty, with their layouts.

    Args:
        files: the files.
        columns: the model's columns.
        dataset: how files are written.
        note: takes a sentence about a delimiter that was guessed.

    Raises:
        UserError: a file has not the model's columns.
    """

    def first_line(file: RowFile) -> str:
        with file.open(dataset.encoding) as text:
            while line := text.readline(_LONGEST_FIRST_LINE):
                if line.strip():
                    return line
        return ""

    with ThreadPoolExecutor(_FILES_AT_ONCE) as pool:
        lines = list(pool.map(first_line, files))
    laid_out = [
        InputFile(file, layout_of(file.name, line, columns, dataset))
        for file, line in zip(files, lines, strict=True)
        if line
    ]
    other = [file for file in laid_out if file.layout.delimiter != dataset.delimiter and len(file.layout.names) > 1]
    if other:
        more = f" and {number_of(len(other) - 1, 'more file')}" if len(other) > 1 else ""
        note(
            f"{other[0].name}{more}: fields are separated by {other[0].layout.delimiter!r}, "
            f"although dataset.delimiter is {dataset.delimiter!r}."
        )
    return laid_out


def row_batches(
    files: Sequence[InputFile], columns: ModelColumns, encoding: str, limit: int | None
) -> Iterator[RowBatch]:
    """Read and encode rows, and yield them in batches. The same files give the same batches.

    Args:
        files: the files, in the order in which they are read.
        columns: the model's columns.
        encoding: the files' character encoding.
        limit: the maximum number of rows; None for all.

    Raises:
        UserError: a file cannot be read.
    """
    before = taken = 0
    for file in files:
        encode = RowEncoder(file.layout, columns).encode
        batch, characters = RowBatch(file), 0
        for line, row, fault in _rows(file, encoding):
            if taken == limit:
                break
            taken += 1
            size = sum(map(len, row))
            try:
                if fault is not None:
                    raise RowError(fault)  # noqa: TRY301 - as faults of the encoding
                features = encode(row)
                size = max(size, len(features))
                if characters + size > _BATCH_CHARACTERS and batch.lines:
                    batch.end = before + file.stored.position
                    yield batch
                    batch, characters = RowBatch(file), 0
                batch.features.append(features)
            except RowError as error:
                batch.faults[len(batch.lines)] = str(error)
            batch.lines.append(line)
            batch.rows.append(row)
            characters += size + 1
            if len(batch.lines) == _BATCH_ROWS:
                batch.end = before + file.stored.position
                yield batch
                batch, characters = RowBatch(file), 0
        before += file.stored.size
        if batch.lines:
            batch.end = before
            yield batch
        if taken == limit:
            return


def _rows(file: InputFile, encoding: str) -> Iterator[tuple[int, list[str], str | None]]:
    """Yield the line, the fields and the fault of each row that is not blank; the header is left out."""
    with file.stored.open(encoding) as text:
        reader = csv.reader(text, delimiter=file.layout.delimiter)
        header = file.layout.header
        while True:
            line = reader.line_num + 1
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield line, [], f"is not CSV: {error}"
                continue
            if not row or (len(row) == 1 and not row[0].strip()):
                continue
            if header:
                header = False
                continue
            yield line, row, None
