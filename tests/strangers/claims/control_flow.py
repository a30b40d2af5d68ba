"""What was cached, chosen, refused, limited and selected is what the pipeline says."""

from __future__ import annotations

from typing import Any

from tests.strangers.conftest import Execution, Stranger

ALL = ("First", "Branch0", "Branch1", "Branch2", "Last", "Check", "Extra")


def check(stranger: Stranger, executions: list[Execution]) -> None:
    source, cached, green, selected = executions
    assert source.statuses() == dict.fromkeys(ALL, "Succeeded")
    assert _record(stranger, source, "First")["value"] == "red-2-0.25-true"
    assert _record(stranger, source, "Last")["value"] == "2"
    assert _record(stranger, source, "Extra")["value"] == "0.25"
    spans = [_record(stranger, source, f"Branch{number}") for number in range(3)]
    assert max(sum(a["begin"] <= b["begin"] < a["end"] for a in spans) for b in spans) <= 2
    assert all(_record(stranger, source, "First")["end"] < span["begin"] for span in spans)
    assert all(span["end"] < _record(stranger, source, "Last")["begin"] for span in spans)

    assert cached.statuses() == dict.fromkeys(ALL, "Succeeded")
    hits = {name for name, step in cached.steps.items() if "CacheHitResult" in step}
    assert hits == set(ALL) - {"Check"}
    assert not any(cached.id in key for key in stranger.keys("control/"))

    assert green.status == "Failed"
    assert green.steps["Check"]["Metadata"]["Condition"]["Outcome"] == "False"
    assert green.steps["WrongColour"]["FailureReason"] == "green; ControlFlow; found"
    assert "Extra" not in green.steps
    assert {name for name, step in green.steps.items() if "CacheHitResult" in step} == {"Last"}
    assert _record(stranger, green, "First")["value"] == "green-2-1e-07-true"

    assert selected.status == "Succeeded"
    assert _record(stranger, selected, "Last")["value"] == "12"
    assert [key for key in stranger.keys("control/") if selected.id in key] == [f"control/Last/{selected.id}/step.json"]


def _record(stranger: Stranger, execution: Execution, step: str) -> dict[str, Any]:
    record: dict[str, Any] = stranger.json(f"control/{step}/{execution.id}/step.json")["record"]
    return record
