"""Read UBJSON, the library's format of models, so that a damaged file is refused before the library sees it.

The library ends the whole process over some damaged files. Source: https://ubjson.org and
https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html
"""

from __future__ import annotations

import struct
from typing import Any, Final

import numpy as np

_NUMBERS: Final = {b"i": ">i1", b"U": ">u1", b"I": ">i2", b"l": ">i4", b"L": ">i8", b"d": ">f4", b"D": ">f8"}
_CONSTANTS: Final[dict[bytes, Any]] = {b"T": True, b"F": False, b"Z": None}
_DEEPEST = 64


class UbjsonError(ValueError):
    """The bytes are not UBJSON."""


def load(data: bytes) -> Any:
    """Return the value of a UBJSON document. Arrays of one type are NumPy arrays.

    Raises:
        UbjsonError: The document is damaged.
    """
    reader = _Reader(data)
    try:
        value = reader.value(reader.take(1), 0)
    except (struct.error, UnicodeDecodeError, KeyError, IndexError) as error:
        raise UbjsonError(f"it is damaged at byte {reader.position}") from error
    if reader.position != len(data):
        raise UbjsonError(f"it has {len(data) - reader.position} bytes after its end")
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0

    def take(self, size: int) -> bytes:
        end = self.position + size
        if size < 0 or end > len(self._data):
            raise UbjsonError(f"it is cut off after {len(self._data)} bytes")
        taken = self._data[self.position : end]
        self.position = end
        return taken

    def value(self, marker: bytes, depth: int) -> Any:
        if depth > _DEEPEST:
            raise UbjsonError("it is nested too deeply")
        if marker == b"{":
            return self._object(depth)
        if marker == b"[":
            return self._array(depth)
        if marker == b"S":
            return self._text()
        if marker == b"C":
            return self.take(1).decode()
        if marker in _CONSTANTS:
            return _CONSTANTS[marker]
        return self._number(marker)

    def _number(self, marker: bytes) -> int | float:
        dtype = np.dtype(_NUMBERS[marker])
        number: int | float = np.frombuffer(self.take(dtype.itemsize), dtype)[0].item()
        return number

    def _count(self) -> int:
        count = self._number(self.take(1))
        if not isinstance(count, int):
            raise UbjsonError("a length is not an integer")
        return count

    def _text(self) -> str:
        return self.take(self._count()).decode()

    def _object(self, depth: int) -> dict[str, Any]:
        result = {}
        while self._data[self.position : self.position + 1] != b"}":
            name = self._text()
            result[name] = self.value(self.take(1), depth + 1)
        self.take(1)
        return result

    def _array(self, depth: int) -> Any:
        following = self._data[self.position : self.position + 1]
        if following == b"$":
            self.take(1)
            dtype = np.dtype(_NUMBERS[self.take(1)])
            if self.take(1) != b"#":
                raise UbjsonError("an array of one type has no length")
            return np.frombuffer(self.take(self._count() * dtype.itemsize), dtype)
        if following == b"#":
            self.take(1)
            # The library ends a counted array without a bracket.
            return [self.value(self.take(1), depth + 1) for _ in range(self._count())]
        items = []
        while self._data[self.position : self.position + 1] != b"]":
            items.append(self.value(self.take(1), depth + 1))
        self.take(1)
        return items
