"""A figure of the page: a drawing, a sentence that says how to read it, and its data as CSV."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipeline.report.drawing import Rows

MOST_ROWS = 20
"""The features, variables or points that a figure with a line for each can show. Its CSV file has all."""

_MOST_WRITTEN = 5000
"""The rows of a CSV file. The page grows by about 100 bytes for each."""


@dataclass(frozen=True)
class Download:
    """A table that can be downloaded from the page.

    Attributes:
        name: the file's name.
        rows: the rows; all have the same columns. Of many, the file has evenly spread ones.
        of_rows: how many rows there are in all, if these are a sample.
    """

    name: str
    rows: Rows
    of_rows: int = 0

    @property
    def remark(self) -> str:
        """How many rows it has, if not all."""
        written, whole = min(len(self.rows), _MOST_WRITTEN), max(self.of_rows, len(self.rows))
        return f"{written:,} of {whole:,} rows" if written < whole else ""

    @property
    def uri(self) -> str:
        """The table as a data URI."""
        text = io.StringIO()
        writer = csv.DictWriter(text, list(self.rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(spread_evenly(self.rows, _MOST_WRITTEN))
        return f"data:text/csv;base64,{base64.b64encode(text.getvalue().encode()).decode()}"


@dataclass(frozen=True)
class Figure:
    """A figure of the page.

    Attributes:
        title: what it shows.
        drawing: an SVG element.
        sentence: how to read it.
        downloads: the data behind it.
    """

    title: str
    drawing: Markup
    sentence: str
    downloads: Sequence[Download]


def leading(rows: Rows, what: str) -> tuple[Rows, str]:
    """Return the first rows, and a sentence if there are more."""
    shown = rows[:MOST_ROWS]
    return shown, f" The first {len(shown)} of {len(rows)} {what} are shown." if len(rows) > len(shown) else ""


def spread_evenly(rows: Rows, most: int) -> Rows:
    """Return at most so many rows, evenly spread, with the first and the last."""
    if len(rows) <= most:
        return rows
    return [rows[place * (len(rows) - 1) // (most - 1)] for place in range(most)]
