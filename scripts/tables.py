"""Tables that fit a terminal of 80 columns and lose no text: long texts are folded, numbers are kept whole."""

from __future__ import annotations

from collections.abc import Iterable

from rich.box import SIMPLE_HEAD
from rich.measure import Measurement
from rich.table import Table

from pipeline.text import broken
from scripts.console import console


def plain_table(title: str | None = None) -> Table:
    """Return an empty table without a frame, and with little space between its columns."""
    if title and console.is_terminal:
        title = broken(title, console.width)
    return Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)


def add_texts(table: Table, *headings: str) -> None:
    """Add columns of texts, which are folded if they are too wide. Rich's default cuts them."""
    for heading in headings:
        table.add_column(heading, overflow="fold")


def add_numbers(table: Table, headings: Iterable[str]) -> None:
    """Add columns of numbers, or of other short texts that are not to be broken."""
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)


def fits(table: Table) -> bool:
    """Return whether the terminal is wide enough to show a table without folding or cutting anything."""
    unlimited = console.options.update(max_width=10_000)
    return Measurement.get(console, unlimited, table).maximum <= console.width
