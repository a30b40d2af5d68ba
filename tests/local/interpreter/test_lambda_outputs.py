"""Numbers as texts of a Lambda step's outputs: examples of the documentation of Java's Double.toString."""

from __future__ import annotations

import pytest

from local.interpreter.lambda_outputs import java_text


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (200, "200.0"),
        (0, "0.0"),
        (-0.0, "-0.0"),
        (0.001, "0.001"),
        (0.00025, "2.5E-4"),
        (9999999.5, "9999999.5"),
        (1e7, "1.0E7"),
        (-1234567890, "-1.23456789E9"),
        (5e-324, "5.0E-324"),
        (float("inf"), "Infinity"),
        (float("nan"), "NaN"),
    ],
)
def test_a_number_as_a_text(number, expected) -> None:
    assert java_text(float(number)) == expected
