"""Collect the rows of files that are read in parts."""

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

CHUNK_BYTES = 1 << 18
LONGEST_PIECE = 1 << 26
"""The longest row, and the longest run of blank lines, in bytes. A row can have about three million numbers."""


class RowBuffer:
    """Collects rows that arrive in parts, in one array.

    Preallocates: concatenation doubles peak memory, and page faults took half the read time. Memory that is reserved
    but not used costs nothing.
    """

    def __init__(self, parts: int) -> None:
        """Expect ``parts`` parts, all about as large as the first."""
        self._expected = parts
        self._count = 0
        self._block: Array | None = None

    @property
    def width(self) -> int | None:
        """The number of columns, or None if there are no rows yet."""
        return None if self._block is None else self._block.shape[1]

    def add(self, part: Array) -> None:
        """Append rows."""
        end = self._count + len(part)
        if self._block is None:
            self._block = np.empty((self._expected * len(part), part.shape[1]))
        if end > len(self._block):
            grown = np.empty((2 * end, part.shape[1]))
            grown[: self._count] = self._block[: self._count]
            self._block = grown
        self._block[self._count : end] = part
        self._count = end

    def array(self) -> Array:
        """Return all rows so far, of shape (rows, columns)."""
        assert self._block is not None
        return self._block[: self._count]


def whole_lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield the text in pieces of whole lines, without blank lines at the end of the file."""
    held: list[bytes] = []
    size = 0
    while chunk := file.read(CHUNK_BYTES):
        held.append(chunk)
        size += len(chunk)
        # No row ends in this chunk. Joining now would copy the held chunks again for every chunk.
        if (b"\n" not in chunk or not chunk.strip(b"\r\n")) and size <= LONGEST_PIECE:
            continue
        lines, newline, tail = b"".join(held).rpartition(b"\n")
        # Line breaks at the end of a piece are held back, because at the end of the file they are not rows.
        text = lines.rstrip(b"\r\n")
        rest = lines[len(text) :] + newline + tail
        if text:
            yield text
            rest = rest.removeprefix(b"\r").removeprefix(b"\n")
        if len(rest) > LONGEST_PIECE:
            yield rest
            return
        held, size = [rest], len(rest)
    if (rest := b"".join(held)).strip():
        yield rest
