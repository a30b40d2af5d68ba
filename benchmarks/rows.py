"""Generates rows similar to the insurance dataset's, about 40 bytes each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

COLUMNS = ("charges", "age", "bmi", "children", *(f"category_{number}" for number in range(8)))
"""A label and eleven features: three numbers and three one-hot encoded categories of two, two and four values."""

_CATEGORIES = {
    "sex": ["female", "male"],
    "smoker": ["no", "yes"],
    "region": ["northeast", "northwest", "southeast", "southwest"],
}
RAW_DATASET = {"label": "charges", "numeric": ["age", "bmi", "children"], "categorical": _CATEGORIES}

_CHUNK = 500_000
_SEED = 7


def write_rows(file: Path, count: int) -> Path:
    """Write a CSV file of numbers without a header, unless it exists already."""
    return _write(file, count, _chunk, header=False)


def write_raw_rows(file: Path, count: int) -> Path:
    """Write a CSV file with a header and text categories, unless it exists already."""
    return _write(file, count, _raw_chunk, header=True)


def _write(file: Path, count: int, chunk: Callable[[np.random.Generator, int], pl.DataFrame], *, header: bool) -> Path:
    if file.exists():
        return file
    file.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(_SEED)
    unfinished = file.with_suffix(".unfinished")
    with unfinished.open("wb") as target:
        for start in range(0, count, _CHUNK):
            rows = chunk(random, min(_CHUNK, count - start))
            rows.write_csv(target, include_header=header and not start)
    return unfinished.rename(file)


def _chunk(random: np.random.Generator, count: int) -> pl.DataFrame:
    age, children = random.integers(18, 65, count), random.integers(0, 6, count)
    bmi = np.round(random.normal(30, 6, count), 3)
    smoker = (random.random(count) < 0.2).astype(np.int64)
    categories = {4: random.integers(0, 2, count), 6: smoker, 8: random.integers(0, 4, count)}
    noise = np.abs(random.normal(0, 5000, count))
    charges = np.round(250 * age + 330 * (bmi - 30) + 23000 * smoker + 400 * children + noise + 1000, 5)
    columns = dict(zip(COLUMNS, (charges, age, bmi, children), strict=False))
    for first, values in categories.items():
        for value in range(4 if first == 8 else 2):
            columns[COLUMNS[first + value]] = (values == value).astype(np.int8)
    return pl.DataFrame(columns)


def _raw_chunk(random: np.random.Generator, count: int) -> pl.DataFrame:
    categories = {name: random.choice(values, count) for name, values in _CATEGORIES.items()}
    return _chunk(random, count).select("age", "bmi", "children", "charges").with_columns(**categories)
