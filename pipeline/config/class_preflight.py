"""Compares the label's values at the start of a local input with dataset.classes."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from itertools import chain

from pipeline.config.models import Config
from pipeline.text import number_of, some_of

Fault = tuple[str, str]
"""The path of a key, and what is wrong with its value."""


def class_faults(name: str, text: str, config: Config, *, is_whole: bool) -> Iterator[Fault]:
    """Yield the faults for which MakeFolds would stop.

    Args:
        name: the file's name, for messages.
        text: the file, or its start.
        config: the configuration, whose columns are those of the file, and whose label has classes.
        is_whole: whether it is the whole file.
    """
    dataset, folds = config.dataset, config.folds
    classes = dataset.classes or []
    found = _label_values(text, config, is_whole=is_whole)
    rows = {each: found.pop(each, 0) for each in classes}
    total = sum(rows.values()) + sum(found.values())
    where = f"in {name}" if is_whole else f"in the first {number_of(total, 'row')} of {name}"
    others = {each: count for each, count in found.items() if each not in dataset.missing_values}
    bad = sum(others.values())
    if bad and (folds.on_bad_rows == "fail" or (is_whole and bad > folds.max_bad_share * total)):
        listed = some_of(f"{each!r} ({count})" for each, count in Counter(others).most_common())
        yield (
            "dataset.classes",
            f"{dataset.label} has other values {where}, with their rows: {listed}. Add or correct them, or "
            "set such rows aside with folds.on_bad_rows: quarantine and folds.max_bad_share",
        )
    if not is_whole:
        return
    if absent := [each for each, count in rows.items() if not count]:
        yield "dataset.classes", f"no row of {name} has the class {some_of(map(repr, absent))}: remove or correct it"
    elif max(rows.values()) < folds.count:
        listed = some_of(f"{each!r} ({count})" for each, count in rows.items())
        yield "folds.count", f"every class has fewer rows than {folds.count} folds: {listed}"


def _label_values(text: str, config: Config, *, is_whole: bool) -> Counter[str]:
    """Count the label's values; rows with too few or too many fields are left out."""
    dataset = config.dataset
    reader = csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=""), delimiter=dataset.delimiter)
    values: Counter[str] = Counter()
    last: str | None = None
    try:
        first = next(reader, [])
        names = [field.strip() for field in first]
        place, width = (names.index(dataset.label) if dataset.header else 0), len(first)
        for row in reader if dataset.header else chain([first], reader):
            if len(row) == width:
                last = row[place].strip()
                values[last] += 1
    except csv.Error:
        return values
    # The last row of a start may be cut.
    if not is_whole and last is not None:
        values[last] -= 1
    return +values
