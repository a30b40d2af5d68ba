"""Which fold each row goes to.

A row's fold depends on the row's number in the input (and on its group or label, if asked for) and on the seed, never
on how Spark cuts the input into partitions: any cluster makes the same folds, without moving a row to find its place.

Shuffling without sorting: XXH64 of the number is a bijection of 64-bit integers, so that sorting rows by it would
be a random permutation. Its first n/k rows would be the first fold. To know them it is enough to know the hashes at
which the sorted rows would be cut, and these are found by counting.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt
from fold_cuts import Hashed, HashedFrame, HashedNumbers, boundaries, cuts
from fold_errors import FoldError
from fold_hash import hashes_of
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as f

_BUCKETS = 1 << 16
_LABELS = 100_000
_ON_DRIVER = 1 << 27
"""Rows whose hashes the driver computes itself, in four seconds at most; of more, Spark does."""


def fold_sizes(rows: int, folds: int, first: int = 0) -> list[int]:
    """Rows of each fold when rows number ``first`` and up are dealt to the folds in turn: they differ by one at most.

    >>> fold_sizes(7, 3)
    [3, 2, 2]
    """
    dealt = [(first + rows - fold + folds - 1) // folds - (first - fold + folds - 1) // folds for fold in range(folds)]
    assert sum(dealt) == rows
    return dealt


@dataclass(frozen=True)
class ByNumber:
    """Folds that depend on the number of a row alone: each is a range of the numbers, or of their hashes.

    Attributes:
        starts: where each fold after the first begins.
        seed: of the hashes; None if the ranges are of the numbers themselves.
    """

    starts: Sequence[int]
    seed: int | None

    @property
    def count(self) -> int:
        """How many folds there are."""
        return len(self.starts) + 1

    def column(self) -> Column:
        """The fold, from 1, for a frame with the column ``number``, of the row in the input from 0."""
        return _fold_after(f.col("number") if self.seed is None else hash_of("number", self.seed), self.starts)

    def of_rows(self, first: int, count: int) -> npt.NDArray[np.uint8]:
        """The folds, from 1, of so many rows from number ``first`` on."""
        end = first + count
        values = np.arange(first, end) if self.seed is None else hashes_of(first, end, self.seed)
        folds = np.ones(count, np.uint8)
        for start in self.starts:
            folds += values >= start
        return folds


def in_order(rows: int, folds: int) -> ByNumber:
    """Folds that follow the order of the input, as scikit-learn's ``KFold(shuffle=False)``."""
    return ByNumber(boundaries(fold_sizes(rows, folds)), seed=None)


def shuffled(spark: SparkSession, rows: int, folds: int, seed: int) -> ByNumber:
    """Folds of a random permutation, as ``KFold(shuffle=True)``; sizes differ by one at most."""
    hashed: Hashed = HashedNumbers(rows, seed)
    if rows > _ON_DRIVER:
        numbers = spark.range(rows).withColumnRenamed("id", "number")
        hashed = HashedFrame(numbers.select(f.lit(0).alias("stratum"), hash_of("number", seed).alias("hash")))
    (own_cuts,) = cuts(hashed, [fold_sizes(rows, folds)])
    return ByNumber(own_cuts, seed)


def stratified(rows: DataFrame, count: int, folds: int, seed: int, bins: int) -> Column:
    """Folds, from 1, with as many rows of each bin of the label, as ``StratifiedKFold(shuffle=True)``.

    The bins are the label's quantiles; of more than a hundred thousand rows, those of a random sample of that size.

    Args:
        rows: ``number``, of the row in the input from 0, and ``label``, a number.
        count: how many rows there are.
        folds: how many folds to make.
        seed: of the shuffle.
        bins: how many bins to make; labels that many rows share make them fewer.

    Returns:
        the fold, for a frame with these columns. Sizes of folds differ by one at most, and so do the rows of each bin
        in them.
    """
    edges = _quantiles(rows, count, seed, bins)
    stratum = reduce(lambda total, edge: total + (f.col("label") > f.lit(edge)).cast("int"), edges, f.lit(0))
    hashes = rows.select(stratum.alias("stratum"), hash_of("number", seed).alias("hash"))
    counts = {row["stratum"]: row["count"] for row in hashes.groupBy("stratum").count().collect()}
    sizes, first = [], 0
    for number in range(len(edges) + 1):
        sizes.append(fold_sizes(counts.get(number, 0), folds, first))
        first += counts.get(number, 0)
    arrays = ", ".join(map(_array, cuts(HashedFrame(hashes), sizes)))
    own_cuts = f.element_at(f.expr(f"array({arrays})"), stratum + 1)
    return _fold_after(hash_of("number", seed), [own_cuts[cut] for cut in range(folds - 1)])


def grouped(rows: DataFrame, folds: int, seed: int | None) -> tuple[Column, list[int]]:
    """Folds, from 1, that keep rows of one group together, as ``GroupKFold``.

    Groups are spread over 65536 buckets by hash, and buckets over the folds, the largest first and each to the fold
    with the fewest rows. So the driver's memory does not grow with the groups.

    Args:
        rows: ``group``, text.
        folds: how many folds to make.
        seed: shuffles the groups; None does not.

    Returns:
        the fold, for a frame with this column, and the sizes of the folds.

    Raises:
        FoldError: there are fewer groups than folds.
    """
    bucket = f.pmod(hash_of("group", seed or 0), f.lit(_BUCKETS))
    counts = {row["bucket"]: row["count"] for row in rows.groupBy(bucket.alias("bucket")).count().collect()}
    if len(counts) < folds:
        raise FoldError(f"the rows have {len(counts)} groups: fewer than {folds} folds. Lower folds.count")
    buckets = sorted(counts)
    if seed is not None:
        random.Random(seed).shuffle(buckets)
    fold_of, sizes = bytearray(_BUCKETS), [0] * folds
    lightest = [(0, fold) for fold in range(folds)]
    for number in sorted(buckets, key=lambda number: -counts[number]):
        size, fold = heapq.heappop(lightest)
        fold_of[number] = 1 + fold
        sizes[fold] = size + counts[number]
        heapq.heappush(lightest, (sizes[fold], fold))
    return f.ascii(f.lit(fold_of).substr((bucket + 1).cast("int"), f.lit(1))), sizes


def hash_of(column: str, seed: int) -> Column:
    """XXH64 of a column and a seed."""
    return f.xxhash64(f.col(column), f.lit(seed))


def _fold_after(value: Column, boundaries: Sequence[int] | Sequence[Column]) -> Column:
    return reduce(lambda fold, boundary: fold + (value >= boundary).cast("int"), boundaries, f.lit(1))


def _quantiles(rows: DataFrame, count: int, seed: int, bins: int) -> list[float]:
    # Another seed than that of the folds, or the sample would be rows of the first folds only.
    highest = 2**64 * min(_LABELS, count) // count - 1 - 2**63
    chosen = rows.where(hash_of("number", ~seed) <= f.lit(highest))
    labels = sorted(float(row["label"]) for row in chosen.select("label").collect())
    edges = {labels[len(labels) * number // bins - 1] for number in range(1, bins)} if len(labels) >= bins else set()
    return sorted(edges - {labels[-1]})


def _array(values: Sequence[int]) -> str:
    return f"array({', '.join(f'{value}L' for value in values)})"
