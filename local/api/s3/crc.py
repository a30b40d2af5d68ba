"""Compute CRC-32C and CRC-64/NVME, which Python's standard library lacks.

NumPy computes the CRCs of a block's pieces in parallel. They are then combined, because a CRC is linear. A loop over
the bytes in Python takes a hundred times as long.
Source: https://reveng.sourceforge.io/crc-catalogue/all.htm (CRC-32/ISCSI, CRC-64/NVME)
"""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Table: TypeAlias = NDArray[np.uint64]

_LANES = 1024
_LANE_BYTES = 64
_BLOCK = _LANES * _LANE_BYTES
_EIGHT = np.uint64(8)
_LOW = np.uint64(0xFF)


class Crc:
    """A reflected CRC whose initial value and final XOR have all bits set.

    Args:
        polynomial: the reflected polynomial.
        size: size of the checksum in bytes.
    """

    def __init__(self, polynomial: int, size: int) -> None:
        self._size = size
        self._inverted = (1 << 8 * size) - 1
        self._state = self._inverted
        self._table, self._joins = _tables(polynomial)

    def update(self, data: bytes) -> None:
        """Add bytes."""
        for start in range(0, len(data), _BLOCK):
            self._add(data[start : start + _BLOCK])

    def digest(self) -> bytes:
        """Return the checksum in big-endian order."""
        return (self._state ^ self._inverted).to_bytes(self._size, "big")

    def _add(self, data: bytes) -> None:
        if len(data) < 8:
            for byte in data:
                self._state = int(self._table[(self._state ^ byte) & 0xFF]) ^ (self._state >> 8)
            return
        # The state is XORed into the first bytes, so that the computation can begin at zero. Leading zeros then leave
        # the CRC unchanged, and pad the block.
        block = np.zeros(_BLOCK, np.uint8)
        first = _BLOCK - len(data)
        block[first:] = np.frombuffer(data, np.uint8)
        block[first : first + 8] ^= np.frombuffer(self._state.to_bytes(8, "little"), np.uint8)
        lanes = np.zeros(_LANES, np.uint64)
        for column in np.ascontiguousarray(block.reshape(_LANES, _LANE_BYTES).T):
            lanes = self._table[(lanes ^ column) & _LOW] ^ (lanes >> _EIGHT)
        for join in self._joins:
            lanes = _advance(join, lanes[0::2]) ^ lanes[1::2]
        self._state = int(lanes[0])


def _advance(join: Table, states: Table) -> Table:
    """Return the states after the number of zero bytes that the table was made for."""
    octets = np.ascontiguousarray(states).view(np.uint8).reshape(-1, 8)
    joined: Table = np.bitwise_xor.reduce(join[np.arange(8), octets], axis=1)
    return joined


@lru_cache
def _tables(polynomial: int) -> tuple[Table, list[Table]]:
    """Return the table for one byte, and a table for each step that joins pairs of lanes."""
    table = np.arange(256, dtype=np.uint64)
    for _ in range(8):
        table = np.where(table & np.uint64(1), (table >> np.uint64(1)) ^ np.uint64(polynomial), table >> np.uint64(1))
    shifts = np.arange(8, dtype=np.uint64) * _EIGHT
    join: Table = np.arange(256, dtype=np.uint64)[None, :] << shifts[:, None]
    for _ in range(_LANE_BYTES):
        join = table[join & _LOW] ^ (join >> _EIGHT)
    joins = [join]
    while len(joins) < _LANES.bit_length() - 1:
        joins.append(_advance(joins[-1], joins[-1].reshape(-1)).reshape(8, 256))
    return table, joins
