"""The chart of a tuning job: training jobs in the order of their starts, and the best so far."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from studio.search import search


def job(start: int, value: float | None) -> dict[str, Any]:
    found: dict[str, Any] = {"TrainingJobName": f"job-{start}", "CreationTime": datetime(2026, 1, 1, tzinfo=UTC)}
    found["TrainingStartTime"] = found["CreationTime"] + timedelta(seconds=start)
    if value is not None:
        found["FinalHyperParameterTuningJobObjectiveMetric"] = {"MetricName": "mse", "Value": value}
    return found


def test_jobs_stand_in_the_order_of_their_starts_with_the_best_so_far() -> None:
    found = search([job(2, 1.0), job(1, 3.0), job(4, 4.0), job(3, 5.0), job(5, None)])
    assert found is not None
    assert [each.value for each in found.trials] == [3.0, 1.0, 5.0, 4.0]
    assert [each.x for each in found.trials] == [12.5, 37.5, 62.5, 87.5]
    assert [each.end for each in found.trials] == [37.5, 62.5, 87.5, 100.0]
    assert [each.y for each in found.trials] == [50.0, 94.0, 6.0, 28.0]
    assert [each.best for each in found.trials] == [50.0, 94.0, 94.0, 94.0]
    assert (found.lowest, found.highest) == (1.0, 5.0)


def test_the_best_of_a_maximum_is_the_largest() -> None:
    found = search([job(2, 5.0), job(1, 1.0), job(3, 3.0)])
    assert found is not None
    assert [each.best for each in found.trials] == [94.0, 6.0, 6.0]


@pytest.mark.parametrize("jobs", [[], [job(1, None)], [job(1, 2.0), job(2, None)]])
def test_fewer_than_two_results_are_no_chart(jobs) -> None:
    assert search(jobs) is None


def test_equal_results_are_a_flat_line() -> None:
    found = search([job(1, 2.0), job(2, 2.0)])
    assert found is not None
    assert {each.y for each in found.trials} == {94.0}
