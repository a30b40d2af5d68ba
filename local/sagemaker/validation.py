"""Checks of a request against the operation's input shape, in the words that SageMaker uses."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.validate import ParamValidator

from local.errors import validation_error

_PATTERNS_THAT_ADMIT_ANYTHING = re.compile(r"^(\.\*|\[\\s\\S\]\*|\[\\S\\s\]\*|\.\+)$|^\.\*\(\?:")

_ANYTHING = re.compile(".*", re.DOTALL)
_JAVA_CLASSES = {
    r"\p{L}": r"\w",
    r"\p{M}": r"\w",
    r"\p{N}": r"\w",
    r"\p{Z}": r" \u00a0\u2000-\u200a\u2028\u2029\u202f\u205f\u3000",
    r"\p{Alnum}": "a-zA-Z0-9",
}


def validate_request(shape: StructureShape, request: dict[str, Any]) -> None:
    """Check types, required and unknown members, enumerations, lengths, ranges and patterns.

    Raises:
        ServiceError: ValidationException that lists all that is wrong.
    """
    report = ParamValidator().validate(request, shape)
    if report.has_errors():
        raise validation_error(" ".join(report.generate_report().split("\n")))
    found = faults(shape, request, "")
    if found:
        noun = "validation error" if len(found) == 1 else "validation errors"
        raise validation_error(f"{len(found)} {noun} detected: " + "; ".join(found))


def faults(shape: Shape, value: Any, path: str) -> list[str]:
    """What is wrong with a value of the right type: enumerations, lengths, ranges and patterns, at any depth."""
    if isinstance(shape, StructureShape):
        return [
            fault
            for name, item in value.items()
            for fault in faults(shape.members[name], item, _join(path, name[0].lower() + name[1:]))
        ]
    if isinstance(shape, ListShape):
        nested = [
            fault
            for index, item in enumerate(value, start=1)
            for fault in faults(shape.member, item, f"{path}.{index}.member")
        ]
        return _size_faults(shape, value, path) + nested
    if isinstance(shape, MapShape):
        nested = [fault for name, item in value.items() for fault in faults(shape.value, item, f"{path}.{name}.member")]
        return _size_faults(shape, value, path) + nested
    if shape.type_name == "string":
        return _string_faults(shape, value, path)
    if shape.type_name in ("integer", "long", "float", "double"):
        return _bound_faults(shape, value, value, path, "value")
    return []


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _string_faults(shape: Shape, value: str, path: str) -> list[str]:
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        return [_fault(value, path, f"satisfy enum value set: [{', '.join(allowed)}]")]
    found = _bound_faults(shape, len(value), value, path, "length")
    pattern = shape.metadata.get("pattern")
    if pattern and not _PATTERNS_THAT_ADMIT_ANYTHING.search(pattern) and not _compiled(pattern).fullmatch(value):
        found.append(_fault(value, path, f"satisfy regular expression pattern: {pattern}"))
    return found


def _size_faults(shape: Shape, value: Any, path: str) -> list[str]:
    return _bound_faults(shape, len(value), value, path, "length")


def _bound_faults(shape: Shape, measure: float, value: Any, path: str, what: str) -> list[str]:
    found = []
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and measure < least:
        found.append(_fault(value, path, f"have {what} greater than or equal to {least}"))
    if most is not None and measure > most:
        found.append(_fault(value, path, f"have {what} less than or equal to {most}"))
    return found


def _fault(value: Any, path: str, constraint: str) -> str:
    shown = str(value)
    if len(shown) > 200:
        shown = shown[:200] + "..."
    return f"Value '{shown}' at '{path}' failed to satisfy constraint: Member must {constraint}"


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    for java_class, characters in _JAVA_CLASSES.items():
        pattern = pattern.replace(java_class, characters)
    try:
        return re.compile(pattern, re.DOTALL)
    except re.error:
        # Java's classes of punctuation and symbols, and surrogate pairs, have no counterpart in Python's re.
        return _ANYTHING
