"""Records of pipelines, executions and steps: what they are called, and how they change.

An execution's record holds the members of DescribePipelineExecution's response, a step's those of
ListPipelineExecutionSteps. Beside them stand private members:

    version    _Definition (JSON text)
    execution  _PipelineName, _Parameters (values by name), _Given (as they were given)
    step       _Properties (what ``Get`` on Steps.<name> finds), _CacheKey

An execution's definition is that of its pipeline version, which never changes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from local.core.ports import EventBus
from local.records.execution_events import announce_execution
from local.storage.store import Document, Store

PIPELINE = "pipeline"
PIPELINE_VERSION = "pipeline-version"
EXECUTION = "pipeline-execution"
STEP = "pipeline-execution-step"

UNDER_WAY = ("Starting", "Executing", "Stopping")
"""States of executions and steps in which something is still going on."""

_LONGEST_STEP_REASON = 1024
_LONGEST_EXECUTION_REASON = 1300


def execution_id(execution_arn: str) -> str:
    """The twelve characters by which an execution is told from others."""
    return execution_arn.rpartition("/")[2]


def version_key(pipeline_arn: str, version: int) -> str:
    """The key of a pipeline version's record."""
    return f"{pipeline_arn}/version/{version:08d}"


def definition_text(store: Store, execution_arn: str) -> str:
    """The definition that an execution obeys, as JSON text."""
    record = execution(store, execution_arn)
    key = version_key(record["PipelineArn"], record["PipelineVersionId"])
    text: str = store.get(PIPELINE_VERSION, key)["_Definition"]
    return text


def execution(store: Store, execution_arn: str) -> Document:
    """An execution's record.

    Raises:
        MissingError: there is none.
    """
    return store.get(EXECUTION, execution_arn)


def steps(store: Store, execution_arn: str) -> list[Document]:
    """The records of an execution's steps that have started, in the order in which they did."""
    return store.list(STEP, f"{execution_arn}/")


def step(store: Store, execution_arn: str, name: str) -> Document | None:
    """The record of a step; None where it has not started."""
    return store.find(STEP, f"{execution_arn}/{name}")


def start_step(store: Store, execution_arn: str, document: Document) -> None:
    """Make a step's record, which puts it last in the order; an earlier one of that name goes."""
    key = f"{execution_arn}/{document['StepName']}"
    with store.transaction():
        store.delete(STEP, key)
        store.insert(STEP, key, document)


def change_step(store: Store, execution_arn: str, name: str, **members: Any) -> Document:
    """Change members of a step's record; return the new record."""
    return store.update(STEP, f"{execution_arn}/{name}", lambda document: document.update(members))


def last_members(status: str, reason: str | None) -> dict[str, Any]:
    """What a step's record gets at the step's end."""
    failure = {} if reason is None else {"FailureReason": shortened(reason, _LONGEST_STEP_REASON)}
    return {"StepStatus": status, "EndTime": time.time(), **failure}


def change_execution(store: Store, execution_arn: str, change: Callable[[Document], None]) -> Document:
    """Change an execution's record and the time of its last change; return the new record."""

    def apply(document: Document) -> None:
        change(document)
        document["LastModifiedTime"] = time.time()

    return store.update(EXECUTION, execution_arn, apply)


def finish_execution(
    store: Store, events: EventBus, execution_arn: str, status: str, reason: str | None = None
) -> None:
    """Give an execution its last state, and tell."""
    before = execution(store, execution_arn)["PipelineExecutionStatus"]

    def finish(document: Document) -> None:
        document["PipelineExecutionStatus"] = status
        if reason is not None:
            document["FailureReason"] = shortened(reason, _LONGEST_EXECUTION_REASON)

    announce_execution(events, change_execution(store, execution_arn, finish), before)


def shortened(text: str, longest: int) -> str:
    """The text, cut where it is longer than the API's member may be."""
    return text if len(text) <= longest else text[: longest - 3] + "..."
