"""The summary is that of all files, in nested folders too, and the Fail step tells it."""

from __future__ import annotations

import statistics

from tests.strangers.conftest import Execution, Stranger


def check(stranger: Stranger, executions: list[Execution]) -> None:
    (execution,) = executions
    values = [number * number for number in (*range(10), *range(5))]
    assert stranger.json("frames/summary/summary.json") == {
        "rows": 15,
        "quartiles": statistics.quantiles(values, n=4, method="inclusive"),
    }
    assert b"mode  quiet" in stranger.read("frames/summary/summary.txt")
    assert execution.statuses() == {"Summarise": "Succeeded", "Tell": "Failed"}
    assert execution.steps["Tell"]["FailureReason"] == f"rows 15 median {float(statistics.median(values))}"
