"""Hyperparameter ranges of tuning jobs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.core.errors import validation_error
from local.runtime.algorithms import Algorithm

_LOGARITHMIC_RATIO = 100.0
"""Least ratio of maximum to minimum at which scaling Auto is logarithmic. SageMaker does not document its own rule."""


@dataclass(frozen=True)
class Range:
    """The range of a hyperparameter.

    Attributes:
        name: The hyperparameter.
        kind: ``Categorical``, ``Integer`` or ``Continuous``.
        values: The values of a categorical range.
        minimum, maximum: The inclusive bounds of an integer or continuous range.
        scaling: ``Linear``, ``Logarithmic`` or ``ReverseLogarithmic``.
    """

    name: str
    kind: str
    values: tuple[str, ...] = ()
    minimum: float = 0.0
    maximum: float = 0.0
    scaling: str = "Linear"

    @property
    def size(self) -> float:
        """The number of values; infinite for a continuous range."""
        if self.kind == "Categorical":
            return len(self.values)
        return self.maximum - self.minimum + 1 if self.kind == "Integer" else math.inf


def read(given: Mapping[str, list[dict[str, Any]]], static: Mapping[str, str]) -> list[Range]:
    """Read the ranges of a request.

    Args:
        given: ``ParameterRanges`` of the request.
        static: ``StaticHyperParameters`` of the request.

    Raises:
        ServiceError: ValidationException, because a range is not valid or not supported.
    """
    if given.get("AutoParameters"):
        raise validation_error("ParameterRanges.AutoParameters: not implemented by the local service")
    ranges = [
        *(_categorical(each) for each in given.get("CategoricalParameterRanges", [])),
        *(_numeric(each, "Integer") for each in given.get("IntegerParameterRanges", [])),
        *(_numeric(each, "Continuous") for each in given.get("ContinuousParameterRanges", [])),
    ]
    names = [each.name for each in ranges]
    if not ranges:
        raise validation_error("ParameterRanges: at least one hyperparameter range is required")
    for name in names:
        if names.count(name) > 1:
            raise validation_error(f"ParameterRanges: the hyperparameter {name} has more than one range")
        if name in static:
            raise validation_error(f"The hyperparameter {name} is in both StaticHyperParameters and ParameterRanges")
    return ranges


def check_tunable(ranges: list[Range], algorithm: Algorithm) -> None:
    """Check that the algorithm's documentation lists the ranges as tunable.

    Raises:
        ServiceError: ValidationException, because a hyperparameter or a value is not tunable.
    """
    for each in ranges:
        tunable = algorithm.tunable.get(each.name)
        if tunable is None:
            raise validation_error(
                f"The hyperparameter {each.name} of {algorithm.name} cannot be tuned. "
                f"Tunable: {', '.join(sorted(algorithm.tunable))}"
            )
        if tunable.minimum is None or tunable.maximum is None:
            _check_choices(each, tunable.values)
        else:
            _check_bounds(each, tunable.minimum, tunable.maximum)


def _check_choices(each: Range, allowed: tuple[str, ...]) -> None:
    for value in each.values or (each.kind,):
        if value.lower() not in allowed:
            raise validation_error(f"{each.name}: {value} cannot be tuned; allowed values: {', '.join(allowed)}")


def _check_bounds(each: Range, least: float, most: float) -> None:
    values = [_number(each.name, value) for value in each.values] or [each.minimum, each.maximum]
    for value in values:
        if not least <= value <= most:
            raise validation_error(
                f"{each.name}: {value:g} is outside the range that can be tuned, {least:g} to {most:g}"
            )


def _categorical(given: dict[str, Any]) -> Range:
    name, values = given["Name"], tuple(given["Values"])
    for value in values:
        if values.count(value) > 1:
            raise validation_error(f"{name}: the value {value!r} is given twice")
    return Range(name, "Categorical", values)


def _numeric(given: dict[str, Any], kind: str) -> Range:
    name = given["Name"]
    minimum, maximum = _number(name, given["MinValue"]), _number(name, given["MaxValue"])
    if minimum >= maximum:
        raise validation_error(f"{name}: MinValue {minimum:g} is not less than MaxValue {maximum:g}")
    if kind == "Integer" and not (minimum.is_integer() and maximum.is_integer()):
        raise validation_error(f"{name}: MinValue and MaxValue of an integer range must be integers")
    scaling = given.get("ScalingType", "Auto")
    if scaling == "Auto":
        scaling = "Logarithmic" if minimum > 0 and maximum / minimum >= _LOGARITHMIC_RATIO else "Linear"
    if scaling == "Logarithmic" and minimum <= 0:
        raise validation_error(f"{name}: a range of scaling type Logarithmic must be greater than 0")
    if scaling == "ReverseLogarithmic" and (kind == "Integer" or not 0 <= minimum < maximum < 1):
        raise validation_error(
            f"{name}: a range of scaling type ReverseLogarithmic must be continuous and within 0 <= x < 1"
        )
    return Range(name, kind, minimum=minimum, maximum=maximum, scaling=scaling)


def _number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise validation_error(f"{name}: {text!r} is not a number")
    return value
