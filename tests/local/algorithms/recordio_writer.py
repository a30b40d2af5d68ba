"""A writer of application/x-recordio-protobuf, apart from the code under test."""

import struct


def varint(value: int) -> bytes:
    encoded = b""
    while value > 127:
        encoded += bytes([value & 127 | 128])
        value >>= 7
    return encoded + bytes([value])


def delimited(field: int, payload: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(payload)) + payload


def tensor(values, keys=(), shape=(), kind=2):
    if kind == 7:
        packed = b"".join(varint(value % 2**64) for value in values)
    else:
        packed = struct.pack(f"<{len(values)}{'f' if kind == 2 else 'd'}", *values)
    message = delimited(1, packed)
    message += delimited(2, b"".join(map(varint, keys))) if keys else b""
    message += delimited(3, b"".join(map(varint, shape))) if shape else b""
    return delimited(kind, message)


def message(features: bytes, label: bytes | None = None) -> bytes:
    encoded = delimited(1, delimited(1, b"values") + delimited(2, features))
    if label is not None:
        encoded += delimited(2, delimited(1, b"values") + delimited(2, label))
    return encoded


def framed(encoded: bytes) -> bytes:
    return struct.pack("<II", 0xCED7230A, len(encoded)) + encoded + bytes(-len(encoded) % 4)


def dense_stream(rows, label_first: bool = True) -> bytes:
    """Records of float32 tensors, as the SageMaker SDK writes a matrix."""
    records = []
    for row in rows:
        label = tensor(row[:1]) if label_first else None
        records.append(framed(message(tensor(row[1:] if label_first else row), label)))
    return b"".join(records)
