"""Encodes CSV rows as the model's features, in the same columns as MakeFolds."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path

from pipeline.config.models import DatasetSection
from pipeline.errors import UserError


def encoded_file(path: Path, dataset: DatasetSection, limit: int | None = None) -> list[str]:
    """Read a CSV file and return its rows as lines of features, in the model's order.

    Args:
        path: a file with a header that names the dataset's feature columns, in any order, and possibly others; or a
            file without a header, whose rows are encoded features already.
        dataset: the columns.
        limit: the maximum number of rows; None for all.

    Returns:
        One line a row, features separated by commas.

    Raises:
        UserError: the file cannot be read, or a row cannot be encoded.
    """
    try:
        with path.open(encoding=dataset.encoding, newline="") as file:
            rows = [row for row in csv.reader(file, delimiter=dataset.delimiter) if row]
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: is not a CSV file in {dataset.encoding}: {error}") from None
    if not rows:
        raise UserError(f"{path}: has no rows")
    columns = [name.strip().lstrip("\ufeff") for name in rows[0]]
    if {*dataset.numeric, *dataset.categorical} <= set(columns):
        numbered = list(enumerate(rows[1:], start=2))[:limit]
        return [_encoded(dict(zip(columns, row, strict=False)), dataset, f"{path}:{line}") for line, row in numbered]
    return [_features(row, dataset, f"{path}:{line}") for line, row in list(enumerate(rows, start=1))[:limit]]


def _encoded(row: dict[str, str], dataset: DatasetSection, place: str) -> str:
    numbers = [_number(row.get(column, ""), place, column) for column in dataset.numeric]
    one_hot = [
        "1" if value == given else "0"
        for column, values in dataset.categorical.items()
        for given in [_category(row.get(column, ""), values, place, column)]
        for value in values
    ]
    return ",".join([*numbers, *one_hot])


def _features(row: Sequence[str], dataset: DatasetSection, place: str) -> str:
    if len(row) != dataset.feature_dim:
        named = _some([*dataset.numeric, *dataset.categorical])
        raise UserError(
            f"{place}: has {len(row)} columns. Give a header that names {named}; "
            f"or, without a header, the {dataset.feature_dim} encoded features: {_some(dataset.features)}"
        )
    return ",".join(_number(text, place, name) for text, name in zip(row, dataset.features, strict=True))


def _number(text: str, place: str, column: str) -> str:
    try:
        finite = math.isfinite(float(text))
    except ValueError:
        finite = False
    if not finite:
        raise UserError(f"{place}: {column} is {text!r}: a finite number is expected")
    return text.strip()


def _category(text: str, values: Sequence[str], place: str, column: str) -> str:
    value = text.strip()
    if value not in values:
        raise UserError(f"{place}: {column} is {value!r}: one of {_some(values)} is expected")
    return value


def _some(names: Sequence[str], most: int = 20) -> str:
    """Return the first names and the number of the others, for a message."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
