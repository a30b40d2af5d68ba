"""Where to cut rows that are sorted by hash, without sorting them.

Hashes are first counted in cells of equal width; then those of the cells in which the cuts lie are looked at. With
about as many cells as the square root of the rows, either turn brings the driver about that many numbers for each cut.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

import numpy as np
from fold_hash import Hashes, hashes_of
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as f

_FEW = 1 << 16
"""Rows whose hashes are all looked at."""

_CHUNK = 1 << 17
"""Numbers hashed at a time: few enough that they stay in a core's cache from one operation to the next."""

_BEYOND = 2**63 - 1

Found = TypeVar("Found")

Cell = tuple[int, int]
"""A stratum and the number of a cell: the highest bits of a hash."""


class Hashed(Protocol):
    """Rows, each with a hash, no two of which are equal in a stratum."""

    def counts(self, bits: int) -> Mapping[Cell, int]:
        """How many rows there are in each cell, when there are ``2**bits`` cells."""

    def members(self, bits: int, cells: Collection[int]) -> Mapping[Cell, list[int]]:
        """The hashes in some of the cells, sorted."""


class HashedNumbers:
    """The numbers from 0 up, in one stratum, hashed on the driver, ten million in a few tenths of a second."""

    def __init__(self, rows: int, seed: int) -> None:
        self._chunks = [(first, min(first + _CHUNK, rows), seed) for first in range(0, rows, _CHUNK)]

    def counts(self, bits: int) -> dict[Cell, int]:
        """How many numbers there are in each cell."""
        # Cells have negative numbers too, as hashes have.
        lowest = -(1 << bits) // 2
        total = np.zeros(1 << bits, dtype=np.int64)
        for counts in self._of_chunks(lambda hashes: np.bincount(_cells(hashes, bits) - lowest, minlength=1 << bits)):
            total += counts
        return {(0, lowest + place): int(count) for place, count in enumerate(total)}

    def members(self, bits: int, cells: Collection[int]) -> dict[Cell, list[int]]:
        """The hashes in some of the cells, sorted."""
        chosen = self._of_chunks(lambda hashes: hashes[np.isin(_cells(hashes, bits), list(cells))])
        return _sorted_by_cell(((0, value) for hashes in chosen for value in hashes.tolist()), bits)

    def _of_chunks(self, work: Callable[[Hashes], Found]) -> Iterator[Found]:
        # Threads suffice: numpy lets others run while it computes.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            yield from pool.map(lambda chunk: work(hashes_of(*chunk)), self._chunks)


class HashedFrame:
    """Rows of a frame with ``stratum``, from 0, and ``hash``, counted by Spark."""

    def __init__(self, frame: DataFrame) -> None:
        self._frame = frame

    def counts(self, bits: int) -> dict[Cell, int]:
        """How many rows there are in each cell."""
        counts = self._frame.groupBy("stratum", _cell(bits).alias("cell")).count().collect()
        return {(row["stratum"], row["cell"]): row["count"] for row in counts}

    def members(self, bits: int, cells: Collection[int]) -> dict[Cell, list[int]]:
        """The hashes in some of the cells, sorted."""
        chosen = self._frame.where(_cell(bits).isin(*cells)).select("stratum", "hash").collect()
        return _sorted_by_cell(((row["stratum"], row["hash"]) for row in chosen), bits)


def cuts(hashed: Hashed, sizes: Sequence[Sequence[int]]) -> list[list[int]]:
    """For each stratum, the hashes at which its folds after the first begin.

    Args:
        hashed: the rows.
        sizes: rows of each fold, by stratum.
    """
    rows = sum(map(sum, sizes))
    bits = 1 if rows <= _FEW else rows.bit_length() // 2
    ranks = {(stratum, rank) for stratum, folds in enumerate(sizes) for rank in boundaries(folds) if rank < sum(folds)}
    places = _places(ranks, hashed.counts(bits))
    members = hashed.members(bits, sorted({cell for (_, cell), _ in places.values()}))

    def cut(stratum: int, rank: int) -> int:
        if (stratum, rank) not in places:
            return _BEYOND
        cell, rank_in_cell = places[stratum, rank]
        return members[cell][rank_in_cell]

    return [[cut(stratum, rank) for rank in boundaries(folds)] for stratum, folds in enumerate(sizes)]


def boundaries(sizes: Sequence[int]) -> list[int]:
    """Ranks at which the folds after the first begin."""
    return [sum(sizes[:fold]) for fold in range(1, len(sizes))]


def _places(ranks: Collection[tuple[int, int]], counts: Mapping[Cell, int]) -> dict[tuple[int, int], tuple[Cell, int]]:
    """For each stratum and rank, the cell in which it lies and its rank there."""
    places = {}
    for stratum in {stratum for stratum, _ in ranks}:
        wanted = sorted((rank for own, rank in ranks if own == stratum), reverse=True)
        before = 0
        for cell in sorted(cell for cell in counts if cell[0] == stratum):
            while wanted and wanted[-1] < before + counts[cell]:
                rank = wanted.pop()
                places[stratum, rank] = (cell, rank - before)
            before += counts[cell]
    return places


def _sorted_by_cell(rows: Iterable[tuple[int, int]], bits: int) -> dict[Cell, list[int]]:
    """The hashes of rows, each with its stratum, by the cell in which it lies."""
    found = defaultdict(list)
    for stratum, value in rows:
        found[stratum, value >> (64 - bits)].append(value)
    return {cell: sorted(hashes) for cell, hashes in found.items()}


def _cells(hashes: Hashes, bits: int) -> Hashes:
    return hashes >> np.int64(64 - bits)


def _cell(bits: int) -> Column:
    return f.shiftright("hash", 64 - bits)
