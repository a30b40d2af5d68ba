"""Turns faults into messages for the authors of requests and definitions."""

from __future__ import annotations

from definition_language.constraints import Constraint, Entry, Fault, Path

_LONGEST_SHOWN = 100

_BOUNDS = {
    Constraint.MIN_LENGTH: ("characters", "takes at least"),
    Constraint.MAX_LENGTH: ("characters", "takes"),
    Constraint.MIN_ENTRIES: ("entries", "takes at least"),
    Constraint.MAX_ENTRIES: ("entries", "takes"),
}


def sentence(fault: Fault, root: str, service: str = "SageMaker") -> str:
    """Return a fault as a sentence.

    Args:
        fault: the fault.
        root: the beginning of the shown path, for example ``Arguments``.
        service: the service that takes the request.
    """
    return f"{_place(fault, root)}: {_reason(fault, service)}"


def place(path: Path, root: str) -> str:
    """Return a path as text: ``Arguments.Environment.A``, ``Tags[0].Key``."""
    text = root
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            name = part.key if isinstance(part, Entry) else part
            text += f".{name}" if text else name
    return text or "the request"


def _place(fault: Fault, root: str) -> str:
    # Botocore's own messages for these already name the place.
    return root if root and fault.constraint in _STRUCTURAL else place(fault.path, root)


_STRUCTURAL = (Constraint.TYPE, Constraint.KNOWN, Constraint.REQUIRED)


def _reason(fault: Fault, service: str) -> str:
    name = place(fault.path, "")
    parent = place(fault.path[:-1], "") if len(fault.path) > 1 else "input"
    value, expected = shown(fault.value), fault.expected
    match fault.constraint:
        case Constraint.TYPE:
            reason = f"Invalid type for parameter {name}, value: {value}, valid type: {expected}"
        case Constraint.KNOWN:
            reason = f'Unknown parameter in {parent}: "{fault.path[-1]}", must be one of: {_listed(expected)}'
        case Constraint.REQUIRED:
            reason = f'Missing required parameter in {parent}: "{fault.path[-1]}"'
        case Constraint.ONE_OF_UNION:
            reason = f"{len(fault.value)} members are set; {service} takes exactly one of {_listed(expected)}"
        case Constraint.ENUM:
            reason = f"{value} is not one of {service}'s values: {_listed(expected)}"
        case Constraint.PATTERN:
            reason = f"{value} does not match {expected}{_hint(fault.value)}"
        case Constraint.CHECKABLE:
            reason = f"{value} cannot be checked: {expected}"
        case Constraint.MIN_VALUE:
            reason = f"{value} is less than {expected}"
        case Constraint.MAX_VALUE:
            reason = f"{value} is more than {expected}"
        case bound:
            unit, takes = _BOUNDS[bound]
            reason = f"{len(fault.value)} {unit}; {service} {takes} {expected}"
    return reason


def shown(value: object) -> str:
    """Return a value as text for an error, shortened if it is long."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "..."


def _listed(values: tuple[str, ...]) -> str:
    text = ", ".join(values)
    return text if len(text) <= 2 * _LONGEST_SHOWN else text[: 2 * _LONGEST_SHOWN].rpartition(", ")[0] + ", ..."


def _hint(value: str) -> str:
    return " (it holds a line break)" if len(value.splitlines()) > 1 or value != value.rstrip("\r\n") else ""
