"""Errors on one scale."""

from __future__ import annotations

import math

import pytest

from studio.intervals import Errors, scale


def test_places_are_in_proportion_from_zero() -> None:
    drawn = scale([Errors("a", 20.0, 10.0, 40.0, (("mean", 80.0),)), Errors("b", 40.0, None, None)])
    first, second = drawn.lines
    assert first.low is not None
    assert first.value == pytest.approx(2 * first.low, abs=0.02)
    assert first.high == second.value == pytest.approx(first.baselines[0][1] / 2, abs=0.02)
    assert second.low is None
    assert drawn.marks[0] == (0.0, "0")
    assert (second.value, "40") in drawn.marks


@pytest.mark.parametrize("highest", [1e-9, 0.07, 1.0, 3.3, 999.0, 1e12])
def test_there_are_few_round_marks(highest) -> None:
    marks = scale([Errors("a", highest, None, None)]).marks
    assert 2 <= len(marks) <= 6
    assert all(0 <= place <= 100 for place, _ in marks)


@pytest.mark.parametrize("error", [0.0, math.inf, math.nan])
def test_errors_that_have_no_place_do_not_stop_the_page(error) -> None:
    (line,) = scale([Errors("a", error, None, None)]).lines
    assert 0 <= line.value <= 100
