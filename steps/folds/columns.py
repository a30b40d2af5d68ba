"""The format of the files, the columns that the user declared, and their positions in the files."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from folds.errors import FoldError
from folds.preparation import Preparation
from folds.text import shortened, some_of

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Format:
    """The format of the CSV files.

    Attributes:
        header: whether the first line of each file names the columns.
        delimiter: the character between fields.
        encoding: a character encoding in which ASCII characters are one byte, for example UTF-8 or ISO-8859-1.
    """

    header: bool
    delimiter: str
    encoding: str

    def __post_init__(self) -> None:
        if len(self.delimiter) != 1 or self.delimiter.isalnum() or self.delimiter in '".+-_\r\n\\':
            raise FoldError(
                f"the delimiter {self.delimiter!r} cannot be used: give one character that is in no number, "
                "such as ',', ';', '|' or a tab"
            )
        try:
            one_byte = f"0{self.delimiter}".encode(self.encoding) == f"0{self.delimiter}".encode("latin-1")
        except LookupError:
            raise FoldError(f"the encoding {self.encoding!r} is not known: UTF-8 and ISO-8859-1 are usual") from None
        except UnicodeEncodeError:
            one_byte = False
        if not one_byte:
            raise FoldError(
                f"the encoding {self.encoding} is not supported, as its lines cannot be told apart by bytes: "
                f"convert the files, for example with iconv -f {self.encoding} -t UTF-8"
            )

    @property
    def blanks(self) -> str:
        """Characters that may surround fields."""
        return " \t".replace(self.delimiter, "")

    def decode(self, block: bytes) -> str:
        """Decode bytes of a file; invalid bytes become surrogates."""
        return block.decode(self.encoding, "surrogateescape")

    def encode(self, text: str) -> bytes:
        """Encode text; the inverse of ``decode``."""
        return text.encode(self.encoding, "surrogateescape")


@dataclass(frozen=True)
class Declared:
    """The columns that the user declared.

    Attributes:
        label: the column to predict, written first.
        numeric: columns of numbers.
        categorical: the values of each one-hot encoded column, in the order of the encoding; none if they are found in
            the data and not known yet.
        groups: a column; rows with the same value stay in one fold. It is written only if it is also declared above.
        preparation: dates, missing values and whatever else changes the columns.
        unused: all other columns of the files; None if these may have any others.
    """

    label: str
    numeric: Sequence[str]
    categorical: Mapping[str, Sequence[str]] = field(default_factory=dict)
    groups: str | None = None
    preparation: Preparation = field(default_factory=Preparation)
    unused: Sequence[str] | None = None

    def __post_init__(self) -> None:
        names = [self.label, *self._sources, *(self.unused or [])]
        for name in [*names, self.groups or ""]:
            try:
                name.encode()
            except UnicodeEncodeError:
                raise FoldError(f"the name of the column {name!r} is not UTF-8") from None
        for name, times in Counter(names).items():
            if times > 1:
                raise FoldError(
                    f"the column {name!r} is declared twice: each is the label, numeric, a date, categorical or ignored"
                )
        if not self._sources:
            raise FoldError("no feature is declared: name numeric or categorical columns")

    @property
    def numbers(self) -> list[str]:
        """The prepared columns of numbers: the label, the numeric columns, the parts of dates, and indicators."""
        parts = [f"{name}_{part}" for name, dates in self.preparation.dates.items() for part in dates.parts]
        return [self.label, *self.numeric, *parts, *(f"{name}_missing" for name in self.preparation.indicators)]

    @cached_property
    def features(self) -> list[str]:
        """The names of the written features: numbers, then ``<column>_<value>`` for each category."""
        one_hot = [f"{name}_{value}" for name in self.categorical for value in self._encoded(name)]
        return [*self.numbers[1:], *one_hot]

    @property
    def needed(self) -> list[str]:
        """The columns to read, in their order in a file without a header."""
        names = [self.label, *self._sources]
        return names if self.groups in (None, *names) else [*names, str(self.groups)]

    @property
    def _sources(self) -> list[str]:
        """The columns that features are made from."""
        return [*self.numeric, *self.preparation.dates, *self.categorical]

    def _encoded(self, name: str) -> list[str]:
        return [*self.categorical[name], *(["other"] if name in self.preparation.other else [])]


@dataclass(frozen=True)
class FileColumns:
    """The columns of the input files, left to right.

    Attributes:
        declared: the declared columns.
        names: the names of all columns of the file. Those that are not declared are not written.
    """

    declared: Declared
    names: Sequence[str]

    @property
    def ignored(self) -> list[str]:
        """The columns of the file that are not read."""
        needed = set(self.declared.needed)
        return [name for name in self.names if name not in needed]

    @cached_property
    def positions(self) -> dict[str, int]:
        """The position of each column in the file, from 0."""
        return {name: position for position, name in enumerate(self.names)}

    @property
    def written_as_read(self) -> bool:
        """Whether a comma-separated line of the file can be written unchanged."""
        declared = self.declared
        as_declared = not declared.categorical and not declared.preparation.changes_rows
        return as_declared and list(self.names) == declared.numbers


def without_header(declared: Declared) -> FileColumns:
    """Return the columns of files without a header: label, numeric, categorical, then groups."""
    return FileColumns(declared, declared.needed)


def from_header(declared: Declared, line: str, delimiter: str) -> FileColumns:
    """Return the columns of a header, which may be in any order and include others.

    Raises:
        FoldError: the header lacks a column or has it twice, has a line break, or the line is not a header.
    """
    if len(list(csv.reader([line, ""], delimiter=delimiter))) == 1:
        raise FoldError(
            f"the header has a line break within quotes: {shortened(line)}. Remove it, or close the quote, so that the "
            "header is one line"
        )
    names = [name.strip() for name in fields_of(line, delimiter)]
    times = Counter(names)
    missing = [name for name in declared.needed if name not in times]
    if missing and all(_NUMBER.fullmatch(name) for name in names):
        raise FoldError(
            f"a header is declared, but the first line holds numbers: {shortened(line)}. "
            "If the files have no header, set dataset.header to false"
        )
    if missing:
        raise FoldError(
            f"the header lacks {some_of(missing)}; it names {some_of(names)}. "
            "Check the columns of dataset, its delimiter and encoding, and whether the files have a header"
        )
    for name in declared.needed:
        if times[name] > 1:
            raise FoldError(f"the header names the column {name!r} twice: rename one of them in the files")
    columns = FileColumns(declared, names)
    if declared.unused is not None and (unknown := [name for name in columns.ignored if name not in declared.unused]):
        raise FoldError(
            f"the header has {some_of(unknown)}, which dataset does not name: use the column, or add it to "
            "dataset.ignored"
        )
    return columns


def fields_of(line: str, delimiter: str) -> list[str]:
    """Return the fields of one line of CSV."""
    return next(csv.reader([line], delimiter=delimiter), [])
