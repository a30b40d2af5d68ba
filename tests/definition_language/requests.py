"""Requests of any shape, good ones and ones with something that AWS refuses."""

from __future__ import annotations

from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape
from hypothesis import strategies as st

AWKWARD = ["", "a", "a\n", "a\nb", "\r", "a\u2028b", "ä", "名前", "a" * 300, "s3://bucket/key", "arn:aws:iam::1:role/r"]
TEXTS = st.sampled_from(AWKWARD) | st.text(max_size=8)


def requests(shape: StructureShape) -> st.SearchStrategy[dict[str, Any]]:
    """Requests whose required members are there, with a few of the others and sometimes one that is unknown."""
    required = {name: values(shape.members[name]) for name in shape.required_members}
    others = [name for name in shape.members if name not in required]
    chosen = st.lists(st.sampled_from(others), max_size=3, unique=True) if others else st.just([])
    return chosen.flatmap(
        lambda names: st.fixed_dictionaries(
            required | {name: values(shape.members[name]) for name in names}, optional={"NoSuchMember": st.just(1)}
        )
    )


def values(shape: Shape, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values of a shape, many of them with something that AWS refuses."""
    if depth > 4 and isinstance(shape, StructureShape | MapShape | ListShape):
        return st.just([] if isinstance(shape, ListShape) else {})
    if isinstance(shape, StructureShape):
        required = {name: values(shape.members[name], depth + 1) for name in shape.required_members}
        optional = {name: values(member, depth + 1) for name, member in shape.members.items() if name not in required}
        return st.fixed_dictionaries(required, optional=optional)
    if isinstance(shape, ListShape):
        return st.lists(values(shape.member, depth + 1), max_size=2)
    if isinstance(shape, MapShape):
        return st.dictionaries(TEXTS, values(shape.value, depth + 1), max_size=2)
    return _scalars(shape)


def _scalars(shape: Shape) -> st.SearchStrategy[Any]:
    enum = shape.metadata.get("enum")
    if shape.type_name == "string":
        return st.sampled_from(enum) | TEXTS if enum else TEXTS
    return {
        "integer": st.integers(-2, 10**7),
        "long": st.integers(-2, 10**7),
        "float": st.floats(-2, 1e7),
        "double": st.floats(-2, 1e7),
        "boolean": st.booleans() | st.just("true"),
        "blob": st.just(b"x"),
    }.get(shape.type_name, st.just(1.0))
