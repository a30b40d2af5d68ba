"""Checks a request against AWS's service models, for the lint and for the local service.

It checks types, required and unknown members, unions, enumerations, lengths, numbers of entries, ranges and patterns,
of values and of map keys. Faults are data; the caller turns them into messages.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, auto
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.utils import parse_to_aware_datetime

from definition_language.patterns import UnsupportedPatternError, matches


class Constraint(Enum):
    """A kind of constraint; the comments say what ``Fault.expected`` contains."""

    TYPE = auto()  # the type's name in the model, for example string or structure
    KNOWN = auto()  # names of the structure's members
    REQUIRED = auto()  # None
    ONE_OF_UNION = auto()  # names of the union's members
    ENUM = auto()  # the values
    MIN_LENGTH = auto()  # characters
    MAX_LENGTH = auto()  # characters
    MIN_ENTRIES = auto()  # number of entries
    MAX_ENTRIES = auto()  # number of entries
    MIN_VALUE = auto()  # the bound
    MAX_VALUE = auto()  # the bound
    PATTERN = auto()  # the pattern
    CHECKABLE = auto()  # why the pattern cannot be checked


@dataclass(frozen=True)
class Entry:
    """A step of a path into a map: to the value of a key, or to the key itself."""

    key: str
    is_key: bool = False


Path = tuple[str | int | Entry, ...]
"""The path from the request to a value: names of members, indexes of lists, entries of maps."""


@dataclass(frozen=True)
class Fault:
    """A value that does not satisfy a constraint.

    Attributes:
        path: the value's path; for a missing or unknown member, the member's path.
        constraint: the constraint.
        value: the value; None for a missing member.
        expected: see ``Constraint``.
    """

    path: Path
    constraint: Constraint
    value: Any
    expected: Any = None


SCALARS = frozenset({"string", "integer", "float", "boolean"})
"""Kinds of values without parts."""


@dataclass(frozen=True)
class Unknown:
    """A value that is not known yet, for example an expression of a definition.

    Attributes:
        kinds: its possible kinds: ``string``, ``integer``, ``float``, ``boolean``, ``structure``, ``list``, ``map``;
            None for any kind.
        shown: the text that an error shows for it.
    """

    kinds: frozenset[str] | None
    shown: str

    def __str__(self) -> str:
        return self.shown


_KINDS = {
    "string": frozenset({"string"}),
    "integer": frozenset({"integer"}),
    "long": frozenset({"integer"}),
    "float": frozenset({"integer", "float"}),
    "double": frozenset({"integer", "float"}),
    "boolean": frozenset({"boolean"}),
    "timestamp": frozenset({"string", "integer", "float"}),
    "blob": frozenset({"string"}),
    "structure": frozenset({"structure"}),
    "list": frozenset({"list"}),
    "map": frozenset({"map", "structure"}),
}
"""The kinds of values that each type of the model accepts."""

_INTEGERS = {"integer": (-(2**31), 2**31 - 1), "long": (-(2**63), 2**63 - 1)}
"""The bounds of the integer types, which hold unless the shape has its own."""

_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float, Decimal),
    "double": (int, float, Decimal),
    "boolean": (bool,),
    "structure": (dict,),
    "list": (list, tuple),
    "map": (dict,),
}


def faults(shape: Shape, value: Any, path: Path = (), given: frozenset[str] = frozenset()) -> Iterator[Fault]:
    """Yield the faults of a value against its shape.

    Args:
        shape: the model's shape; for a request, the operation's input shape.
        value: the value as a Python object, or ``Unknown``.
        path: the value's path.
        given: members of the outermost structure that are added later and so may be missing.
    """
    if isinstance(value, Unknown):
        if value.kinds is not None and value.kinds.isdisjoint(_KINDS[shape.type_name]):
            yield Fault(path, Constraint.TYPE, value, shape.type_name)
    elif isinstance(shape, StructureShape) and shape.is_document_type:
        if not _is_json(value):
            yield Fault(path, Constraint.TYPE, value, "document")
    elif not _has_type(shape, value):
        yield Fault(path, Constraint.TYPE, value, shape.type_name)
    elif isinstance(shape, StructureShape):
        yield from _structure_faults(shape, value, path, given)
    elif isinstance(shape, ListShape):
        yield from _bound_faults(shape, len(value), value, path, (Constraint.MIN_ENTRIES, Constraint.MAX_ENTRIES))
        for index, item in enumerate(value):
            yield from faults(shape.member, item, (*path, index))
    elif isinstance(shape, MapShape):
        yield from _bound_faults(shape, len(value), value, path, (Constraint.MIN_ENTRIES, Constraint.MAX_ENTRIES))
        for key, item in value.items():
            yield from faults(shape.key, key, (*path, Entry(key, is_key=True)))
            yield from faults(shape.value, item, (*path, Entry(key)))
    elif shape.type_name == "string":
        yield from _string_faults(shape, value, path)
    elif shape.type_name in ("integer", "long", "float", "double"):
        yield from _bound_faults(shape, value, value, path, (Constraint.MIN_VALUE, Constraint.MAX_VALUE))


def kind_of(shape: Shape) -> frozenset[str] | None:
    """Return the kinds of a shape's values; None if their form in a definition is not known."""
    return None if shape.type_name in ("timestamp", "blob") else _KINDS[shape.type_name]


def _has_type(shape: Shape, value: Any) -> bool:
    if shape.type_name == "timestamp":
        return _is_timestamp(value)
    if shape.type_name == "blob":
        return isinstance(value, bytes | bytearray | str) or hasattr(value, "read")
    if isinstance(value, bool) and shape.type_name != "boolean":
        return False
    if isinstance(value, float) and not math.isfinite(value):
        return False
    return isinstance(value, _PYTHON_TYPES[shape.type_name])


def read_timestamp(value: Any) -> float:
    """Return the seconds since the epoch of a request's timestamp.

    Args:
        value: a datetime, a number of seconds, or a text with either.

    Raises:
        ValueError: the value is no timestamp of the years 1 to 9999.
    """
    if isinstance(value, bool):
        raise ValueError("a boolean is no timestamp")  # noqa: TRY004 - as for other values
    try:
        found: float = parse_to_aware_datetime(value).timestamp()
    except (TypeError, ValueError, AttributeError, ArithmeticError, OSError, RuntimeError):
        # RuntimeError is botocore's own for numbers outside of these years.
        raise ValueError(f"not a timestamp: {value!r}") from None
    return found


def _is_timestamp(value: Any) -> bool:
    try:
        read_timestamp(value)
    except ValueError:
        return False
    return True


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True


def _structure_faults(
    shape: StructureShape, value: dict[str, Any], path: Path, given: frozenset[str]
) -> Iterator[Fault]:
    if shape.is_tagged_union and len(value) != 1:
        yield Fault(path, Constraint.ONE_OF_UNION, value, tuple(shape.members))
    for name in shape.required_members:
        if name not in value and name not in given:
            yield Fault((*path, name), Constraint.REQUIRED, None)
    for name, item in value.items():
        if name in shape.members:
            yield from faults(shape.members[name], item, (*path, name))
        else:
            yield Fault((*path, name), Constraint.KNOWN, item, tuple(shape.members))


def _string_faults(shape: Shape, value: str, path: Path) -> Iterator[Fault]:
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        yield Fault(path, Constraint.ENUM, value, tuple(allowed))
        return
    yield from _bound_faults(shape, len(value), value, path, (Constraint.MIN_LENGTH, Constraint.MAX_LENGTH))
    pattern = shape.metadata.get("pattern")
    if pattern is None:
        return
    try:
        if not matches(pattern, value):
            yield Fault(path, Constraint.PATTERN, value, pattern)
    except UnsupportedPatternError as error:
        yield Fault(path, Constraint.CHECKABLE, value, str(error))


def _bound_faults(
    shape: Shape, measure: float, value: Any, path: Path, kinds: tuple[Constraint, Constraint]
) -> Iterator[Fault]:
    of_type = _INTEGERS.get(shape.type_name, (None, None))
    least, most = shape.metadata.get("min", of_type[0]), shape.metadata.get("max", of_type[1])
    if least is not None and measure < least:
        yield Fault(path, kinds[0], value, least)
    if most is not None and measure > most:
        yield Fault(path, kinds[1], value, most)
