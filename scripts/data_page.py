"""The page about a file: its rows, its columns, the distribution of its label, and what is worth a look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from pipeline.config.column_counts import MOST_COUNTED, Column
from pipeline.config.findings import findings
from pipeline.config.models import Config
from pipeline.config.profile import Profile
from pipeline.config.roles import IGNORED, Role
from pipeline.text import visible
from scripts.label_page import label_parts
from scripts.page_text import amount, counted, line, numbered, percent, short

WIDTH = 80
"""The largest width of the page, in columns of the terminal."""

_SHOWN_COLUMNS = 20
_SHOWN_VALUES = 4
_LONGEST_NAME = 18
_ORDER = ("label", "group", "numeric", "date", "categorical", "ignored")


def data_page(profile: Profile, roles: Mapping[str, Role], config: Config | None) -> RenderableType:
    """Return the page about a file, for a console of at most ``WIDTH`` columns.

    Args:
        profile: the file.
        roles: the roles of its columns by name.
        config: the configuration; None if the roles are only those that ``make init`` would choose.
    """
    parts: list[RenderableType] = [*_head(profile, config), Text(), *_columns(profile, roles)]
    label = next((column for column in profile.columns if roles.get(column.name, IGNORED).name == "label"), None)
    if label is not None and label.known:
        parts += [Text(), *label_parts(label, roles[label.name])]
    if found := list(findings(profile, roles, config)):
        parts += [Text(), Text("Worth a look"), _items(found)]
    return Group(*parts)


def _head(profile: Profile, config: Config | None) -> Iterator[Text]:
    form = profile.form
    header = "with a header" if form.header else "without a header"
    decimal = ", with decimal commas" if form.decimal == "," else ""
    yield line(str(profile.path))
    yield line(f"{numbered(profile.rows, 'row')}, {numbered(len(profile.columns), 'column')}, {_size(profile)}")
    yield line(f"Read as {form.encoding}, fields separated by {form.delimiter!r}, {header}{decimal}.")
    where = "" if profile.compared == profile.rows else f" Only the first {counted(profile.compared)} were compared."
    share = f" ({percent(profile.duplicates, profile.compared)})" if profile.duplicates else ""
    rows = "row equals" if profile.duplicates == 1 else "rows equal"
    yield line(f"{counted(profile.duplicates)} {rows} an earlier one in every column{share}.{where}")
    if config is None:
        yield line("There is no configuration: the roles are those that make init would choose.")


def _columns(profile: Profile, roles: Mapping[str, Role]) -> Iterator[RenderableType]:
    named = [(column, roles.get(column.name, IGNORED)) for column in profile.columns]
    # The label and the groups of a wide table must not be among the columns that are not shown.
    ranked = sorted(named, key=lambda each: each[1].name not in _ORDER[:2])
    chosen = {id(column) for column, _ in ranked[:_SHOWN_COLUMNS]}
    yield _ColumnTable([(column, role) for column, role in named if id(column) in chosen])
    rest = Counter(role.name for column, role in named if id(column) not in chosen)
    if rest:
        kinds = ", ".join(f"{rest[name]} {name}" for name in _ORDER if rest[name])
        yield line(f"and {numbered(rest.total(), 'more column')}: {kinds}.")
    if not all(column.sample.is_complete for column in profile.columns):
        yield line("~ is an estimate. Medians and other quantiles are of a random sample of the rows.")
    elif not all(column.is_distinct_exact for column in profile.columns):
        yield line("~ is an estimate.")


@dataclass(frozen=True)
class _ColumnTable:
    """A row for each column.

    The highest number, which is often the slip, goes to a second line rather than be cut. On a narrow terminal, there
    would be many lines.
    """

    columns: list[tuple[Column, Role]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        table = _empty_table()
        for column, role in self.columns:
            *cells, summary = map(_cell, _row(column, role))
            if _has_numbers(column, role) and options.max_width >= WIDTH:
                summary.no_wrap, summary.overflow = False, "fold"
            table.add_row(*cells, summary)
        yield table


def _empty_table() -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="", expand=True)
    table.add_column("column", no_wrap=True, max_width=_LONGEST_NAME, overflow="ellipsis")
    table.add_column("role", no_wrap=True)
    table.add_column("found", no_wrap=True)
    table.add_column("missing", no_wrap=True, justify="right")
    table.add_column("distinct", no_wrap=True, justify="right")
    table.add_column("low / median / high", no_wrap=True, overflow="ellipsis", ratio=1)
    return table


def _row(column: Column, role: Role) -> tuple[str, ...]:
    missing = f"{counted(column.missing)} ({percent(column.missing, column.rows)})" if column.missing else "0"
    distinct = counted(column.distinct) if column.is_distinct_exact else f"~{float(f'{column.distinct:.2g}'):,.0f}"
    return column.name, role.name, _kind(column), missing, distinct, _summary(column, role)


def _kind(column: Column) -> str:
    if not column.known:
        return "-"
    if column.numbers == column.known:
        return "integer" if column.is_integer else "number"
    if column.has_dates:
        return "date"
    if column.has_decimal_commas:
        return "decimal comma"
    return "mixed" if column.numbers else "text"


def _summary(column: Column, role: Role) -> str:
    if not column.known:
        return ""
    if _has_numbers(column, role):
        middle = float(np.median(column.sample.numbers))
        return " / ".join(map(amount, (column.lowest, middle, column.highest)))
    if not column.is_counted:
        return f"over {MOST_COUNTED}, for example {short(next(iter(column.counts)))}"
    return ", ".join(f"{short(value)} {percent(count, column.known)}" for value, count in _most_frequent(column))


def _has_numbers(column: Column, role: Role) -> bool:
    """Return whether a column is described by its numbers, rather than by its most frequent texts."""
    return column.numbers > 0 and (role.needs_numbers or (column.numbers == column.known and role.name == "ignored"))


def _most_frequent(column: Column) -> list[tuple[str, int]]:
    return sorted(column.counts.items(), key=lambda each: -each[1])[:_SHOWN_VALUES]


def _items(sentences: Sequence[str]) -> Table:
    table = Table.grid(padding=(0, 1, 0, 0))
    for sentence in sentences:
        table.add_row(" -", line(sentence))
    return table


def _cell(text: str) -> Text:
    return Text(visible(text).replace("\n", "\\n").replace("\t", "\\t"))


def _size(profile: Profile) -> str:
    size = float(profile.path.stat().st_size)
    compressed = ", compressed" if profile.path.suffix in (".gz", ".bz2") else ""
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}{compressed}"
        size /= 1000
    return f"{size:.3g} GB{compressed}"
