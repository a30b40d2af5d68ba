"""Parse the declarations of pipeline parameters, and resolve their values in an execution."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from definition_language.expressions import as_text
from local.core.errors import validation_error
from local.interpreter.definition import Json, MalformedError, Parameter, Scalar

_MEMBERS = {"Name", "Type", "DefaultValue", "EnumValues"}


def parse_parameter(document: Json) -> Parameter:
    """Parse one item of a definition's Parameters.

    Raises:
        MalformedError: The item is malformed.
    """
    if not isinstance(document, dict) or set(document) - _MEMBERS:
        raise MalformedError(f"a parameter has the members {', '.join(sorted(_MEMBERS))}, not {document!r}")
    name, kind = document.get("Name"), document.get("Type")
    if not isinstance(name, str) or not name:
        raise MalformedError(f"a parameter's Name must be a string, not {name!r}")
    if kind not in list(_READERS):
        raise MalformedError(f"Parameter '{name}': Type must be one of {', '.join(_READERS)}, not {kind!r}")
    default = document.get("DefaultValue")
    allowed = document.get("EnumValues") or []
    if not isinstance(allowed, list):
        raise MalformedError(f"Parameter '{name}': EnumValues must be a list, not {allowed!r}")
    try:
        parameter = Parameter(
            name,
            kind,
            None if default is None else _declared(kind, default),
            tuple(_declared(kind, v) for v in allowed),
        )
    except ValueError as error:
        raise MalformedError(f"Parameter '{name}': {error}") from None
    if parameter.allowed and parameter.default is not None and parameter.default not in parameter.allowed:
        raise MalformedError(f"Parameter '{name}': DefaultValue {default!r} is not in EnumValues {allowed!r}")
    return parameter


def resolve(parameters: Mapping[str, Parameter], given: Sequence[Mapping[str, str]]) -> dict[str, Scalar]:
    """Return the value of every parameter in an execution.

    Args:
        parameters: The declared parameters, by name.
        given: ``PipelineParameters`` of StartPipelineExecution.

    Raises:
        ServiceError: ValidationException that lists all faults.
    """
    faults = []
    values: dict[str, Scalar] = {
        name: parameter.default for name, parameter in parameters.items() if parameter.default is not None
    }
    seen = set()
    for item in given:
        name, text = item["Name"], item["Value"]
        if name in seen:
            faults.append(f"Parameter '{name}' is given more than once")
        seen.add(name)
        if name not in parameters:
            declared = ", ".join(parameters) or "none"
            faults.append(f"Unknown parameter '{name}'; the pipeline's parameters: {declared}")
            continue
        try:
            values[name] = _given(parameters[name], text)
        except ValueError as error:
            faults.append(str(error))
    for name in parameters:
        if name not in values and name not in seen:
            faults.append(f"Parameter '{name}' has no default value and is not given")
    if faults:
        raise validation_error("; ".join(faults))
    return values


def _given(parameter: Parameter, text: str) -> Scalar:
    if not text:
        # AWS's own words: users see them when a form sends an empty parameter.
        raise MalformedError(
            f"[string \"\" is too short (length: 0, required minimum: 1)]: parameter '{parameter.name}'"
        )
    try:
        value = _READERS[parameter.type](text)
    except ValueError:
        raise MalformedError(
            f"Value '{text}' of parameter '{parameter.name}' is not of type {parameter.type}"
        ) from None
    if parameter.allowed and value not in parameter.allowed:
        allowed = ", ".join(as_text(item) for item in parameter.allowed)
        raise MalformedError(
            f"Value '{text}' of parameter '{parameter.name}' failed to satisfy enum value set: [{allowed}]"
        )
    return value


def _declared(kind: str, value: Json) -> Scalar:
    if kind == "Float" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    # The exact type: isinstance would accept true as an Integer.
    if not isinstance(value, Scalar) or type(value) is not _TYPES[kind]:
        raise MalformedError(f"Value {value!r} is not of type {kind}")
    return value


def _read_float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise MalformedError(text)
    return value


def _read_boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise MalformedError(text)
    return text.lower() == "true"


_TYPES = {"String": str, "Integer": int, "Float": float, "Boolean": bool}

_READERS: dict[str, Callable[[str], Scalar]] = {
    "String": str,
    "Integer": int,
    "Float": _read_float,
    "Boolean": _read_boolean,
}
