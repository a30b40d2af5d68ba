"""Bodies of requests in AWS's protocols, of values that their own serializers would refuse."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote_from_bytes

from botocore.model import ListShape, MapShape, Shape, StructureShape

from tests.local.fuzz.values import Raw


def to_json(value: Any) -> bytes:
    raws: list[str] = []

    def placeholder(part: Any) -> str:
        raws.append(part.text)
        return f"@raw-{len(raws) - 1}@"

    text = json.dumps(value, default=placeholder)
    for number, raw in enumerate(raws):
        text = text.replace(f'"@raw-{number}@"', raw)
    return text.encode()


def to_query(operation: str, version: str, shape: Shape | None, value: Any) -> bytes:
    fields = [("Action", operation), ("Version", version), *_fields("", shape, value)]
    return "&".join(f"{_quoted(name)}={_quoted(text)}" for name, text in fields).encode()


def _fields(prefix: str, shape: Shape | None, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and isinstance(shape, MapShape):
        entry = prefix if shape.serialization.get("flattened") else f"{prefix}.entry"
        for number, (key, item) in enumerate(value.items(), 1):
            yield f"{entry}.{number}.{shape.key.serialization.get('name', 'key')}", str(key)
            yield from _fields(f"{entry}.{number}.{shape.value.serialization.get('name', 'value')}", shape.value, item)
    elif isinstance(value, dict):
        for name, item in value.items():
            member = shape.members.get(name) if isinstance(shape, StructureShape) else None
            given = str(member.serialization.get("name", name) if member is not None else name)
            yield from _fields(f"{prefix}.{given}" if prefix else given, member, item)
    elif isinstance(value, list):
        member = shape.member if isinstance(shape, ListShape) else None
        name = member.serialization.get("name", "member") if member is not None else "member"
        flat = shape is not None and shape.serialization.get("flattened")
        for number, item in enumerate(value, 1):
            yield from _fields(f"{prefix}.{number}" if flat else f"{prefix}.{name}.{number}", member, item)
    else:
        yield prefix, text_of(value)


def text_of(value: Any) -> str:
    if isinstance(value, Raw):
        return value.text
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _quoted(text: str) -> str:
    return quote_from_bytes(text.encode(errors="surrogatepass"))


def to_cbor(value: Any) -> bytes:
    """See RFC 8949, section 3."""
    if value is None or isinstance(value, bool):
        return {None: b"\xf6", True: b"\xf5", False: b"\xf4"}[value]
    if isinstance(value, Raw):
        return value.text[:5000].encode()
    if isinstance(value, float) or (isinstance(value, int) and not -(2**64) <= value < 2**64):
        return b"\xfb" + struct.pack(">d", value)
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, str):
        encoded = value.encode(errors="surrogatepass")
        return _head(3, len(encoded)) + encoded
    if isinstance(value, list):
        return _head(4, len(value)) + b"".join(map(to_cbor, value))
    return _head(5, len(value)) + b"".join(to_cbor(name) + to_cbor(item) for name, item in value.items())


def _head(major: int, number: int) -> bytes:
    return bytes([major << 5 | 27]) + struct.pack(">Q", number)


def to_rest(shape: StructureShape, template: str, value: dict[str, Any]) -> tuple[bytes, dict[bytes, bytes], bytes]:
    """The path with its query, the headers and the body."""
    path, query, headers, rest = template.partition("?")[0], [], {}, {}
    payload: Any = None
    for name, item in value.items():
        member = shape.members.get(name)
        place = member.serialization.get("location") if member is not None else None
        key = str(member.serialization.get("name", name)) if member is not None else name
        if place == "uri":
            path = path.replace(f"{{{key}}}", _quoted(text_of(item)))
        elif place == "querystring":
            query.append(f"{key}={_quoted(text_of(item))}")
        elif place == "header":
            headers[key.lower().encode()] = _header_value(text_of(item))
        elif name == shape.serialization.get("payload"):
            payload = item
        else:
            rest[name] = item
    # A label that is missing is one that is empty.
    path = "".join(part.rpartition("}")[2] for part in path.split("{"))
    body = to_json(rest) if payload is None else to_json(payload)
    return f"{path}?{'&'.join(query)}".encode() if query else path.encode(), headers, body


def _header_value(text: str) -> bytes:
    encoded = text.encode(errors="replace")[:5000]
    return bytes(byte for byte in encoded if byte not in b"\r\n\0").strip()
