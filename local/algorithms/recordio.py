"""Read and write the application/x-recordio-protobuf format without a protobuf dependency.

A RecordIO frame has a magic number, the record's length, the record, and padding to 4 bytes. Sources: MXNet's
RecordIO, and the ``aialgs.data`` schema in the Amazon SageMaker developer guide, "Common data formats for training".
"""

import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from definition_language.text import number_of
from local.algorithms.sparse_rows import SparseRows, Vector

Array = npt.NDArray[np.float64]

_MAGIC = 0xCED7230A
_FRAME = struct.Struct("<II")
# Field numbers of float32_tensor, float64_tensor and int32_tensor in the message Value.
_FLOAT_TENSORS: Final[dict[int, np.dtype[Any]]] = {2: np.dtype("<f4"), 3: np.dtype("<f8")}
_INT32_TENSOR = 7
_MOST_FEATURES = 2**24
_VARINT_BITS = 70
"""The longest varint: ten bytes of seven bits, see https://protobuf.dev/programming-guides/encoding/#varints ."""


class RecordIOError(ValueError):
    """The bytes are not RecordIO, or a record is not an ``aialgs.data.Record`` that can be read here."""


@dataclass(frozen=True)
class Records:
    """Holds decoded records.

    Attributes:
        features: The features, of shape (records, features).
        labels: The labels, of shape (records,); None if the records have no labels.
    """

    features: Array
    labels: Array | None


def decode(data: bytes, features: int | None = None) -> Records:
    """Decode a RecordIO stream.

    Args:
        data: The stream.
        features: The number of features of a sparse record without a ``shape``.

    Raises:
        RecordIOError: A record is damaged, or records differ in the number of features or in having a label.
    """
    uniform = decode_uniform(data)
    return uniform if uniform is not None else decode_messages(list(_frames(data)), features)


def decode_features(data: bytes, features: int) -> Array | SparseRows:
    """Decode the features of a RecordIO stream, and keep sparse records sparse to limit memory.

    Args:
        data: The stream.
        features: The number of features of a sparse record without a ``shape``.

    Raises:
        RecordIOError: As in ``decode``.
    """
    uniform = decode_uniform(data)
    if uniform is not None:
        return uniform.features
    vectors, _ = _decode_vectors(list(_frames(data)), features)
    return _rows_of(vectors)


def decode_labelled(data: bytes) -> tuple[Array | SparseRows, Array | None]:
    """Decode the features and labels of a RecordIO stream, and keep sparse records sparse.

    Raises:
        RecordIOError: As in ``decode``.
    """
    uniform = decode_uniform(data)
    if uniform is not None:
        return uniform.features, uniform.labels
    vectors, labels = _decode_vectors(list(_frames(data)), None)
    known = [label for label in labels if label is not None]
    return _rows_of(vectors), np.array(known) if known else None


def decode_messages(messages: Sequence[bytes], features: int | None = None) -> Records:
    """Decode protobuf messages without RecordIO frames. See ``decode``."""
    vectors, labels = _decode_vectors(messages, features)
    width = vectors[0].width
    if features not in (None, width) and any(vector.keys is not None for vector in vectors):
        raise RecordIOError(
            f"record 1: has {number_of(width, 'feature')} where {number_of(features, 'is', 'are')} expected"
        )
    if (needed := len(vectors) * width * 8) > half_of_memory():
        raise RecordIOError(
            f"its {len(vectors)} records of {width} features need {needed:,} bytes, more than half of this machine's "
            "memory"
        )
    rows = np.zeros((len(vectors), width))
    for row, vector in zip(rows, vectors, strict=True):
        row[slice(None) if vector.keys is None else vector.keys] = vector.values
    known = [label for label in labels if label is not None]
    return Records(rows, np.array(known) if known else None)


def _rows_of(vectors: Sequence[Vector]) -> Array | SparseRows:
    if all(vector.keys is None for vector in vectors):
        return np.array([vector.values for vector in vectors])
    return SparseRows(vectors)


def half_of_memory() -> int:
    """Return half of this machine's memory, in bytes. It is the limit of one channel."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def _decode_vectors(messages: Sequence[bytes], features: int | None) -> tuple[list[Vector], list[float | None]]:
    """Decode records, and check that they agree in the number of features and in having a label."""
    vectors: list[Vector] = []
    labels: list[float | None] = []
    for number, message in enumerate(messages, 1):
        try:
            vector, label = _decode_message(message, features)
        except (IndexError, KeyError, ValueError, struct.error, OverflowError) as error:
            reason = error if isinstance(error, RecordIOError) else "is not an aialgs.data.Record"
            raise RecordIOError(f"record {number}: {reason}") from error
        if vectors and vector.width != vectors[0].width:
            raise RecordIOError(
                f"record {number}: has {number_of(vector.width, 'feature')} where "
                f"{number_of(vectors[0].width, 'is', 'are')} expected"
            )
        if labels and (label is None) != (labels[0] is None):
            raise RecordIOError(f"record {number}: only some records have a label")
        vectors.append(vector)
        labels.append(label)
    if not vectors:
        raise RecordIOError("the data has no records")
    return vectors, labels


def encode_scores(scores: Sequence[float]) -> bytes:
    """Encode predictions in the container's form: one record per prediction, with a float32 label ``score``."""
    return b"".join(_frame(_label("score", [score])) for score in scores)


def encode_predictions(scores: Sequence[Sequence[float]], labels: Sequence[int]) -> bytes:
    """Encode a classifier's predictions: one record each, with the float32 labels ``score`` and ``predicted_label``.

    Args:
        scores: The scores of each prediction: one, or one per class.
        labels: The predicted labels.
    """
    return b"".join(
        _frame(_label("score", row) + _label("predicted_label", [label]))
        for row, label in zip(scores, labels, strict=True)
    )


def _label(name: str, values: Sequence[float]) -> bytes:
    tensor = _delimited(1, struct.pack(f"<{len(values)}f", *values))
    entry = _delimited(1, name.encode()) + _delimited(2, _delimited(2, tensor))
    return _delimited(2, entry)


def _frame(message: bytes) -> bytes:
    return _FRAME.pack(_MAGIC, len(message)) + message + bytes(-len(message) % 4)


def _delimited(field: int, payload: bytes) -> bytes:
    """Encode a length-delimited protobuf field."""
    size, digits = len(payload), bytearray()
    while size > 127:
        digits.append(size & 127 | 128)
        size >>= 7
    return bytes([field << 3 | 2, *digits, size]) + payload


def _frames(data: bytes) -> Iterator[bytes]:
    position = 0
    while position < len(data):
        if not _MAGIC.to_bytes(4, "little").startswith(data[position : position + 4]):
            raise RecordIOError(f"no RecordIO magic number at byte {position}")
        if len(data) - position < _FRAME.size:
            raise RecordIOError("the last record is cut off")
        length = _FRAME.unpack_from(data, position)[1]
        if length >> 29:
            raise RecordIOError(f"the record at byte {position} is split into parts, which is not supported")
        start = position + _FRAME.size
        if start + length > len(data):
            raise RecordIOError("the last record is cut off")
        yield data[start : start + length]
        position = start + length + (-length % 4)


def decode_uniform(data: bytes) -> Records | None:
    """Decode all records at once if only the numbers in their dense tensors differ, else return None.

    Every common writer encodes a matrix in this way.
    """
    if len(data) < _FRAME.size or _FRAME.unpack_from(data)[0] != _MAGIC:
        return None
    length = _FRAME.unpack_from(data)[1]
    stride = _FRAME.size + length + (-length % 4)
    if len(data) % stride or len(data) == stride:
        return None
    layout = _dense_layout(data[_FRAME.size : _FRAME.size + length])
    if layout is None:
        return None
    table = np.frombuffer(data, np.uint8).reshape(-1, stride)
    fixed = np.ones(stride, dtype=np.bool_)
    for start, end, _ in layout.values():
        fixed[_FRAME.size + start : _FRAME.size + end] = False
    if (table[:, fixed] != table[0, fixed]).any():
        return None
    columns = {
        name: np.ascontiguousarray(table[:, _FRAME.size + start : _FRAME.size + end]).view(dtype)
        for name, (start, end, dtype) in layout.items()
    }
    labels = columns.get("labels")
    return Records(columns["features"].astype(np.float64), None if labels is None else labels[:, 0].astype(np.float64))


def _dense_layout(message: bytes) -> dict[str, tuple[int, int, np.dtype[Any]]] | None:
    """Return the places of a record's features and label as (start, end, type), in bytes.

    Returns:
        The places, or None if the features are not dense floats in one packed field.
    """
    layout: dict[str, tuple[int, int, np.dtype[Any]]] = {}
    try:
        for field, start, end in _spans(message, 0, len(message)):
            if field not in (1, 2):
                continue
            entry = {number: (first, last) for number, first, last in _spans(message, start, end)}
            if message[slice(*entry[1])] != b"values":
                return None
            ((kind, first, last),) = _spans(message, *entry[2])
            ((number, first, last),) = _spans(message, first, last)
            if number != 1 or (last - first) % _FLOAT_TENSORS[kind].itemsize or first == last:
                return None
            layout["features" if field == 1 else "labels"] = (first, last, _FLOAT_TENSORS[kind])
    except (IndexError, KeyError, ValueError):
        return None
    return layout if "features" in layout else None


def _decode_message(message: bytes, features: int | None) -> tuple[Vector, float | None]:
    """Decode a record's features, and its label if it has one."""
    vector: Vector | None = None
    label: float | None = None
    for field, start, end in _spans(message, 0, len(message)):
        if field not in (1, 2):
            continue
        entry = {number: message[first:last] for number, first, last in _spans(message, start, end)}
        if entry.get(1) != b"values":
            continue
        if field == 1:
            vector = _decode_tensor(entry[2], features)
        else:
            label = _decode_label(entry[2])
    if vector is None:
        raise RecordIOError("has no features named 'values'")
    return vector, label


def _decode_label(value: bytes) -> float:
    vector = _decode_tensor(value, 1)
    if vector.keys is not None and len(vector.values) != 1:
        raise RecordIOError("has a label with several values; a label has one value")
    return float(vector.values[0])


def _decode_tensor(value: bytes, features: int | None) -> Vector:
    ((kind, start, end),) = _spans(value, 0, len(value))
    parts: dict[int, list[bytes]] = {1: [], 2: [], 3: []}
    for field, first, last in _spans(value, start, end):
        parts[field].append(value[first:last])
    packed = {field: b"".join(chunks) for field, chunks in parts.items()}
    if kind == _INT32_TENSOR:
        numbers = np.array(_varints(packed[1]), dtype=np.uint64).astype(np.int64).astype(np.float64)
    else:
        numbers = np.frombuffer(packed[1], _FLOAT_TENSORS[kind]).astype(np.float64)
    keys = _varints(packed[2])
    if not keys:
        return Vector(None, numbers, len(numbers))
    shape = _varints(packed[3])
    size = shape[0] if shape else features
    if size is None:
        raise RecordIOError("is sparse and has no shape, so set feature_dim")
    if size > _MOST_FEATURES or max(keys) >= size or len(keys) != len(numbers):
        raise RecordIOError(f"has sparse keys that do not fit its {len(numbers)} values and {size} features")
    return Vector(np.array(keys, dtype=np.int64), numbers, size)


def _spans(data: bytes, position: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield the fields of a message as (number, start, end), where start and end enclose the field's value."""
    while position < end:
        tag, position = _varint(data, position)
        start = position
        match tag & 7:
            case 0:
                _, position = _varint(data, position)
            case 1:
                position += 8
            case 2:
                length, start = _varint(data, position)
                position = start + length
            case 5:
                position += 4
            case _:
                raise RecordIOError("is not an aialgs.data.Record")
        if position > end:
            raise RecordIOError("is cut off")
        yield tag >> 3, start, position


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if shift >= _VARINT_BITS:
            raise RecordIOError("has a number of more than 64 bits")
        byte = data[position]
        value |= (byte & 127) << shift
        position += 1
        if byte < 128:
            return value, position
        shift += 7


def _varints(data: bytes) -> list[int]:
    values, position = [], 0
    while position < len(data):
        value, position = _varint(data, position)
        values.append(value)
    return values
