"""Deals rows to folds, and decides the order in which a task writes its rows.

A row's fold depends on the seed and on the row's number in the input, and if asked for on its group or label. So any
cluster makes the same folds, and no row has to be moved between machines.

Rows are shuffled without sorting. XXH64 of the row's number is a bijection of 64-bit integers, so sorting rows by it
would give a random permutation. The first fold are the n/k rows with the smallest hashes, and so on.
"""

from __future__ import annotations

import heapq
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from folds.errors import FoldError
from folds.options import for_fewer_folds
from folds.plain import lengths, line_ends
from folds.text import number_of

Buffer = bytes | memoryview
Folds = npt.NDArray[np.uint8]
"""The fold of each row, from 1."""

_P1, _P2, _P3, _P4, _P5 = (
    np.uint64(prime)
    for prime in (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)
)
_FIRST_SEED = 42
_WORD = 1 << 64
_HASHED = 1 << 17
"""Numbers to hash at once: few enough for a core's cache."""

GREEDY = 1 << 16
"""The number of the largest groups that are dealt one by one."""

_MOVED = 1 << 13
"""Rows to order at once."""

_WIDEST, _SPREAD = 512, 3
"""Bytes of the longest rows that are moved as records of one size, and how many times their own bytes these may be."""


def fold_sizes(rows: int, folds: int, first: int = 0) -> list[int]:
    """Return the number of rows of each fold if the rows from ``first`` on are dealt in turn.

    >>> fold_sizes(7, 3)
    [3, 2, 2]
    """
    return [(first + rows - fold + folds - 1) // folds - (first - fold + folds - 1) // folds for fold in range(folds)]


def in_order(rows: int, folds: int) -> Folds:
    """Return folds that follow the order of the input, as scikit-learn's ``KFold(shuffle=False)``."""
    return _repeated(fold_sizes(rows, folds))


def shuffled(rows: int, folds: int, seed: int) -> Folds:
    """Return folds of a random permutation, as ``KFold(shuffle=True)``; sizes differ by at most one.

    The hashes at which to cut are searched within ten standard deviations of their expected values, so not all hashes
    are in memory at once.
    """
    width, margin = 2**64, int(10 * 2**64 / rows**0.5)
    ranks = np.cumsum(fold_sizes(rows, folds))[:-1].tolist()
    middles = [rank * width // rows - width // 2 for rank in ranks]
    windows = [(max(place - margin, -width // 2), min(place + margin, width // 2 - 1)) for place in middles]
    chunks = [(start, min(start + _HASHED, rows)) for start in range(0, rows, _HASHED)]
    dealt = np.ones(rows, np.uint8)

    def look(chunk: tuple[int, int]) -> list[tuple[int, npt.NDArray[np.int64]]]:
        hashes = hashes_of(*chunk, seed)
        return [
            (int(np.count_nonzero(hashes < low)), hashes[(hashes >= low) & (hashes <= high)]) for low, high in windows
        ]

    def deal(chunk: tuple[int, int]) -> None:
        hashes = hashes_of(*chunk, seed)
        for start in starts:
            dealt[slice(*chunk)] += hashes >= start

    # Threads suffice: numpy lets others run while it computes.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        seen = [list(window) for window in zip(*pool.map(look, chunks), strict=True)]
        starts = [
            np.sort(np.concatenate([near for _, near in window]))[rank - sum(below for below, _ in window)]
            for rank, window in zip(ranks, seen, strict=True)
        ]
        list(pool.map(deal, chunks))
    return dealt


def stratified(labels: npt.NDArray[np.float64], folds: int, seed: int, bins: int) -> Folds:
    """Return folds with as many rows of each bin of the label, as ``StratifiedKFold(shuffle=True)``.

    Args:
        labels: the label of each row.
        folds: the number of folds.
        seed: the seed of the shuffle.
        bins: the number of quantiles of the labels; frequent labels may reduce it.

    Returns:
        folds whose sizes differ by one at most, and so do the rows of each bin in them.
    """
    ranked = np.sort(labels)
    ends = (
        ranked[[len(labels) * number // bins - 1 for number in range(1, bins)]] if len(labels) >= bins else ranked[:0]
    )
    stratum_of = np.searchsorted(np.unique(ends[ends < ranked[-1]]), labels)
    return by_stratum(stratum_of, folds, seed)


def by_stratum(stratum_of: npt.NDArray[np.integer], folds: int, seed: int) -> Folds:
    """Return folds with as many rows of each stratum; their sizes differ by one at most, overall and in a stratum.

    Args:
        stratum_of: the stratum of each row, from 0: its class, or the bin of its label.
        folds: the number of folds.
        seed: the seed of the shuffle.
    """
    hashes = hashes_of(0, len(stratum_of), seed)
    dealt = np.zeros(len(stratum_of), np.uint8)
    first = 0
    for stratum in range(int(stratum_of.max()) + 1):
        own = np.flatnonzero(stratum_of == stratum)
        dealt[own[np.argsort(hashes[own])]] = _repeated(fold_sizes(len(own), folds, first))
        first += len(own)
    return dealt


def grouped(groups: npt.NDArray[np.uint64], folds: int, seed: int | None) -> tuple[Folds, int]:
    """Return folds that keep the rows of a group together, and the number of rows of the largest group.

    Groups are dealt from the largest to the smallest, each to the fold with the fewest rows, as ``GroupKFold`` does.
    Groups whose sizes differ by less than a factor of two are dealt in random order.

    Args:
        groups: a hash of each row's group.
        folds: the number of folds.
        seed: the seed for shuffling the groups; None keeps their order.

    Raises:
        FoldError: there are fewer groups than folds.
    """
    _, group_of, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    if len(sizes) < folds:
        advice = for_fewer_folds(folds, "each fold needs a group of its own")
        raise FoldError(f"the rows have {number_of(len(sizes), 'group')}: fewer than {folds} folds: {advice}")
    random = np.arange(len(sizes)) if seed is None else np.random.RandomState(seed).permutation(len(sizes))
    order = np.lexsort((random, -sizes if seed is None else -np.frexp(sizes)[1]))
    fold_of = np.zeros(len(sizes), np.uint8)
    lightest = [(0, fold) for fold in range(1, folds + 1)]
    for group in order[:GREEDY].tolist():
        size, fold_of[group] = heapq.heappop(lightest)
        heapq.heappush(lightest, (size + int(sizes[group]), int(fold_of[group])))
    # The other groups are small: they fill up the folds.
    rest = order[GREEDY:]
    room = np.maximum(len(groups) / folds - np.array([size for size, _ in lightest]), 0).cumsum()
    chosen = np.searchsorted(room[:-1], sizes[rest].cumsum())
    fold_of[rest] = np.array([fold for _, fold in lightest], np.uint8)[chosen]
    return fold_of[group_of.ravel()], int(sizes.max())


def hashes_of(first: int, end: int, seed: int) -> npt.NDArray[np.int64]:
    """Return the XXH64 hash of the seed and each number from ``first`` up to, but excluding, ``end``.

    The algorithm, here for inputs of eight and of four bytes:
    https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md

    Args:
        first: the first number.
        end: the number after the last.
        seed: a 32-bit integer.
    """
    # Python integers, because numpy warns when a scalar overflows.
    begun = np.uint64((_FIRST_SEED + int(_P5) + 8) % _WORD)
    word, more = np.uint64(seed * int(_P1) % _WORD), np.uint64((int(_P5) + 4) % _WORD)
    mixed = begun ^ (_rotated(np.arange(first, end, dtype=np.uint64) * _P2, 31) * _P1)
    mixed = _finished(_rotated(mixed, 27) * _P1 + _P4)
    mixed = (mixed + more) ^ word
    return _finished(_rotated(mixed, 23) * _P2 + _P3).view(np.int64)


def order_of(dealt: Folds, seed: Sequence[int] | None) -> npt.NDArray[np.int64]:
    """Return the order in which rows are written: by fold, and within a fold at random if there is a seed."""
    if seed is None:
        return np.argsort(dealt, kind="stable")
    # RandomState instead of Generator: numpy guarantees that its random numbers stay the same.
    random = np.random.RandomState(seed).permutation(len(dealt))
    return np.asarray(random[np.argsort(dealt[random], kind="stable")])


def in_folds(block: bytes, dealt: Folds, folds: int, seed: Sequence[int] | None) -> list[list[Buffer]]:
    """Return the lines of each fold, in pieces.

    Args:
        block: the lines.
        dealt: the fold of each line.
        folds: the number of folds.
        seed: the seed of the order within a fold; None keeps the order.
    """
    text = np.frombuffer(block + bytes(_WIDEST), np.uint8)
    ends = line_ends(block)
    sizes = lengths(ends)
    starts = ends - sizes + 1
    order = order_of(dealt, seed)
    first = np.searchsorted(dealt[order], np.arange(1, folds + 2))
    return [
        [
            _moved(text, starts[rows], sizes[rows])
            for start in range(begin, end, _MOVED)
            for rows in [order[start : min(start + _MOVED, end)]]
        ]
        for begin, end in zip(first[:-1].tolist(), first[1:].tolist(), strict=True)
    ]


def _moved(text: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]) -> Buffer:
    """Return the given lines of a text, concatenated."""
    widest = int(sizes.max())
    if widest > _WIDEST or widest * len(sizes) > _SPREAD * int(sizes.sum()):
        whole = text.data
        return b"".join(
            whole[start : start + size] for start, size in zip(starts.tolist(), sizes.tolist(), strict=True)
        )
    # numpy copies fixed-size records at once; then the bytes after each line's end are removed.
    records = np.ndarray((len(text) - widest + 1,), f"V{widest}", text, strides=(1,))[starts]
    table = records.view(np.uint8).reshape(-1, widest)
    # Comparing 2-byte integers is four times as fast as comparing 8-byte integers.
    return table[np.arange(widest, dtype=np.uint16) < sizes.astype(np.uint16)[:, None]].data


def _repeated(sizes: Sequence[int]) -> Folds:
    return np.repeat(np.arange(1, len(sizes) + 1, dtype=np.uint8), sizes)


def _finished(mixed: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return XXH64's final mix, in which every bit of the result depends on every bit of the input."""
    mixed = (mixed ^ (mixed >> np.uint64(33))) * _P2
    mixed = (mixed ^ (mixed >> np.uint64(29))) * _P3
    return mixed ^ (mixed >> np.uint64(32))


def _rotated(values: npt.NDArray[np.uint64], bits: int) -> npt.NDArray[np.uint64]:
    return (values << np.uint64(bits)) | (values >> np.uint64(64 - bits))
