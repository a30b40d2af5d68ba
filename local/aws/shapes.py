"""Validation of requests against the operation's input shape, with SageMaker's messages."""

from __future__ import annotations

from typing import Any

from botocore.model import StructureShape

from definition_language.constraints import Constraint, Entry, Fault, Path, faults
from definition_language.sentences import sentence
from local.core.errors import validation_error

_STRUCTURAL = (Constraint.TYPE, Constraint.KNOWN, Constraint.ONE_OF_UNION)
"""Faults that AWS clients refuse to send. The messages for them are botocore's."""

_LONGEST_SHOWN = 200


def validate_request(shape: StructureShape, request: dict[str, Any]) -> None:
    """Check types, required and unknown members, unions, enumerations, lengths, ranges and patterns.

    Raises:
        ServiceError: ValidationException that lists all faults of the request.
    """
    validate_found(list(faults(shape, request)))


def validate_found(found: list[Fault]) -> None:
    """Refuse a request with faults.

    Raises:
        ServiceError: ValidationException that lists the faults.
    """
    structural = [sentence(fault, "") for fault in found if fault.constraint in _STRUCTURAL]
    if structural:
        raise validation_error(" ".join(structural))
    if found:
        noun = "validation error" if len(found) == 1 else "validation errors"
        raise validation_error(f"{len(found)} {noun} detected: " + "; ".join(map(constraint_fault, found)))


def constraint_fault(fault: Fault) -> str:
    """Return SageMaker's message for a fault of a value."""
    value = "null" if fault.constraint is Constraint.REQUIRED else f"'{_shortened(str(fault.value))}'"
    member = "Map keys" if isinstance(fault.path[-1], Entry) and fault.path[-1].is_key else "Member"
    return f"Value {value} at '{_place(fault.path)}' failed to satisfy constraint: {member} must {_demand(fault)}"


def _demand(fault: Fault) -> str:
    match fault.constraint:
        case Constraint.REQUIRED:
            return "not be null"
        case Constraint.ENUM:
            return f"satisfy enum value set: [{', '.join(fault.expected)}]"
        case Constraint.PATTERN:
            return f"satisfy regular expression pattern: {fault.expected}"
        case Constraint.CHECKABLE:
            return f"be something that the local service can check: {fault.expected}"
        case Constraint.MIN_VALUE | Constraint.MAX_VALUE:
            measure = "value"
        case _:
            measure = "length"
    least = fault.constraint in (Constraint.MIN_VALUE, Constraint.MIN_LENGTH, Constraint.MIN_ENTRIES)
    return f"have {measure} {'greater' if least else 'less'} than or equal to {fault.expected}"


def _place(path: Path) -> str:
    """Return a path as in ``tags.1.member.key``: members in camel case, items counted from one."""
    parts: list[str] = []
    for part in path:
        if isinstance(part, int):
            parts += [str(part + 1), "member"]
        elif isinstance(part, Entry):
            parts += [] if part.is_key else [part.key, "member"]
        else:
            parts.append(part[:1].lower() + part[1:])
    return ".".join(parts)


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "..."
