"""XXH64 as Spark computes it, of many row numbers at once, so that the driver can do without a Spark job.

The algorithm: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md, for inputs of eight and of four bytes,
as ``hashLong`` and ``hashInt`` of ``org.apache.spark.sql.catalyst.expressions.XXH64`` have it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_PRIME_1, _PRIME_2, _PRIME_3, _PRIME_4, _PRIME_5 = (
    np.uint64(prime)
    for prime in (
        0x9E3779B185EBCA87,
        0xC2B2AE3D27D4EB4F,
        0x165667B19E3779F9,
        0x85EBCA77C2B2AE63,
        0x27D4EB2F165667C5,
    )
)
_SPARK_SEED = 42
"""Where ``xxhash64(a, b)`` begins: the hash of a is the seed for b."""

Numbers = npt.NDArray[np.uint64]
Hashes = npt.NDArray[np.int64]


def hashes_of(first: int, end: int, seed: int) -> Hashes:
    """``xxhash64(number, seed)`` of Spark for each row number from ``first`` up to but without ``end``.

    Args:
        first: a number.
        end: a number.
        seed: an integer of 32 bits.
    """
    with np.errstate(over="ignore"):
        start = np.uint64(_SPARK_SEED)
        return _hash_int(seed, _hash_long(np.arange(first, end, dtype=np.uint64), start)).view(np.int64)


def _hash_long(values: Numbers, seed: np.uint64) -> Numbers:
    mixed = (seed + _PRIME_5 + np.uint64(8)) ^ (_rotated(values * _PRIME_2, 31) * _PRIME_1)
    return finished(_rotated(mixed, 27) * _PRIME_1 + _PRIME_4)


def _hash_int(value: int, seeds: Numbers) -> Numbers:
    mixed = (seeds + _PRIME_5 + np.uint64(4)) ^ (np.uint64(value & 0xFFFFFFFF) * _PRIME_1)
    return finished(_rotated(mixed, 23) * _PRIME_2 + _PRIME_3)


def finished(mixed: Numbers) -> Numbers:
    """XXH64's last step: every bit of the result depends on every bit of what is given."""
    mixed = (mixed ^ (mixed >> np.uint64(33))) * _PRIME_2
    mixed = (mixed ^ (mixed >> np.uint64(29))) * _PRIME_3
    return np.asarray(mixed ^ (mixed >> np.uint64(32)), dtype=np.uint64)


def _rotated(values: Numbers, bits: int) -> Numbers:
    return np.asarray((values << np.uint64(bits)) | (values >> np.uint64(64 - bits)), dtype=np.uint64)
