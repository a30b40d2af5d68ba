"""What the functions and the answer by SQS have said comes through with its type."""

from __future__ import annotations

from typing import Any

from tests.strangers.conftest import Execution, Stranger


def check(stranger: Stranger, executions: list[Execution]) -> None:
    (execution,) = executions
    assert execution.status == "Succeeded", execution.steps
    question = f"4 of {execution.id}?"
    # AWS records '200.0' for the number 200 in an output of type String.
    assert _outputs(execution, "Ask", "Lambda") == {
        "statusCode": "200.0",
        "question": question,
        "total": "2.0",
        "strict": "true",
    }
    assert _outputs(execution, "WaitForAnswer", "Callback") == {"answer": f"yes to {question}", "votes": "17"}
    assert _outputs(execution, "Conclude", "Lambda") == {
        "verdict": f"answer=yes to {question}|status=200.0|strict=True|votes=17"
    }
    logs = stranger.client("logs").filter_log_events(logGroupName="/aws/lambda/stranger-ask")["events"]
    assert any("assumed-role/AmazonSageMaker-ExecutionRole/" in event["message"] for event in logs)


def _outputs(execution: Execution, step: str, kind: str) -> dict[str, Any]:
    return {each["Name"]: each["Value"] for each in execution.steps[step]["Metadata"][kind]["OutputParameters"]}
