"""The page about a file: its rows, its columns, the distribution of its label, and what is worth a look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pipeline.config.choices import log_may_help, skewness
from pipeline.config.column_counts import MOST_COUNTED, Column
from pipeline.config.findings import findings, has_dates, has_decimal_commas
from pipeline.config.models import Config
from pipeline.config.profile import Profile
from pipeline.config.roles import IGNORED, Role
from pipeline.text import visible

WIDTH = 80
"""The largest width of the page, in columns of the terminal."""

_SHOWN_COLUMNS = 20
_SHOWN_VALUES = 4
_SHOWN_CHARACTERS = 40
_LONGEST_NAME = 18
_BARS = 10
_LONGEST_BAR = 40
_QUANTILES = {"lowest": 0.0, "5%": 0.05, "25%": 0.25, "median": 0.5, "75%": 0.75, "95%": 0.95, "highest": 1.0}
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
        parts += [Text(), *_label(label)]
    if found := list(findings(profile, roles, config)):
        parts += [Text(), Text("Worth a look"), _items(found)]
    return Group(*parts)


def _head(profile: Profile, config: Config | None) -> Iterator[Text]:
    form = profile.form
    header = "with a header" if form.header else "without a header"
    decimal = ", with decimal commas" if form.decimal == "," else ""
    yield _text(str(profile.path))
    yield _text(f"{_count(profile.rows)} rows, {len(profile.columns)} columns, {_size(profile)}")
    yield _text(f"Read as {form.encoding}, fields separated by {form.delimiter!r}, {header}{decimal}.")
    where = "" if profile.compared == profile.rows else f" Only the first {_count(profile.compared)} were compared."
    share = f" ({_share(profile.duplicates, profile.compared)})" if profile.duplicates else ""
    rows = "row equals" if profile.duplicates == 1 else "rows equal"
    yield _text(f"{_count(profile.duplicates)} {rows} an earlier one in every column{share}.{where}")
    if config is None:
        yield _text("There is no configuration: the roles are those that make init would choose.")


def _columns(profile: Profile, roles: Mapping[str, Role]) -> Iterator[RenderableType]:
    named = [(column, roles.get(column.name, IGNORED)) for column in profile.columns]
    # The label and the groups of a wide table must not be among the columns that are not shown.
    ranked = sorted(named, key=lambda each: each[1].name not in _ORDER[:2])
    chosen = {id(column) for column, _ in ranked[:_SHOWN_COLUMNS]}
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="", expand=True)
    table.add_column("column", no_wrap=True, max_width=_LONGEST_NAME, overflow="ellipsis")
    table.add_column("role", no_wrap=True)
    table.add_column("found", no_wrap=True)
    table.add_column("missing", no_wrap=True, justify="right")
    table.add_column("distinct", no_wrap=True, justify="right")
    table.add_column("lowest / median / highest", no_wrap=True, overflow="ellipsis", ratio=1)
    for column, role in named:
        if id(column) in chosen:
            table.add_row(*map(_cell, _row(column, role)))
    yield table
    rest = Counter(role.name for column, role in named if id(column) not in chosen)
    if rest:
        kinds = ", ".join(f"{rest[name]} {name}" for name in _ORDER if rest[name])
        yield _text(f"and {rest.total()} more columns: {kinds}.")
    if not all(column.sample.is_complete for column in profile.columns):
        yield _text("~ is an estimate. Medians and other quantiles are of a random sample of the rows.")
    elif not all(column.is_distinct_exact for column in profile.columns):
        yield _text("~ is an estimate.")


def _row(column: Column, role: Role) -> tuple[str, ...]:
    missing = f"{_count(column.missing)} ({_share(column.missing, column.rows)})" if column.missing else "0"
    distinct = _count(column.distinct) if column.is_distinct_exact else f"~{float(f'{column.distinct:.2g}'):,.0f}"
    return column.name, role.name, _kind(column), missing, distinct, _summary(column, role)


def _kind(column: Column) -> str:
    if not column.known:
        return "-"
    if column.numbers == column.known:
        return "integer" if column.is_integer else "number"
    if has_dates(column):
        return "date"
    if has_decimal_commas(column):
        return "decimal comma"
    return "mixed" if column.numbers else "text"


def _summary(column: Column, role: Role) -> str:
    if not column.known:
        return ""
    if column.numbers and (role.needs_numbers or (column.numbers == column.known and role.name == "ignored")):
        middle = float(np.median(column.sample.numbers))
        return " / ".join(map(_amount, (column.lowest, middle, column.highest)))
    if not column.is_counted:
        return f"over {MOST_COUNTED}, for example {_short(next(iter(column.counts)))}"
    return ", ".join(f"{_short(value)} {_share(count, column.known)}" for value, count in _most_frequent(column))


def _most_frequent(column: Column) -> list[tuple[str, int]]:
    return sorted(column.counts.items(), key=lambda each: -each[1])[:_SHOWN_VALUES]


def _label(label: Column) -> Iterator[RenderableType]:
    yield _text(f"The label {label.name}")
    if not label.numbers:
        yield _item("It has no numbers, and the pipeline predicts numbers.")
        return
    numbers = label.sample.numbers
    yield _item(
        f"mean {_amount(label.mean)}, standard deviation {_amount(label.variance**0.5)}, "
        f"skewness {_skewness(numbers)}; always predicting the mean has the MSE {label.variance:.4g}"
    )
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="")
    for name in _QUANTILES:
        table.add_column(name, justify="right", no_wrap=True)
    ends = {0.0: label.lowest, 1.0: label.highest}
    table.add_row(*(_amount(ends.get(share, float(np.quantile(numbers, share)))) for share in _QUANTILES.values()))
    yield Padding(table, (0, 0, 0, 2))
    yield Padding(_histogram(numbers), (0, 0, 0, 2))
    if log_may_help(label) and label.role.above is None:
        yield _item(
            "It is not negative, and has a long tail of high values. dataset.label_transform: log1p may help: "
            f"the logarithms have the skewness {_skewness(np.log1p(numbers))}."
        )


def _skewness(numbers: np.ndarray) -> str:
    # Zero is added, because -0.0 is written with its sign.
    return f"{round(skewness(numbers), 1) + 0.0:.1f}"


def _histogram(numbers: np.ndarray) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    names, counts = _bins(numbers)
    for name, bar, count in zip(names, _bars(counts), counts.tolist(), strict=True):
        table.add_row(name, f"{bar} {_share(count, len(numbers))}")
    return table


def _bins(numbers: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Return ranges and how many numbers are in each: the values themselves if there are few, or else equal ranges.

    The first and the last have no end: a few extreme numbers would make the others one bar.
    """
    values, counts = np.unique(numbers, return_counts=True)
    if len(values) <= _BARS:
        return [_amount(value) for value in values], counts
    low, high = np.quantile(numbers, (0.01, 0.99))
    if low == high:
        low, high = numbers.min(), numbers.max()
    ends = np.linspace(low, high, _BARS + 1)[1:-1]
    names = [f"{_amount(start)} to {_amount(end)}" for start, end in pairwise(ends)]
    counts = np.bincount(np.searchsorted(ends, numbers), minlength=_BARS)
    return [f"up to {_amount(ends[0])}", *names, f"over {_amount(ends[-1])}"], counts


def _bars(counts: np.ndarray) -> list[str]:
    eighths = np.ceil(counts / counts.max() * _LONGEST_BAR * 8).astype(int)
    return ["█" * (count // 8) + " ▏▎▍▌▋▊▉"[count % 8].strip() for count in eighths.tolist()]


def _item(sentence: str) -> Padding:
    return Padding(_text(sentence), (0, 0, 0, 2))


def _items(sentences: Sequence[str]) -> Table:
    table = Table.grid(padding=(0, 1, 0, 0))
    for sentence in sentences:
        table.add_row(" -", _text(sentence))
    return table


def _text(text: str) -> Text:
    """Return text that is escaped before it is laid out: afterwards, lines would become too long."""
    return Text(visible(text), overflow="fold")


def _cell(text: str) -> Text:
    return Text(visible(text).replace("\n", "\\n").replace("\t", "\\t"))


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."


def _share(count: int, rows: int) -> str:
    return "<1%" if 0 < 100 * count < rows else f"{count / rows:.0%}" if rows else "0%"


def _count(number: int) -> str:
    return str(number) if abs(number) < 10_000 else f"{number:,}"


def _amount(number: float) -> str:
    if not np.isfinite(number):
        return "too large"
    is_long = abs(number) >= 1000 or number == round(number)
    return _count(round(number)) if is_long and abs(number) < 1e9 else f"{number:.4g}"


def _size(profile: Profile) -> str:
    size = float(profile.path.stat().st_size)
    compressed = ", compressed" if profile.path.suffix in (".gz", ".bz2") else ""
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}{compressed}"
        size /= 1000
    return f"{size:.3g} GB{compressed}"
