"""A client of the service's pipelines that waits by the records instead of polling."""

from __future__ import annotations

import io
import itertools
import json
import zipfile
from dataclasses import dataclass
from typing import Any

import pytest

from local.records import executions as records
from tests.local.conftest import RunningService
from tests.local.interpreter.documents import ROLE, Document, definition

TIMEOUT = 60


@dataclass(frozen=True)
class Outcome:
    """How an execution ended."""

    arn: str
    status: str
    steps: dict[str, Document]
    reason: str | None

    def statuses(self) -> dict[str, str]:
        return {name: step["StepStatus"] for name, step in self.steps.items()}

    @property
    def id(self) -> str:
        return self.arn.rpartition("/")[2]


class Pipelines:
    """Creates, starts and watches pipelines through a boto3 client."""

    def __init__(self, service: RunningService) -> None:
        self.service = service
        self.parts = service.parts
        self.client = service.client("sagemaker")
        self._names = (f"pipeline-{number}" for number in itertools.count())
        service.settings.buckets.joinpath("bucket").mkdir(parents=True, exist_ok=True)

    def create(self, *steps: Document, **members: Any) -> str:
        name = next(self._names)
        self.client.create_pipeline(PipelineName=name, PipelineDefinition=definition(*steps, **members), RoleArn=ROLE)
        return name

    def start(self, name: str, parameters: dict[str, str] | None = None, **request: Any) -> str:
        given = [{"Name": key, "Value": value} for key, value in (parameters or {}).items()]
        response = self.client.start_pipeline_execution(PipelineName=name, PipelineParameters=given, **request)
        return response["PipelineExecutionArn"]

    def wait(self, arn: str) -> Outcome:
        ended = self.parts.store.wait_until(
            lambda: records.execution(self.parts.store, arn)["PipelineExecutionStatus"] not in records.UNDER_WAY,
            TIMEOUT,
        )
        assert ended, self.client.list_pipeline_execution_steps(PipelineExecutionArn=arn)
        description = self.client.describe_pipeline_execution(PipelineExecutionArn=arn)
        status = description["PipelineExecutionStatus"]
        return Outcome(arn, status, self.steps(arn), description.get("FailureReason"))

    def steps(self, arn: str) -> dict[str, Document]:
        pages = self.client.get_paginator("list_pipeline_execution_steps").paginate(
            PipelineExecutionArn=arn, SortOrder="Ascending"
        )
        return {step["StepName"]: step for page in pages for step in page["PipelineExecutionSteps"]}

    def wait_for_step(self, arn: str, name: str, *statuses: str) -> Document:
        def reached() -> bool:
            step = records.step(self.parts.store, arn, name)
            return step is not None and step["StepStatus"] in statuses

        assert self.parts.store.wait_until(reached, TIMEOUT), self.steps(arn)
        return self.steps(arn)[name]

    def run(self, *steps: Document, values: dict[str, str] | None = None, **members: Any) -> Outcome:
        return self.wait(self.start(self.create(*steps, **members), values))

    def function(self, name: str, source: str, **configuration: Any) -> str:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("index.py", source)
        response = self.service.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.12",
            Role=ROLE,
            Handler="index.handler",
            Code={"ZipFile": archive.getvalue()},
            **configuration,
        )
        return response["FunctionArn"]

    def write(self, uri: str, content: Any) -> None:
        self.parts.objects.write(uri, json.dumps(content).encode())

    def read(self, uri: str) -> Any:
        return json.loads(self.parts.objects.read(uri))


@pytest.fixture(scope="module")
def pipelines(service: RunningService) -> Pipelines:
    return Pipelines(service)
