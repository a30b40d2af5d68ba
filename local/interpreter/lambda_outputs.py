"""Output parameters of a Lambda step: a function's response, as SageMaker records it.

SageMaker reads every number of the response as a 64-bit float. A String output that is the number 200 is therefore
recorded as ``200.0``: public notebooks show this in the output of ListPipelineExecutionSteps. An Integer output is
recorded without a fraction.
"""

from __future__ import annotations

import math
from decimal import Decimal

from local.interpreter.definition import Json, Scalar
from local.interpreter.step_errors import StepFailedError

_PLAIN_FROM, _PLAIN_BELOW = 1e-3, 1e7


def output_value(response: Json, name: str, kind: str) -> Scalar:
    """Return an output parameter's value.

    Args:
        response: the function's response.
        name: the output's name.
        kind: its declared type: ``String``, ``Integer``, ``Float`` or ``Boolean``.

    Raises:
        StepFailedError: the response has no such member, or its value has no reading of this type.
    """
    value = response.get(name) if isinstance(response, dict) else None
    if value is None:
        found = ", ".join(response) if isinstance(response, dict) else type(response).__name__
        raise StepFailedError(
            f"ClientError: the function did not return output parameter '{name}'; it returned: {found}"
        )
    converted = _converted(value, kind)
    if converted is None:
        raise StepFailedError(f"ClientError: output parameter '{name}' is not of type {kind}: {value!r}")
    return converted


def _converted(value: Json, kind: str) -> Scalar | None:
    if isinstance(value, bool):
        if kind == "Boolean":
            return value
        return str(value).lower() if kind == "String" else None
    if isinstance(value, str):
        return value if kind == "String" else None
    return _number(value, kind) if isinstance(value, int | float) else None


def _number(value: float, kind: str) -> Scalar | None:
    try:
        number = float(value)
    except OverflowError:
        return None
    if kind == "String":
        return java_text(number)
    if kind == "Float" and math.isfinite(number):
        return number
    return int(value) if kind == "Integer" and number.is_integer() else None


def java_text(number: float) -> str:
    """Return a number as Java's ``Double.toString`` writes it: ``200.0``, ``1.0E7``, ``NaN``."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    if number == 0 or _PLAIN_FROM <= abs(number) < _PLAIN_BELOW:
        text = format(Decimal(repr(number)), "f")
        return text if "." in text else f"{text}.0"
    sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    first, *rest = (str(digit) for digit in digits)
    power = int(exponent) + len(rest)
    return f"{'-' if sign else ''}{first}.{''.join(rest) or '0'}E{power}"
