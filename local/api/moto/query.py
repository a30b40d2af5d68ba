"""Read requests of the Query protocol.

Source: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from botocore.model import ListShape, MapShape, Shape, StructureShape

from local.core.errors import ServiceError

Tree = dict[str, Any]
"""Fields by the parts of their names between dots: ``A.member.1=x`` is ``{"A": {"member": {"1": {"": "x"}}}}``."""

_DEEPEST = 40
_MOST_DIGITS = 300


def read_fields(*texts: bytes) -> dict[str, str]:
    """Return the fields of a request's query and body.

    Raises:
        ServiceError: MalformedQueryString, because a text is not UTF-8, or a field is given twice.
    """
    fields: dict[str, str] = {}
    for text in texts:
        try:
            pairs = parse_qsl(text.decode(), keep_blank_values=True, errors="strict")
        except ValueError:
            raise ServiceError("MalformedQueryString", "the request's fields are not UTF-8 text") from None
        for name, value in pairs:
            if fields.setdefault(name, value) != value:
                raise ServiceError("MalformedQueryString", f"the request has the field {name} twice")
    return fields


def read_query(shape: StructureShape | None, fields: Mapping[str, str]) -> dict[str, Any]:
    """Return the members of a request. Fields that the shape does not have are left out, as by AWS.

    Values that do not have their member's type stay texts, so that a check of the types reports them.

    Raises:
        ServiceError: MalformedQueryString, because a name has too many parts, or the number of a list's item is none.
    """
    if shape is None:
        return {}
    tree: Tree = {}
    for name, value in fields.items():
        parts = name.split(".")
        if len(parts) > _DEEPEST:
            raise ServiceError("MalformedQueryString", "a field's name has too many parts")
        place = tree
        for part in parts:
            place = place.setdefault(part, {})
        place[""] = value
    return _structure(shape, tree)


def _structure(shape: StructureShape, tree: Tree) -> dict[str, Any]:
    members = {}
    for name, member in shape.members.items():
        field = _name(member, name)
        if isinstance(member, ListShape) and member.serialization.get("flattened"):
            # The name of a flattened list's items replaces that of the list.
            field = member.member.serialization.get("name") or field
        if field in tree:
            members[name] = _value(member, tree[field])
    return members


def _value(shape: Shape, tree: Tree) -> Any:
    if isinstance(shape, StructureShape):
        return _structure(shape, tree)
    if isinstance(shape, ListShape):
        within = tree if shape.serialization.get("flattened") else tree.get(_name(shape.member, "member"), {})
        return [_value(shape.member, item) for item in _numbered(within)]
    if isinstance(shape, MapShape):
        within = tree if shape.serialization.get("flattened") else tree.get("entry", {})
        key, value = _name(shape.key, "key"), _name(shape.value, "value")
        pairs = [(item.get(key, {}).get("", ""), item.get(value, {})) for item in _numbered(within)]
        return {name: _value(shape.value, item) for name, item in pairs}
    return _scalar(shape.type_name, tree.get("", ""))


def _name(shape: Shape, default: str) -> str:
    return str(shape.serialization.get("name", default))


def _numbered(tree: Tree) -> list[Tree]:
    """Return a list's items by their numbers. An empty list is a field without a value."""
    numbers = [name for name in tree if name]
    for name in numbers:
        if not (name.isascii() and name.isdecimal() and len(name) <= len("1000000")):
            raise ServiceError("MalformedQueryString", f"{name!r} is not the number of a list's item")
    return [tree[name] for name in sorted(numbers, key=int)]


def _scalar(kind: str, text: str) -> Any:
    try:
        if kind in ("integer", "long") and len(text) <= _MOST_DIGITS:
            return int(text)
        if kind in ("float", "double"):
            return float(text)
        if kind == "blob":
            return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        # Not a number is no text either: the check of the types reports it for each of these kinds.
        return None
    if kind == "boolean":
        return {"true": True, "false": False}.get(text.lower(), text)
    return text
