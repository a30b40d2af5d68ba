"""What a tuning job tries, and when it stops a training job early."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.core.errors import ServiceError
from local.runtime.jobs.early_stopping import MedianRule
from local.runtime.jobs.ranges import read
from local.runtime.jobs.search import search


def _continuous(least: str, most: str, scaling: str) -> dict[str, list[dict[str, str]]]:
    return {"ContinuousParameterRanges": [{"Name": "x", "MinValue": least, "MaxValue": most, "ScalingType": scaling}]}


@settings(max_examples=20, deadline=None)
@given(
    least=st.floats(0.001, 0.5),
    width=st.floats(0.01, 0.49),
    scaling=st.sampled_from(["Auto", "Linear", "Logarithmic", "ReverseLogarithmic"]),
    seed=st.integers(0, 1000),
)
def test_a_point_lies_within_its_range_whatever_the_scaling(
    least: float, width: float, scaling: str, seed: int
) -> None:
    most = least + width
    ranges = read(_continuous(repr(least), repr(most), scaling), {})
    points = search("Random", ranges, minimize=True, seed=seed).ask(5)
    for point in points:
        assert least - 1e-12 <= float(point["x"]) <= most + 1e-12


def test_a_wide_range_of_scaling_auto_is_searched_by_order_of_magnitude() -> None:
    (chosen,) = read(_continuous("0.00001", "1", "Auto"), {})
    assert chosen.scaling == "Logarithmic"
    (chosen,) = read(_continuous("0.5", "1", "Auto"), {})
    assert chosen.scaling == "Linear"


def test_bayesian_search_comes_closer_to_the_optimum_than_its_first_points() -> None:
    ranges = read(_continuous("0", "10", "Linear"), {})
    strategy = search("Bayesian", ranges, minimize=True, seed=1)
    losses = []
    for _ in range(10):
        points = strategy.ask(4)
        for point in points:
            loss = (float(point["x"]) - 7) ** 2
            strategy.tell(point, loss)
            losses.append(loss)
    assert sum(losses[-10:]) < sum(losses[:10]) / 2


def test_a_failed_job_teaches_the_search_nothing_and_does_not_stop_it() -> None:
    ranges = read(_continuous("0", "1", "Linear"), {})
    strategy = search("Bayesian", ranges, minimize=True, seed=1)
    for _ in range(5):
        (point,) = strategy.ask(1)
        strategy.tell(point, None)
    assert strategy.ask(1)


def test_points_of_a_small_space_do_not_repeat() -> None:
    ranges = read({"CategoricalParameterRanges": [{"Name": "x", "Values": ["a", "b", "c", "d"]}]}, {})
    points = search("Random", ranges, minimize=True, seed=0).ask(4)
    assert sorted(point["x"] for point in points) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("given_range", "message"),
    [
        (_continuous("1", "1", "Linear"), "MinValue 1 is not less than MaxValue 1"),
        (_continuous("0", "1", "Logarithmic"), "must be greater than 0"),
        (_continuous("0", "1", "ReverseLogarithmic"), "within 0 <= x < 1"),
        (_continuous("low", "1", "Linear"), "'low' is not a number"),
        (
            {"IntegerParameterRanges": [{"Name": "x", "MinValue": "1.5", "MaxValue": "3"}]},
            "must be integers",
        ),
        ({"CategoricalParameterRanges": [{"Name": "x", "Values": ["a", "a"]}]}, "'a' is given twice"),
        ({"AutoParameters": [{"Name": "x", "ValueHint": "1"}]}, "not implemented"),
    ],
)
def test_a_faulty_range_is_refused(given_range: dict[str, list[dict[str, str]]], message: str) -> None:
    with pytest.raises(ServiceError, match=message):
        read(given_range, {})


def test_the_median_rule_compares_with_running_averages_of_the_same_epoch() -> None:
    rule = MedianRule(minimize=True)
    assert not rule.stops([1000.0])
    rule.add([10.0, 2.0])
    rule.add([20.0, 10.0])
    rule.add([90.0])
    # Epoch 1: the median of 10, 20 and 90. Epoch 2: that of 6 and 15.
    assert not rule.stops([20.0])
    assert rule.stops([20.5])
    assert not rule.stops([0.0, 10.5])
    assert rule.stops([0.0, 11.0])
    assert not rule.stops([0.0, 0.0, 1000.0])


def test_the_median_rule_turns_around_for_an_objective_to_be_maximised() -> None:
    rule = MedianRule(minimize=False)
    rule.add([5.0])
    assert rule.stops([4.0])
    assert not rule.stops([6.0])
