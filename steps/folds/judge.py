"""Judges which lines are rows and what is wrong with the others, and encodes rows.

A block of plain numbers is accepted as it is. Any other block is split into columns. If all values of all columns are
valid, all lines are rows. Otherwise each line is judged by itself.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, compress, islice

import numpy as np
import numpy.typing as npt

from folds.columns import Declared, FileColumns, Format
from folds.errors import FoldError
from folds.plain import Places, are_rows, leading_classes, line_ends
from folds.preparer import NUMBER, Preparer
from folds.spans import Span, blocks
from folds.text import number_of, shortened
from folds.verdicts import Columns, Judged, Rejected, Verdict

_NUMBER = re.compile(NUMBER)
_ANY_NUMBER = re.compile(
    r"[+-]?(?:(?i:nan|infinity|inf|null|none|n/a|na)|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
)
_NOT_TEXT = re.compile("[\udc80-\udcff\ufffd\\x00]")
"""Invalid bytes. A NUL among numbers is a sign of UTF-16 or of a binary file."""

BLOCK, SMALLEST_BLOCK = 1 << 20, 1 << 12
"""The size of a block in bytes: small enough for a core's cache."""

_ENCODED = 1 << 22
"""The approximate maximum size of an encoded block, in bytes."""

_RECORDS = 4096
_LONG_CODES = 512
"""Categories whose codes are made when they are needed: together they are as many bytes as the square of this."""

csv.field_size_limit(2**31 - 1)


@dataclass(frozen=True)
class Table:
    """The table that a dataset's files contain, known before its rows are read.

    Attributes:
        columns: the columns of its files.
        form: the format of its files.
        header: the first line of each file; None without a header.
        by_column: whether labels or groups are needed, so that even plain numbers are split into columns.
    """

    columns: FileColumns
    form: Format
    header: str | None
    by_column: bool


def with_declared(table: Table, declared: Declared) -> Table:
    """Return the table with other declared columns."""
    return replace(table, columns=replace(table.columns, declared=declared))


@dataclass(frozen=True)
class Known:
    """What an earlier reading has shown about all lines of a span.

    Attributes:
        rows: whether all lines are rows.
        plain: whether all lines can be written unchanged.
    """

    rows: bool
    plain: bool


UNKNOWN = Known(rows=False, plain=False)


class HeaderMissingError(Exception):
    """A file does not begin with the header of the other files."""


class QuotedAcrossLinesError(Exception):
    """A quoted field contains a line break, so the file cannot be read in parts."""


class Judge:
    """Judges and encodes the rows of one dataset."""

    def __init__(self, table: Table) -> None:
        declared, form = table.columns.declared, table.form
        self._form, self._header = form, table.header
        self._width = len(table.columns.names)
        self._needed = [(name, table.columns.positions[name]) for name in declared.needed]
        self._numbers = len(declared.numbers)
        self._preparer = Preparer(declared)
        self._categories = [frozenset(values) for values in self._preparer.categories]
        self._codes = [_codes(values) for values in self._preparer.categories]
        self._dates = {declared.needed.index(name) for name in declared.preparation.dates}
        self._classes = len(declared.preparation.classes)
        self._group = None if declared.groups is None else declared.needed.index(declared.groups)
        self._are_numbers = re.compile(f"(?:{NUMBER},){{{self._numbers - 1}}}{NUMBER}")
        as_read = table.columns.written_as_read and form.delimiter == "," and not table.by_column
        self._plain = as_read
        # A header may look like a row of numbers.
        self._header_line = form.encode(f"{table.header}\n") if table.header is not None else b""
        separator = form.encode(form.delimiter)
        self._separators = separator * (self._width - 1) + b"\n"
        self._not_separators = bytes({*range(256)} - {*self._separators})
        header = self._columns(self._header_line, f"{table.header}\n", 1) if self._header_line else None
        self._treacherous = header is not None and self._all_rows(header, self._preparer.prepare(header))
        self._block = max(SMALLEST_BLOCK, min(BLOCK, _ENCODED * self._width // max(1, len(declared.features))))

    def read(self, span: Span, known: Known = UNKNOWN) -> Iterator[Judged]:
        """Judge the lines of a span.

        Args:
            span: the span.
            known: what an earlier reading has shown about them.

        Raises:
            HeaderMissingError: the span begins a file that does not begin with the header.
            QuotedAcrossLinesError: a quoted field contains a line break, which was not known before.
        """
        texts = self._without_header(span)
        if span.across_lines:
            yield from self._read_across_lines(texts)
            return
        for text in texts:
            yield self.judge(text, known)

    def judge(self, block: bytes, known: Known = UNKNOWN) -> Judged:
        """Judge a block of lines.

        Args:
            block: the lines.
            known: what an earlier reading has shown about them.

        Raises:
            QuotedAcrossLinesError: a quoted field contains a line break.
        """
        ends = None if known.plain else line_ends(block)
        count = block.count(b"\n") if ends is None else len(ends)
        suspicious = self._treacherous and self._header_line in block
        if self._plain and not suspicious and (ends is None or self._are_plain(block, ends)):
            return Judged(count, 0, count, block, ends=ends)
        text = self._form.decode(block)
        columns = None if '"' in text or suspicious else self._columns(block, text, count)
        if judged := self._all_judged(columns, block, known, ends):
            return judged
        lines = text[:-1].split("\n")
        records = self._records(lines, text)
        columns = None if suspicious else self._columns_of_records(records)
        if judged := self._all_judged(columns, block, known, ends):
            return judged
        return self._one_by_one(lines, records, range(count), count)

    def encode(self, judged: Judged) -> bytes:
        """Return rows as the folds contain them: the label, the numbers, then 0 or 1 for each category."""
        if judged.prepared is None or not judged.rows:
            return judged.raw
        numbers, categories = self._parts(judged.prepared)
        coded = (map(code, values) for code, values in zip(self._codes, categories, strict=True))
        try:
            text = "\n".join(map(",".join, zip(*numbers, *coded, strict=True)))
            return f"{text}\n".encode("ascii")
        except (KeyError, UnicodeEncodeError):
            # This happens only for lines that the first reading accepted.
            raise FoldError("the input changed while it was read. Run again when it is complete") from None

    def labels(self, judged: Judged) -> npt.NDArray[np.float64]:
        """Return the label of each row."""
        assert judged.prepared is not None
        return np.fromiter(map(float, judged.prepared[0]), np.float64, judged.rows)

    def classes(self, judged: Judged) -> npt.NDArray[np.uint16]:
        """Return the class of each row, from 0."""
        if judged.prepared is None:
            ends = line_ends(judged.raw) if judged.ends is None else judged.ends
            found = leading_classes(judged.raw, ends, self._classes)
            assert found is not None
            return found
        return np.fromiter(map(int, judged.prepared[0]), np.uint16, judged.rows)

    def groups(self, judged: Judged) -> Sequence[str]:
        """Return the group of each row."""
        assert judged.columns is not None
        assert self._group is not None
        return judged.columns[self._group]

    def _are_plain(self, block: bytes, ends: Places) -> bool:
        is_plain = are_rows(block, ends, self._width)
        return is_plain and (not self._classes or leading_classes(block, ends, self._classes) is not None)

    def _without_header(self, span: Span) -> Iterator[bytes]:
        for number, block in enumerate(blocks(span, self._block)):
            if number or span.start or not self._header_line:
                yield block
            elif not block.startswith(self._header_line):
                raise HeaderMissingError
            elif block != self._header_line:
                yield block[len(self._header_line) :]

    def _read_across_lines(self, texts: Iterator[bytes]) -> Iterator[Judged]:
        taken: list[str] = []

        def lines() -> Iterator[str]:
            for text in texts:
                for line in self._form.decode(text)[:-1].split("\n"):
                    taken.append(line)
                    yield f"{line}\n"

        reader = csv.reader(lines(), delimiter=self._form.delimiter)
        while True:
            first, batch, own_texts, starts = reader.line_num, [], [], []
            for record in islice(reader, _RECORDS):
                batch.append(record)
                own_texts.append("\n".join(taken))
                starts.append(reader.line_num - len(taken) - first)
                taken.clear()
            if not batch:
                return
            yield self._one_by_one(own_texts, batch, starts, reader.line_num - first)

    def _records(self, lines: Sequence[str], text: str) -> list[list[str]]:
        if '"' not in text:
            return [line.split(self._form.delimiter) for line in lines]
        # A quoted field that is still open at the end takes the additional line.
        records = list(csv.reader(chain(lines, [""]), delimiter=self._form.delimiter))
        if len(records) != len(lines) + 1:
            raise QuotedAcrossLinesError
        return records[:-1]

    def _columns(self, block: bytes, text: str, lines: int) -> Columns | None:
        """Split lines without quotes into columns; return None if a line has a wrong number of fields."""
        if block.translate(None, self._not_separators) != self._separators * lines:
            return None
        fields = text[:-1].replace("\n", self._form.delimiter).split(self._form.delimiter)
        padded = any(blank in text for blank in self._form.blanks)
        return [self._stripped(fields[position :: self._width], padded) for _, position in self._needed]

    def _columns_of_records(self, records: Sequence[Sequence[str]]) -> Columns | None:
        if any(len(record) != self._width for record in records):
            return None
        columns = list(zip(*records, strict=True)) or [()] * self._width
        return [self._stripped(columns[position], padded=True) for _, position in self._needed]

    def _stripped(self, column: Sequence[str], padded: bool) -> Sequence[str]:
        return [text.strip(self._form.blanks) for text in column] if padded else column

    def _parts(self, columns: Columns) -> tuple[Columns, Columns]:
        """Return the columns of numbers and the columns of categories."""
        last = self._numbers + len(self._codes)
        return columns[: self._numbers], columns[self._numbers : last]

    def _all_judged(self, columns: Columns | None, block: bytes, known: Known, ends: Places | None) -> Judged | None:
        """Return the block if all of its lines are rows, but for those that a missing value drops."""
        if columns is None:
            return None
        lines, drops = len(columns[0]), self._preparer.drops(columns)
        if drops:
            kept = [line not in drops for line in range(lines)]
            columns = [list(compress(column, kept)) for column in columns]
            block, ends = b"".join(line + b"\n" for line in compress(block.split(b"\n"), kept)), None
        prepared = self._preparer.prepare(columns)
        if not known.rows and not self._all_rows(columns, prepared):
            return None
        return Judged(len(columns[0]), 0, lines, block, columns, prepared, dropped=Counter(drops.values()), ends=ends)

    def _all_rows(self, columns: Columns, prepared: Columns) -> bool:
        numbers, categories = self._parts(prepared)
        if not columns or not numbers[0]:
            return False
        text = "\n".join(chain.from_iterable(numbers))
        if not text.isascii():
            return False
        block = f"{text}\n".encode()
        ends = line_ends(block)
        return (
            len(ends) == len(numbers) * len(numbers[0])
            and are_rows(block, ends, 1)
            and all(known.issuperset(values) for known, values in zip(self._categories, categories, strict=True))
            and (self._group is None or "" not in columns[self._group])
        )

    def _one_by_one(
        self, texts: Sequence[str], records: Sequence[Sequence[str]], starts: Sequence[int], lines: int
    ) -> Judged:
        rows, rejected, blank, dropped = [], [], 0, Counter[str]()
        fields = [self._fields(record) for record in records]
        prepared = self._prepared_rows(fields)
        for number, (text, record) in enumerate(zip(texts, records, strict=True)):
            if not text.strip(" "):
                blank += 1
                continue
            own = fields[number]
            if own and (column := self._preparer.dropped(own)) is not None:
                dropped[column] += 1
                continue
            fault = self._fault(text, record, own, prepared.get(number, ()))
            if fault is None:
                rows.append(number)
            else:
                rejected.append(Rejected(starts[number], fault[0], text, fault[1]))
        # A row with line breaks within quotes would become several lines.
        raw = "".join(f"{texts[row]}\n" if "\n" not in texts[row] else f"{texts[row]!r}\n" for row in rows)
        columns = self._columns_of_records([records[row] for row in rows])
        assert columns is not None
        return Judged(
            len(rows),
            blank,
            lines,
            self._form.encode(raw),
            columns,
            list(zip(*(prepared[row] for row in rows), strict=True)),
            dropped,
            rejected,
        )

    def _fields(self, record: Sequence[str]) -> list[str]:
        """Return the needed fields of a record; none if it has a wrong number of fields."""
        if len(record) != self._width:
            return []
        return [record[position].strip(self._form.blanks) for _, position in self._needed]

    def _prepared_rows(self, fields: Sequence[Sequence[str]]) -> dict[int, tuple[str, ...]]:
        """Return the prepared fields of the records that have the right number of fields."""
        numbers = [number for number, own in enumerate(fields) if own]
        if not numbers:
            return {}
        columns = self._preparer.prepare(list(zip(*(fields[number] for number in numbers), strict=True)))
        return dict(zip(numbers, zip(*columns, strict=True), strict=True))

    def _fault(
        self, text: str, record: Sequence[str], fields: Sequence[str], prepared: Sequence[str]
    ) -> tuple[Verdict, str] | None:
        if text == self._header:
            return Verdict.HEADER_AMONG_ROWS, ""
        if not fields:
            if _NOT_TEXT.search(text):
                return Verdict.WRONG_ENCODING, ""
            return Verdict.WRONG_COLUMNS, f"{number_of(len(record), 'field')} in {number_of(self._width, 'column')}"
        last = self._numbers + len(self._codes)
        if (
            self._are_numbers.fullmatch(",".join(prepared[: self._numbers]))
            and all(
                value in known for known, value in zip(self._categories, prepared[self._numbers : last], strict=True)
            )
            and (self._group is None or fields[self._group])
        ):
            return None
        if _NOT_TEXT.search(text):
            return Verdict.WRONG_ENCODING, ""
        return self._worst(fields, prepared)

    def _worst(self, fields: Sequence[str], prepared: Sequence[str]) -> tuple[Verdict, str]:
        """Return the worst fault of a row that has one."""
        sources = self._preparer.sources
        faults = {
            sources[place]: fault
            for place, value in reversed(list(enumerate(prepared[: len(sources)])))
            if (fault := self._fault_of_field(place, value, fields[sources[place]])) is not None
        }
        if self._group is not None and not fields[self._group]:
            faults.setdefault(self._group, Verdict.MISSING_VALUE)
        source = min(faults, key=lambda source: (-faults[source], source))
        return faults[source], f"column {shortened(self._needed[source][0], 60)}: {shortened(fields[source], 40)}"

    def _fault_of_field(self, place: int, text: str, source: str) -> Verdict | None:
        """Return the fault of a prepared field, whose text in the file is ``source``."""
        if place >= self._numbers:
            if text in self._categories[place - self._numbers]:
                return None
            return Verdict.UNKNOWN_CATEGORY if text else Verdict.MISSING_VALUE
        return None if _NUMBER.fullmatch(text) else self._fault_of_number(place, text, source)

    def _fault_of_number(self, place: int, text: str, source: str) -> Verdict:
        if not source or self._preparer.is_missing(source):
            return Verdict.MISSING_VALUE
        if self._classes and not place:
            return Verdict.UNKNOWN_CLASS
        if self._preparer.sources[place] in self._dates:
            return Verdict.NOT_A_DATE
        if not text:
            return Verdict.NO_LOGARITHM
        return Verdict.NOT_FINITE if _ANY_NUMBER.fullmatch(text) else Verdict.NOT_NUMERIC


def _codes(values: Sequence[str]) -> Callable[[str], str]:
    """Return the one-hot encoding of a category: 1 for its value and 0 for the others."""
    places = {value: place for place, value in enumerate(values)}
    zeros = "0," * len(values)

    def code(value: str) -> str:
        place = places[value]
        return f"{zeros[: 2 * place]}1{zeros[2 * place + 1 : -1]}"

    return code if len(values) > _LONG_CODES else {value: code(value) for value in values}.__getitem__
