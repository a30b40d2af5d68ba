"""What was unpacked, left and written by relative names is right, and nothing outlives a job but its outputs."""

from __future__ import annotations

from tests.strangers.conftest import Execution, Stranger


def check(stranger: Stranger, executions: list[Execution]) -> None:
    ran, failed = executions
    assert ran.statuses() == dict.fromkeys(("Extract", "List", "Summarise"), "Succeeded")
    largest = max(number * 7 % 31 for number in range(20))
    assert stranger.json("shell/summary/deep/er/summary.json") == {"first": "row00,0", "largest": largest, "cwd": "/"}
    # The second execution has written these again.
    assert stranger.read("shell/output/largest.txt").split() == [str(largest).encode()]
    assert stranger.read("shell/output/lines.txt").split() == [b"20"]
    assert stranger.read("shell/output/arguments.txt") == b"2 arguments: --mode fail\n"
    assert not {b"rows", b"scratch.txt", b"lines.txt"} & set(stranger.read("shell/listing/root.txt").split())

    assert failed.statuses() == {"Extract": "Succeeded", "List": "Succeeded", "Summarise": "Failed"}
    reason = failed.steps["Summarise"]["FailureReason"]
    assert reason == f"ClientError: AlgorithmError: asked to fail at {largest}, exit code: 1"
