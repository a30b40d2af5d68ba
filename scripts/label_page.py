"""The label on the page about a file: the distribution of a number, or the balance of classes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table

from pipeline.config.choices import log_may_help, skewness
from pipeline.config.column_counts import Column
from pipeline.config.roles import Role
from pipeline.text import number_of
from scripts.page_text import amount, counted, item, line, percent

_BARS = 10
_LONGEST_BAR = 40
_SHOWN_CLASSES, _LONGEST_CLASS = 20, 24
_QUANTILES = {"lowest": 0.0, "5%": 0.05, "25%": 0.25, "median": 0.5, "75%": 0.75, "95%": 0.95, "highest": 1.0}


def label_parts(label: Column, role: Role) -> Iterator[RenderableType]:
    """Yield the parts of the page about the label.

    Args:
        label: the label, which has values.
        role: its role, with the classes if it has some.
    """
    yield line(f"The label {label.name}")
    if role.values is not None:
        yield from _classes(label, role.values)
    elif label.numbers:
        yield from _numbers(label)
    else:
        yield item("It has no numbers. Are they classes? Then set training.problem and dataset.classes.")


def _classes(label: Column, classes: Sequence[str]) -> Iterator[RenderableType]:
    rows = [label.counts.get(name, 0) for name in classes]
    total = sum(rows)
    if not total or not label.is_counted:
        yield item(f"None of its values is a class: {', '.join(classes[:_SHOWN_CLASSES])}.")
        return
    positive = f"; the positive one is {classes[1]!r}" if len(classes) == 2 else ""
    yield item(f"{len(classes)} classes in the order of dataset.classes{positive}")
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(max_width=_LONGEST_CLASS, no_wrap=True, overflow="ellipsis")
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    bars = _bars(np.array(rows))
    for name, count, bar in list(zip(classes, rows, bars, strict=True))[:_SHOWN_CLASSES]:
        table.add_row(line(name), counted(count), f"{bar} {percent(count, total)}")
    yield Padding(table, (0, 0, 0, 2))
    if len(classes) > _SHOWN_CLASSES:
        yield item(f"and {number_of(len(classes) - _SHOWN_CLASSES, 'more class', 'more classes')}")
    loss = sum(-count / total * math.log(count / total) for count in rows if count)
    yield item(
        f"Always predicting these shares has the log loss {loss:.4g}; "
        f"always predicting the most frequent class has the accuracy {max(rows) / total:.4g}."
    )


def _numbers(label: Column) -> Iterator[RenderableType]:
    numbers = label.sample.numbers
    yield item(
        f"mean {amount(label.mean)}, standard deviation {amount(label.variance**0.5)}, "
        f"skewness {_skewness(numbers)}; always predicting the mean has the MSE {label.variance:.4g}"
    )
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="")
    for name in _QUANTILES:
        table.add_column(name, justify="right", no_wrap=True)
    ends = {0.0: label.lowest, 1.0: label.highest}
    table.add_row(*(amount(ends.get(share, float(np.quantile(numbers, share)))) for share in _QUANTILES.values()))
    yield Padding(table, (0, 0, 0, 2))
    yield Padding(_histogram(numbers), (0, 0, 0, 2))
    if log_may_help(label) and label.role.above is None:
        yield item(
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
        table.add_row(name, f"{bar} {percent(count, len(numbers))}")
    return table


def _bins(numbers: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Return ranges and how many numbers are in each: the values themselves if there are few, or else equal ranges.

    The first and the last have no end: a few extreme numbers would make the others one bar.
    """
    values, counts = np.unique(numbers, return_counts=True)
    if len(values) <= _BARS:
        return [amount(value) for value in values], counts
    low, high = np.quantile(numbers, (0.01, 0.99))
    if low == high:
        low, high = numbers.min(), numbers.max()
    ends = np.linspace(low, high, _BARS + 1)[1:-1]
    names = [f"{amount(start)} to {amount(end)}" for start, end in pairwise(ends)]
    counts = np.bincount(np.searchsorted(ends, numbers), minlength=_BARS)
    return [f"up to {amount(ends[0])}", *names, f"over {amount(ends[-1])}"], counts


def _bars(counts: np.ndarray) -> list[str]:
    eighths = np.ceil(counts / counts.max() * _LONGEST_BAR * 8).astype(int)
    return ["█" * (count // 8) + " ▏▎▍▌▋▊▉"[count % 8].strip() for count in eighths.tolist()]
