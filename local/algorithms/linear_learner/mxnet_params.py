"""Read and write MXNet's ``.params`` format, a list of NDArrays.

Source: MXNet 1.9.1, ``src/ndarray/ndarray.cc`` (``NDArray::Save`` and ``NDArray::Load``). ``dump`` writes the same
bytes as ``mx.nd.save``.
"""

import math
import struct
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

_LIST_MAGIC = 0x112
_V2, _V3 = 0xF993FAC9, 0xF993FACA
_MOST_ARRAYS, _MOST_DIMENSIONS = 1000, 32
_DENSE = 0
_CPU = 1
_TYPES: Final[dict[int, np.dtype[Any]]] = {0: np.dtype("<f4"), 1: np.dtype("<f8"), 2: np.dtype("<f2")}


def dump(arrays: Mapping[str, npt.NDArray[np.float32]]) -> bytes:
    """Encode named float32 arrays."""
    parts = [struct.pack("<QQQ", _LIST_MAGIC, 0, len(arrays))]
    for array in arrays.values():
        parts.append(struct.pack("<IiI", _V2, _DENSE, array.ndim))
        parts.append(struct.pack(f"<{array.ndim}q", *array.shape))
        parts.append(struct.pack("<iii", _CPU, 0, 0))
        parts.append(array.astype("<f4").tobytes())
    parts.append(struct.pack("<Q", len(arrays)))
    for name in arrays:
        parts.append(struct.pack("<Q", len(name.encode())) + name.encode())
    return b"".join(parts)


def load(data: bytes) -> dict[str, npt.NDArray[np.float64]]:
    """Decode named dense arrays of any floating-point type.

    Raises:
        ValueError: The bytes are not a list of NDArrays, or an array is sparse or has integers.
    """
    try:
        return _load(data)
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise ValueError("the parameters are cut off or damaged") from error


def _load(data: bytes) -> dict[str, npt.NDArray[np.float64]]:
    magic, _, count = struct.unpack_from("<QQQ", data)
    if magic != _LIST_MAGIC:
        raise ValueError("the parameters are not an MXNet NDArray list")
    if count > _MOST_ARRAYS:
        raise ValueError(f"the parameters are {count} arrays; the limit is {_MOST_ARRAYS}")
    position = 24
    arrays = []
    for _ in range(count):
        array, position = _load_array(data, position)
        arrays.append(array)
    (names,) = struct.unpack_from("<Q", data, position)
    position += 8
    if names != count:
        raise ValueError("the parameters have no names")
    named = {}
    for array in arrays:
        (length,) = struct.unpack_from("<Q", data, position)
        position += 8
        if position + length > len(data):
            raise ValueError("the parameters are cut off or damaged")
        named[data[position : position + length].decode()] = array
        position += length
    return named


def _load_array(data: bytes, position: int) -> tuple[npt.NDArray[np.float64], int]:
    version, storage, dimensions = struct.unpack_from("<IiI", data, position)
    if version not in (_V2, _V3) or storage != _DENSE:
        raise ValueError("the parameters hold an array that is sparse or older than MXNet 1.0")
    if dimensions > _MOST_DIMENSIONS:
        raise ValueError(f"the parameters hold an array of {dimensions} dimensions; the limit is {_MOST_DIMENSIONS}")
    position += 12
    shape = struct.unpack_from(f"<{dimensions}q", data, position)
    position += 8 * dimensions
    _, _, kind = struct.unpack_from("<iii", data, position)
    position += 12
    if kind not in _TYPES:
        raise ValueError("the parameters hold an array whose numbers are not floating-point")
    end = position + math.prod(shape) * _TYPES[kind].itemsize
    if min(shape, default=0) < 0 or end > len(data):
        raise ValueError("the parameters are cut off or damaged")
    return np.frombuffer(data[position:end], _TYPES[kind]).reshape(shape).astype(np.float64), end
