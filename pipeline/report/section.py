"""A section of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.report.figure import Figure


@dataclass(frozen=True)
class Table:
    """A table of the page.

    Attributes:
        caption: what it shows.
        head: the columns' titles; the first column is text, the others are numbers.
        rows: the cells.
    """

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Section:
    """A section of the page.

    Attributes:
        title: its title.
        facts: names and values.
        tables: its tables.
        figures: its figures.
        items: sentences, as a list.
        missing: why something is not shown.
    """

    title: str
    facts: Mapping[str, str] = field(default_factory=dict)
    tables: Sequence[Table] = ()
    figures: Sequence[Figure] = ()
    items: Sequence[str] = ()
    missing: Sequence[str] = ()

    @property
    def is_narrow(self) -> bool:
        """Whether the section has one block, so that it fits beside another."""
        return not self.facts and len(self.figures) + len(self.tables) < 2
