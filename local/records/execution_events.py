"""Events that executions and their steps send to EventBridge.

Source: "Automating Amazon SageMaker AI with Amazon EventBridge", sections on model building pipelines, Amazon
SageMaker developer guide.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from local.core.ports import EventBus
from local.records.kinds import EXECUTION
from local.storage.store import Document

_SOURCE = "aws.sagemaker"
_EXECUTION_CHANGE = "SageMaker Model Building Pipeline Execution Status Change"
_STEP_CHANGE = "SageMaker Model Building Pipeline Execution Step Status Change"


def announce_execution(events: EventBus, execution: Document, previous: str | None) -> None:
    """Send the event for a change of an execution's status.

    Args:
        events: The bus that sends the event.
        execution: The execution's record, with the new status.
        previous: The status before the change; None if there was none.
    """
    status = execution["PipelineExecutionStatus"]
    detail = {
        "pipelineExecutionDescription": execution.get("PipelineExecutionDescription"),
        "pipelineExecutionDisplayName": execution["PipelineExecutionDisplayName"],
        "currentPipelineExecutionStatus": status,
        "previousPipelineExecutionStatus": previous,
        "executionStartTime": _time(execution["CreationTime"]),
        "executionEndTime": _time(execution["LastModifiedTime"]) if EXECUTION.has_ended(execution) else None,
        **_arns(execution["PipelineExecutionArn"]),
    }
    _send(events, _EXECUTION_CHANGE, detail)


def announce_step(events: EventBus, execution_arn: str, step_type: str, step: Document, previous: str | None) -> None:
    """Send the event for a change of a step's status.

    Args:
        events: The bus that sends the event.
        execution_arn: The execution.
        step_type: The step's type in the definition, for example ``Training``.
        step: The step's record, with the new status.
        previous: The status before the change; None if there was none.
    """
    metadata = {_lower_first(kind): _lower_keys(members) for kind, members in step["Metadata"].items()}
    detail = {
        "metadata": metadata,
        "stepStartTime": _time(step["StartTime"]),
        "stepEndTime": _time(step["EndTime"]) if "EndTime" in step else None,
        "stepName": step["StepName"],
        "stepType": step_type,
        "previousStepStatus": previous,
        "currentStepStatus": step["StepStatus"],
        **_arns(execution_arn),
    }
    _send(events, _STEP_CHANGE, detail)


def _send(events: EventBus, detail_type: str, detail: dict[str, Any]) -> None:
    known = {name: value for name, value in detail.items() if value is not None}
    events.emit(_SOURCE, detail_type, known, [known["pipelineArn"], known["pipelineExecutionArn"]])


def _arns(execution_arn: str) -> dict[str, str]:
    pipeline_arn = execution_arn.partition("/execution/")[0]
    return {"pipelineArn": pipeline_arn, "pipelineExecutionArn": execution_arn}


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _lower_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {_lower_first(name): _lower_keys(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_lower_keys(item) for item in value]
    return value


def _lower_first(name: str) -> str:
    return name[:1].lower() + name[1:]
