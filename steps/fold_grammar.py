"""Which lines are rows, and what is wrong with the others: one regular expression for each answer.

A line is tried against one grammar after the other, and the first that fits decides. The first is the narrowest, and
nearly all rows fit it, so that checking costs little: it gives each column the form that it has in the first rows.
In Java's regular expressions a fixed form takes a third of the time of one with optional parts, and ``[0-9]+``, which
Java knows, half of the time of ``[0-9]{1,200}+``, whose repetitions it counts.

Every part is possessive or ends at a delimiter: a line fits in one way only, so that none takes long to refuse.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from enum import IntEnum

from fold_columns import FileColumns


class Verdict(IntEnum):
    """What a line is."""

    ROW = 0
    PADDED_ROW = 1
    BLANK = 2
    HEADER = 3
    QUOTED = 4
    QUOTED_ACROSS_LINES = 5
    WRONG_ENCODING = 6
    WRONG_COLUMNS = 7
    EMPTY_FIELD = 8
    NOT_FINITE = 9
    NOT_NUMERIC = 10
    UNKNOWN_CATEGORY = 11
    HEADER_AMONG_ROWS = 12

    @property
    def reason(self) -> str:
        """The name under which folds.json counts it."""
        return self.name.lower()


ROWS = (Verdict.ROW, Verdict.PADDED_ROW)

DESCRIPTIONS = {
    Verdict.WRONG_ENCODING: "not text in the declared encoding",
    Verdict.WRONG_COLUMNS: "wrong number of columns",
    Verdict.EMPTY_FIELD: "empty field",
    Verdict.NOT_FINITE: "NaN, infinity or too large a number",
    Verdict.NOT_NUMERIC: "not a number",
    Verdict.UNKNOWN_CATEGORY: "category that is not declared",
    Verdict.HEADER_AMONG_ROWS: "header among the rows",
}
"""The verdicts by which a line is rejected, in words."""

_DIGITS = 200
"""Digits before the point that a number may have. With an exponent of two, 1e299, it stays below the largest double,
1.8e308. In lines that are no longer than this, they need not be counted."""

NUMBER = (
    rf"[+-]?+(?:[0-9]{{1,{_DIGITS}}}+(?:\.[0-9]*+)?+|\.[0-9]++)"
    r"(?:[eE](?:-[0-9]{1,3}+|\+?+(?:0[0-9]{2}|[0-9]{1,2}+)))?+"
)
ANY_NUMBER = (
    r"[+-]?+(?:(?i:nan|infinity|inf|null|none|n/a|na)|(?:[0-9]++(?:\.[0-9]*+)?+|\.[0-9]++)(?:[eE][+-]?+[0-9]++)?+)"
)
NOT_TEXT = "[\ufffd\\x00]"
"""Decoding puts U+FFFD where bytes are no text; a NUL among numbers is a sign of UTF-16 or of a binary file."""


class Grammar:
    """Java's regular expressions for the lines of one dataset."""

    def __init__(self, columns: FileColumns, delimiter: str, *, quotes: bool) -> None:
        r"""Prepare the grammar.

        Args:
            columns: the columns of a line.
            delimiter: what separates fields.
            quotes: whether ``"`` is a character like others, as it is once CSV has been parsed.
        """
        self._columns = columns
        self._delimiter = delimiter
        self._separator = re.escape(delimiter)
        self._anything = f"[^{self._separator}]*+" if quotes else f'[^{self._separator}"]*+'
        self.blanks = " \t".replace(delimiter, "")

    def usual_row(self, sample: Sequence[str]) -> tuple[str, int | None]:
        """Rows whose columns have the form that they have in a sample of lines.

        Returns:
            the regular expression, and the most characters that a line may have for it to be right, or None.
        """
        split = [line.split(self._delimiter) for line in sample]
        rows = [fields for fields in split if len(fields) == len(self._columns.names)]
        longest = None if max(map(len, sample), default=0) > _DIGITS // 2 else _DIGITS
        digits = "[0-9]+" if longest else f"[0-9]{{1,{_DIGITS}}}+"
        columns = self._columns
        return self._line(lambda name: form_of([fields[columns.position(name)] for fields in rows], digits)), longest

    def row(self) -> str:
        """All rows, except those with blanks around fields."""
        return self._line(lambda _: NUMBER)

    def padded_row(self) -> str:
        """All rows."""
        return self._line(lambda _: NUMBER, padded=True)

    def fields(self) -> str:
        """Lines with the right number of fields."""
        field = f"[^{self._separator}]*+"
        return rf"^{self._separator.join([field] * len(self._columns.names))}\z"

    def empty_field(self) -> str:
        """Lines whose fields may be empty."""
        return self._line(lambda _: f"(?:{NUMBER})?+", padded=True, empty=True)

    def not_finite(self) -> str:
        """Lines whose fields may be empty, or numbers that are not finite."""
        return self._line(lambda _: f"(?:{ANY_NUMBER})?+", padded=True, empty=True)

    def not_numeric(self) -> str:
        """Lines where anything may stand for a number."""
        return self._line(lambda _: f"[^{self._separator}]*+", padded=True, empty=True)

    def _line(self, number: Callable[[str], str], *, padded: bool = False, empty: bool = False) -> str:
        declared = self._columns.declared
        padding = f"[{self.blanks}]*+"
        fields = []
        for name in self._columns.names:
            if name in declared.numbers:
                field = number(name)
            elif name in declared.categorical:
                field = f"(?:{'|'.join(map(re.escape, declared.categorical[name]))}){'?' if empty else ''}"
            elif name == declared.groups:
                fields.append(self._anything if empty else f"{padding}{self._anything[:-2]}++")
                continue
            else:
                fields.append(self._anything)
                continue
            fields.append(f"{padding}{field}{padding}" if padded else field)
        return rf"^{self._separator.join(fields)}\z"


def form_of(values: Sequence[str], digits: str) -> str:
    r"""The narrowest of a few forms of numbers that all of some values have.

    >>> form_of(["27.9", "-3.25"], "[0-9]+")
    '-?[0-9]+\\.[0-9]+'
    """
    sign = "-?" if any(value.startswith("-") for value in values) else ""
    for form in (digits, rf"{digits}\.[0-9]+", rf"{digits}(?:\.[0-9]*)?"):
        if values and all(re.fullmatch(sign + form, value) for value in values):
            return sign + form
    return NUMBER
