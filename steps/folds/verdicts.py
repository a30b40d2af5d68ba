"""What is said of judged lines: which are rows, and why the others are rejected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from folds.plain import Places

Columns = Sequence[Sequence[str]]
"""The needed columns of some rows, in the order of ``Declared.needed``, without blanks around fields."""


class Verdict(IntEnum):
    """The fault of a line; if a line has several, the last of these is reported."""

    WRONG_ENCODING = 1
    WRONG_COLUMNS = 2
    MISSING_VALUE = 3
    NOT_FINITE = 4
    NOT_NUMERIC = 5
    NOT_A_DATE = 6
    NO_LOGARITHM = 7
    UNKNOWN_CATEGORY = 8
    UNKNOWN_CLASS = 9
    HEADER_AMONG_ROWS = 10

    @property
    def reason(self) -> str:
        """The fault's name in folds.json."""
        return self.name.lower()


DESCRIPTIONS = {
    Verdict.WRONG_ENCODING: "not text in the declared encoding",
    Verdict.WRONG_COLUMNS: "wrong number of columns",
    Verdict.MISSING_VALUE: "missing value",
    Verdict.NOT_FINITE: "NaN, infinity or too large a number",
    Verdict.NOT_NUMERIC: "not a number",
    Verdict.NOT_A_DATE: "not a date in the declared format",
    Verdict.NO_LOGARITHM: "label without log1p: it is not above -1",
    Verdict.UNKNOWN_CATEGORY: "category that is not declared",
    Verdict.UNKNOWN_CLASS: "label that is not among dataset.classes",
    Verdict.HEADER_AMONG_ROWS: "header among the rows",
}


@dataclass(frozen=True)
class Rejected:
    """A rejected line.

    Attributes:
        line: its number among the judged lines, from 0; for a record of several lines, that of the first.
        verdict: its fault.
        text: its text in the file.
        detail: the column at fault and its value, or the number of fields; may be empty.
    """

    line: int
    verdict: Verdict
    text: str
    detail: str


@dataclass(frozen=True)
class Judged:
    """The judged lines of a span.

    Attributes:
        rows: the number of rows.
        blank: the number of blank lines.
        lines: the number of lines.
        raw: the rows as in the file, one per line.
        columns: the rows' needed columns; None if ``raw`` can be written unchanged.
        prepared: the same columns as they are encoded, see ``Preparer``.
        dropped: the number of rows that were left out because of a missing value, by column.
        rejected: the rejected lines.
        ends: the positions of the line breaks in ``raw``, if they are known.
    """

    rows: int
    blank: int
    lines: int
    raw: bytes
    columns: Columns | None = None
    prepared: Columns | None = None
    dropped: Counter[str] = field(default_factory=Counter)
    rejected: list[Rejected] = field(default_factory=list)
    ends: Places | None = None
