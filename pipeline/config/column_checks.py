"""Checks between the values of the dataset: each column is valid, but they do not fit together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from pipeline.config.columns import DatasetSection

Fault = tuple[str, str]
"""The path of a key, and what is wrong with its value."""

_NO_DELIMITERS = '".+-_\r\n\\'
"""What may be in a number or around a field, as the job that makes the folds has it."""


def check_columns(dataset: DatasetSection) -> Iterator[Fault]:
    """Yield the faults between the values of a dataset that pydantic has validated."""
    yield from _check_columns(dataset)
    yield from _check_categories(dataset)
    yield from _check_missing(dataset)
    yield from _check_formats(dataset)
    yield from _check_groups(dataset)
    yield from _check_encoding(dataset)
    yield from _check_delimiter(dataset)


def check_texts(key: str, values: Iterable[str]) -> Iterator[Fault]:
    """Yield the values that no field has, as the job that makes the folds strips fields."""
    for value in values:
        if not value.strip():
            yield key, f"the value {value!r} is empty, and an empty field is a missing value: see dataset.missing"
        elif value != value.strip():
            yield key, f"the value {value!r} has blanks around it, and fields are read without these: remove them"


def _check_columns(dataset: DatasetSection) -> Iterator[Fault]:
    if not dataset.sources:
        yield "dataset.numeric", "there are no features: list numeric or categorical columns"
    if dataset.label in dataset.sources:
        yield "dataset.label", f"{dataset.label!r} is also a feature"
    for column in _repeated(dataset.sources):
        yield "dataset.numeric", f"{column!r} is listed more than once among the features"
    one_hot = [
        f"{column}_{value}"
        for column, category in dataset.categorical.items()
        for value in dict.fromkeys(category.encoded)
    ]
    parts = [f"{column}_{part}" for column, dates in dataset.dates.items() for part in dict.fromkeys(dates.parts)]
    indicators = [f"{column}_missing" for column in dataset.missing_indicators]
    for feature in _repeated([*dict.fromkeys(dataset.numeric), *parts, *indicators, *one_hot]):
        yield "dataset.categorical", f"two features would have the name {feature!r}"
    ignored = dataset.ignored or []
    used = {dataset.label, *dataset.sources, *([] if dataset.groups is None else [dataset.groups])}
    for column in sorted(used.intersection(ignored)):
        yield "dataset.ignored", f"{column!r} is used: remove it from one of both places"
    for column in _repeated(ignored):
        yield "dataset.ignored", f"{column!r} is listed twice"


def _check_categories(dataset: DatasetSection) -> Iterator[Fault]:
    for column, category in dataset.categorical.items():
        key = f"dataset.categorical.{column}"
        if not category.values:
            if not category.other and (category.min_frequency > 1 or category.max_categories is not None):
                yield key, "rare values need a feature: set other to true, or remove min_frequency and max_categories"
            continue
        if category.min_frequency > 1 or category.max_categories is not None:
            yield key, "the values are listed: min_frequency and max_categories are for values: auto"
        for value in _repeated(category.values):
            yield key, f"the value {value!r} is listed twice"
        yield from check_texts(key, category.values)
        if category.other and "other" in category.values:
            yield key, "'other' is a listed value, and other: true needs its feature's name: rename the value"


def _check_missing(dataset: DatasetSection) -> Iterator[Fault]:
    for column, treatment in dataset.missing.items():
        key = f"dataset.missing.{column}"
        if column not in [dataset.label, *dataset.sources]:
            yield key, "is not the label, a numeric, a date or a categorical column"
        elif treatment == "drop":
            continue
        elif column == dataset.label:
            yield key, f"a label cannot be made up: {treatment} is for features. Use drop"
        elif treatment == "median" and column not in dataset.numeric:
            yield key, "only numbers have a median: use most_frequent or drop"
        elif column == dataset.groups:
            yield key, "a missing value would join a group that it may not belong to: use drop"
    for column in dataset.missing_indicators:
        if dataset.missing.get(column) not in ("median", "most_frequent"):
            yield "dataset.missing_indicators", f"{column!r} needs median or most_frequent in dataset.missing"
    for column in _repeated(dataset.missing_indicators):
        yield "dataset.missing_indicators", f"{column!r} is listed twice"


def _check_formats(dataset: DatasetSection) -> Iterator[Fault]:
    for column, dates in dataset.dates.items():
        for part in _repeated(dates.parts):
            yield f"dataset.dates.{column}", f"{part!r} is listed twice"
        if dates.format is not None and not _reads_dates(dates.format):
            yield (
                f"dataset.dates.{column}.format",
                f"{dates.format!r} reads no dates: use codes of Python's strptime, for example '%d.%m.%Y'",
            )


def _reads_dates(form: str) -> bool:
    """Return whether a format reads what it writes. Two different dates must differ as text."""
    dates = [datetime(2024, 2, 29), datetime(1999, 12, 31)]
    try:
        texts = [date.strftime(form) for date in dates]
        for text in texts:
            datetime.strptime(text, form)
    except ValueError:
        return False
    return texts[0] != texts[1]


def _check_groups(dataset: DatasetSection) -> Iterator[Fault]:
    columns = [dataset.label, *dataset.sources]
    if dataset.groups is not None and not dataset.header and dataset.groups not in columns:
        yield "dataset.groups", f"{dataset.groups!r} is not a declared column; a file without a header has no others"
    if dataset.ignored is not None and not dataset.header:
        yield "dataset.ignored", "a file without a header has no other columns: remove the key"


def _check_encoding(dataset: DatasetSection) -> Iterator[Fault]:
    encoding = dataset.encoding
    try:
        one_byte = "0,".encode(encoding) == b"0,"
    except LookupError:
        yield "dataset.encoding", f"{encoding!r} is not an encoding, for example UTF-8 or ISO-8859-1"
        return
    if not one_byte:
        yield "dataset.encoding", f"lines of {encoding} cannot be told apart by bytes: convert the file to UTF-8"


def _check_delimiter(dataset: DatasetSection) -> Iterator[Fault]:
    delimiter = dataset.delimiter
    if delimiter.isalnum() or delimiter in _NO_DELIMITERS:
        yield "dataset.delimiter", f"{delimiter!r} cannot separate fields: use for example ',', ';', '|' or a tab"


def _repeated(names: Iterable[str]) -> list[str]:
    return sorted(name for name, times in Counter(names).items() if times > 1)
