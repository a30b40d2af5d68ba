"""Reads executions and their steps."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from studio.aws import Aws
from studio.definitions import Definition, Document, read_definition
from studio.status import UNDER_WAY
from studio.text import seconds_between

PAGE = 50
"""Executions on a page of a list."""

_SEARCHED_PAGES = 10
"""Calls of AWS for one page of a search, each for a hundred executions."""

_lasting: dict[tuple[int, str, str], Any] = {}
_lock = threading.Lock()
_LASTING = 5000


@dataclass(frozen=True)
class StepState:
    """A step of an execution.

    Attributes:
        name: its name.
        type: its type in the definition, such as Training.
        status: what AWS says, or Waiting, or Not run if the execution has ended without it.
        start: when it started, if it has.
        end: when it ended, if it has.
        record: what ListPipelineExecutionSteps says of it; empty if it has not started.
    """

    name: str
    type: str
    status: str
    start: datetime | None
    end: datetime | None
    record: Document

    @property
    def ended(self) -> bool:
        """Whether it will change no more."""
        return self.status not in (*UNDER_WAY, "Waiting")

    @property
    def seconds(self) -> float | None:
        """How long it took, or has been taking."""
        return seconds_between(self.start, self.end)

    @property
    def outcome(self) -> str:
        """The way that a condition took: True or False; otherwise empty."""
        return str(self.metadata.get("Condition", {}).get("Outcome", ""))

    @property
    def metadata(self) -> Document:
        """What AWS keeps of the step's job, condition or function."""
        found: Document = self.record.get("Metadata") or {}
        return found

    @property
    def arn(self) -> str:
        """The ARN of the job or other resource that the step made; empty if none."""
        return next((each["Arn"] for each in self.metadata.values() if isinstance(each, dict) and "Arn" in each), "")


@dataclass(frozen=True)
class Execution:
    """An execution with its steps.

    Attributes:
        record: what DescribePipelineExecution says.
        definition: the definition that it runs.
        steps: all steps of the definition by name, in the order of their starts; those that wait come last.
    """

    record: Document
    definition: Definition
    steps: dict[str, StepState]

    @property
    def id(self) -> str:
        """The end of its ARN."""
        return str(self.record["PipelineExecutionArn"]).rpartition("/")[2]

    @property
    def status(self) -> str:
        """What AWS says."""
        return str(self.record["PipelineExecutionStatus"])

    @property
    def ended(self) -> bool:
        """Whether it will change no more, unless somebody retries it."""
        return self.status not in UNDER_WAY

    @property
    def start(self) -> datetime:
        """When it was started."""
        found: datetime = self.record["CreationTime"]
        return found

    @property
    def end(self) -> datetime | None:
        """When it ended; None before."""
        return self.record["LastModifiedTime"] if self.ended else None


@dataclass(frozen=True)
class Listing:
    """A page of a list.

    Attributes:
        items: what AWS says of each.
        next_token: asks AWS for the page after it; empty on the last.
        searched: the number of items that a search has looked at.
    """

    items: list[Document]
    next_token: str
    searched: int = 0


def arn_of(aws: Aws, pipeline: str, execution: str) -> str:
    """Return an execution's ARN."""
    arn = _once(aws, "arn", pipeline, lambda: aws.sagemaker.describe_pipeline(PipelineName=pipeline)["PipelineArn"])
    return f"{arn}/execution/{execution}"


def read_execution(aws: Aws, arn: str) -> Execution:
    """Read an execution with its steps."""
    record: Document = dict(aws.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn))
    definition = execution_definition(aws, arn)
    started = {each["StepName"]: each for each in _steps(aws, arn)}
    rest = "Waiting" if record["PipelineExecutionStatus"] in UNDER_WAY else "Not run"
    steps = {name: _step(each, definition.steps.get(name, {}), rest) for name, each in started.items()}
    steps |= {name: _step({}, step, rest) for name, step in definition.steps.items() if name not in started}
    return Execution(record, definition, steps)


def execution_definition(aws: Aws, arn: str) -> Definition:
    """Return the definition that an execution runs."""

    def read() -> str:
        answer = aws.sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)
        return answer["PipelineDefinition"]

    return read_definition(_once(aws, "definition", arn, read))


def parameters_of(aws: Aws, arn: str) -> dict[str, str]:
    """Return the parameters that an execution has, by name."""

    def read() -> dict[str, str]:
        pages = aws.sagemaker.get_paginator("list_pipeline_parameters_for_execution")
        return {
            each["Name"]: each["Value"]
            for answer in pages.paginate(PipelineExecutionArn=arn)
            for each in answer.get("PipelineParameters", [])
        }

    found: dict[str, str] = _once(aws, "parameters", arn, read)
    return found


def all_parameters(aws: Aws, arn: str) -> dict[str, tuple[str, bool]]:
    """Return the value of each parameter by name, and whether it is the definition's default."""
    given = parameters_of(aws, arn)
    defaults = {each.name: each.default or "" for each in execution_definition(aws, arn).parameters()}
    return {name: (given.get(name, default), name not in given) for name, default in (defaults | given).items()}


def list_executions(aws: Aws, pipeline: str, token: str = "") -> Listing:
    """Return a page of a pipeline's executions, the newest first. It is one call."""
    answer = _list(aws, pipeline, token, PAGE)
    return Listing(answer.get("PipelineExecutionSummaries", []), answer.get("NextToken", ""))


def search_executions(aws: Aws, pipeline: str, text: str, token: str = "") -> Listing:
    """Return executions that have a text in their id, name, description, status or reason, the newest first.

    One answer looks at a thousand executions at most; ``next_token`` goes on with older ones.
    """
    found: list[Document] = []
    searched = 0
    for _ in range(_SEARCHED_PAGES):
        answer = _list(aws, pipeline, token, 100)
        summaries = answer.get("PipelineExecutionSummaries", [])
        searched += len(summaries)
        found += [each for each in summaries if text.casefold() in _searchable(each)]
        token = answer.get("NextToken", "")
        if not token or len(found) >= PAGE:
            break
    return Listing(found, token, searched)


def _list(aws: Aws, pipeline: str, token: str, most: int) -> Any:
    more: Any = {"NextToken": token} if token else {}
    return aws.sagemaker.list_pipeline_executions(
        PipelineName=pipeline, MaxResults=most, SortBy="CreationTime", SortOrder="Descending", **more
    )


def _searchable(summary: Document) -> str:
    members = ("PipelineExecutionDisplayName", "PipelineExecutionDescription", "PipelineExecutionStatus")
    shown = [str(summary.get(each, "")) for each in (*members, "PipelineExecutionFailureReason")]
    shown.append(str(summary["PipelineExecutionArn"]).rpartition("/")[2])
    return "\n".join(shown).casefold()


def _steps(aws: Aws, arn: str) -> Iterator[Document]:
    pages = aws.sagemaker.get_paginator("list_pipeline_execution_steps")
    for answer in pages.paginate(PipelineExecutionArn=arn, SortOrder="Ascending"):
        yield from (dict(each) for each in answer.get("PipelineExecutionSteps", []))


def _step(record: Document, step: Document, rest: str) -> StepState:
    name = record.get("StepName") or step["Name"]
    status = record.get("StepStatus", rest)
    return StepState(name, step.get("Type", ""), status, record.get("StartTime"), record.get("EndTime"), record)


def _once(aws: Aws, kind: str, key: str, read: Any) -> Any:
    """Return what never changes from an earlier call, or call."""
    place = (id(aws), kind, key)
    if place not in _lasting:
        value = read()
        with _lock:
            while len(_lasting) >= _LASTING:
                del _lasting[next(iter(_lasting))]
            _lasting[place] = value
    return _lasting[place]
