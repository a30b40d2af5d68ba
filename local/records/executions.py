"""Records of pipelines, executions and steps: their kinds and keys, and functions that change them.

An execution's record has the members of DescribePipelineExecution's response. A step's record has those of
ListPipelineExecutionSteps. In addition, records have private members:

    version    _Definition (JSON text)
    execution  _PipelineName, _Parameters (values by name), _Given (the parameters of the request)
    step       _Properties (the values that ``Get`` on Steps.<name> reads), _CacheKey; of a Callback step _Execution
               (the execution's ARN), _Arguments and, once its token was sent back, _Answer, which says whether the
               execution was stopping

An execution uses the definition of its pipeline version. A version's definition never changes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from local.core.ports import EventBus
from local.records.execution_events import announce_execution
from local.records.tags import delete_tags
from local.storage.store import Document, Store

PIPELINE = "pipeline"
PIPELINE_VERSION = "pipeline-version"
EXECUTION = "pipeline-execution"
STEP = "pipeline-execution-step"

UNDER_WAY = ("Starting", "Executing", "Stopping")
"""Statuses of executions and steps that have not ended."""

_LONGEST_STEP_REASON = 1024
_LONGEST_EXECUTION_REASON = 1300


def execution_id(execution_arn: str) -> str:
    """Return an execution's id: the twelve characters at the end of its ARN."""
    return execution_arn.rpartition("/")[2]


def version_key(pipeline_arn: str, version: int) -> str:
    """Return the key of a pipeline version's record."""
    return f"{pipeline_arn}/version/{version:08d}"


def definition_text(store: Store, execution_arn: str) -> str:
    """Return the definition that an execution runs, as JSON text."""
    record = execution(store, execution_arn)
    key = version_key(record["PipelineArn"], record["PipelineVersionId"])
    text: str = store.get(PIPELINE_VERSION, key)["_Definition"]
    return text


def execution(store: Store, execution_arn: str) -> Document:
    """Return an execution's record.

    Raises:
        MissingError: The execution does not exist.
    """
    return store.get(EXECUTION, execution_arn)


def is_stopping(store: Store, execution_arn: str) -> bool:
    """Return whether an execution is to stop, and has not ended."""
    return bool(execution(store, execution_arn)["PipelineExecutionStatus"] == "Stopping")


def steps(store: Store, execution_arn: str) -> list[Document]:
    """Return the records of the steps that have started, in the order of their starts."""
    return store.list(STEP, f"{execution_arn}/")


def step(store: Store, execution_arn: str, name: str) -> Document | None:
    """Return the record of a step, or None if it has not started."""
    return store.find(STEP, f"{execution_arn}/{name}")


def start_step(store: Store, execution_arn: str, document: Document) -> None:
    """Create a step's record as the last in the order. Replace an earlier record of the same name."""
    key = f"{execution_arn}/{document['StepName']}"
    with store.transaction():
        store.delete(STEP, key)
        store.insert(STEP, key, document)


def change_step(store: Store, execution_arn: str, name: str, **members: Any) -> Document:
    """Change members of a step's record, and return the new record."""
    return store.update(STEP, f"{execution_arn}/{name}", lambda document: document.update(members))


def last_members(status: str, reason: str | None) -> dict[str, Any]:
    """Return the members that a step's record gets when the step ends."""
    failure = {} if reason is None else {"FailureReason": shortened(reason, _LONGEST_STEP_REASON)}
    return {"StepStatus": status, "EndTime": time.time(), **failure}


def effect(step: Document) -> str:
    """Return the status with which an ended step counts for its execution.

    A token that comes back while the execution is stopping lets it stop, even if it says that the step failed.
    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StopPipelineExecution.html
    """
    status: str = step["StepStatus"]
    lets_it_stop = step.get("_Answer", {}).get("_WhileStopping", False)
    return "Stopped" if status == "Failed" and lets_it_stop else status


def change_execution(store: Store, execution_arn: str, change: Callable[[Document], None]) -> Document:
    """Change an execution's record, update its LastModifiedTime, and return the new record."""

    def apply(document: Document) -> None:
        change(document)
        document["LastModifiedTime"] = time.time()

    return store.update(EXECUTION, execution_arn, apply)


def finish_execution(
    store: Store, events: EventBus, execution_arn: str, status: str, reason: str | None = None
) -> None:
    """Set an execution's final status, and send the event for the change."""
    previous = execution(store, execution_arn)["PipelineExecutionStatus"]

    def finish(document: Document) -> None:
        document["PipelineExecutionStatus"] = status
        if reason is not None:
            document["FailureReason"] = shortened(reason, _LONGEST_EXECUTION_REASON)

    with store.transaction():
        announce_execution(events, change_execution(store, execution_arn, finish), previous)


def delete_execution(store: Store, execution_arn: str) -> None:
    """Delete the records of an execution, of its steps and of its tags."""
    with store.transaction():
        for document in steps(store, execution_arn):
            store.delete(STEP, f"{execution_arn}/{document['StepName']}")
        delete_tags(store, execution_arn)
        store.delete(EXECUTION, execution_arn)


def shortened(text: str, longest: int) -> str:
    """Return the text, cut to the API's limit of ``longest`` characters if necessary."""
    return text if len(text) <= longest else text[: longest - 3] + "..."
