"""Operations of pipeline executions."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from definition_language.expressions import as_text, evaluate
from local.api.sagemaker.listing import page
from local.api.sagemaker.operations import Request, Response
from local.api.sagemaker.pipelines import PipelineOperations, refuse
from local.core.arns import random_suffix
from local.core.errors import ServiceError, conflict, not_found, validation_error
from local.core.ports import EventBus
from local.interpreter.definition import Definition, Scalar
from local.interpreter.execution_runner import ExecutionRunner
from local.interpreter.parameters import resolve
from local.interpreter.parsing import parse
from local.interpreter.scope import ExecutionScope
from local.interpreter.selection import reused_steps
from local.records import executions as records
from local.records.execution_events import announce_execution
from local.storage.objects import Objects
from local.storage.store import Document, Store

_EXECUTION_ID_LENGTH = 12


@dataclass(frozen=True)
class ExecutionOperations:
    """Operations of pipeline executions."""

    store: Store
    objects: Objects
    events: EventBus
    executions: ExecutionRunner
    pipelines: PipelineOperations

    def start(self, request: Request) -> Response:
        """Start an execution. A repeated ClientRequestToken returns the execution that the first request started."""
        refuse("StartPipelineExecution", request, "MlflowExperimentName", "PipelineVersionAlias")
        pipeline = self.pipelines.find_pipeline(request["PipelineName"])
        version = self.pipelines.find_version(pipeline, request.get("PipelineVersionId"))
        definition = parse(version["_Definition"])
        given = request.get("PipelineParameters", [])
        values = resolve(definition.parameters, given)
        document = _new_execution(pipeline, version, request, values)
        reused = []
        if "SelectiveExecutionConfig" in request:
            config = request["SelectiveExecutionConfig"]
            reused = reused_steps(self.store, definition, pipeline["PipelineArn"], config)
        document["PipelineExperimentConfig"] = self._experiment(definition, document)
        arn = document["PipelineExecutionArn"]
        with self.store.transaction():
            # The pipeline may have been deleted in the meantime.
            self.pipelines.find_pipeline(request["PipelineName"])
            earlier = self._started_with(pipeline, request["ClientRequestToken"])
            if earlier is not None:
                return earlier
            self.store.insert(records.EXECUTION, arn, document)
            for step in reused:
                records.start_step(self.store, arn, step)
            key = pipeline["PipelineName"].lower()
            self.store.update(records.PIPELINE, key, lambda item: item.update(LastRunTime=document["CreationTime"]))
            announce_execution(self.events, document, None)
        self.executions.start(arn)
        return document

    def describe(self, request: Request) -> Response:
        """Describe an execution."""
        return self.find_execution(request["PipelineExecutionArn"])

    def list_executions(self, request: Request) -> Response:
        """List a pipeline's executions, by default the newest first."""
        refuse("ListPipelineExecutions", request, "PipelineVersionAlias")
        pipeline = self.pipelines.find_pipeline(request["PipelineName"])
        executions = [
            {
                **execution,
                "StartTime": execution["CreationTime"],
                "PipelineExecutionFailureReason": execution.get("FailureReason"),
            }
            for execution in self.store.list(records.EXECUTION, f"{pipeline['PipelineArn']}/execution/")
        ]
        return page(
            request,
            executions,
            "PipelineExecutionSummaries",
            resource="PipelineExecution",
            order="Descending",
        )

    def list_steps(self, request: Request) -> Response:
        """List the started steps of an execution, by default the newest first."""
        if "PipelineExecutionArn" not in request:
            raise validation_error("PipelineExecutionArn is required")
        arn = self.find_execution(request["PipelineExecutionArn"])["PipelineExecutionArn"]
        return page(
            request,
            records.steps(self.store, arn),
            "PipelineExecutionSteps",
            created="StartTime",
            identity="StepName",
            order="Descending",
        )

    def list_parameters(self, request: Request) -> Response:
        """List the parameters with which an execution was started."""
        execution = self.find_execution(request["PipelineExecutionArn"])
        return page(request, execution["_Given"], "PipelineParameters", created="Name", identity="Name", sort_by="Name")

    def describe_definition(self, request: Request) -> Response:
        """Return the definition that an execution uses. The pipeline may have a newer one."""
        execution = self.find_execution(request["PipelineExecutionArn"])
        arn = execution["PipelineExecutionArn"]
        return {
            "PipelineDefinition": records.definition_text(self.store, arn),
            "CreationTime": execution["CreationTime"],
        }

    def stop(self, request: Request) -> Response:
        """Stop an execution and its running jobs. The execution is Stopping when this returns."""
        arn = self.find_execution(request["PipelineExecutionArn"])["PipelineExecutionArn"]

        def stop(document: Document) -> None:
            status = document["PipelineExecutionStatus"]
            if status not in ("Executing", "Stopping"):
                raise conflict(f"Pipeline execution '{arn}' cannot be stopped: its status is {status}, not Executing")
            document["PipelineExecutionStatus"] = "Stopping"

        with self.store.transaction():
            announce_execution(self.events, records.change_execution(self.store, arn, stop), "Executing")
        self.executions.stop(arn)
        return {"PipelineExecutionArn": arn}

    def retry(self, request: Request) -> Response:
        """Run the steps of a failed or stopped execution that have not succeeded. The others keep their results."""
        arn = self.find_execution(request["PipelineExecutionArn"])["PipelineExecutionArn"]
        token = request["ClientRequestToken"]
        if self.find_execution(arn).get("_RetryToken") == token:
            return {"PipelineExecutionArn": arn}

        def retry(document: Document) -> None:
            status = document["PipelineExecutionStatus"]
            if status not in ("Failed", "Stopped"):
                raise conflict(
                    f"Pipeline execution '{arn}' cannot be retried: its status is {status}, not Failed or Stopped"
                )
            document.pop("FailureReason", None)
            document.update(PipelineExecutionStatus="Executing", _RetryToken=token)
            if "ParallelismConfiguration" in request:
                document["ParallelismConfiguration"] = request["ParallelismConfiguration"]

        before = self.find_execution(arn)["PipelineExecutionStatus"]
        with self.store.transaction():
            changed = records.change_execution(self.store, arn, retry)
            for step in records.steps(self.store, arn):
                if step["StepStatus"] != "Succeeded":
                    self.store.delete(records.STEP, f"{arn}/{step['StepName']}")
            announce_execution(self.events, changed, before)
        self.executions.start(arn)
        return {"PipelineExecutionArn": arn}

    def update(self, request: Request) -> Response:
        """Change an execution's description, display name or ParallelismConfiguration."""
        arn = self.find_execution(request["PipelineExecutionArn"])["PipelineExecutionArn"]
        members = ("PipelineExecutionDescription", "PipelineExecutionDisplayName", "ParallelismConfiguration")
        changes = {member: request[member] for member in members if member in request}
        changed = records.change_execution(self.store, arn, lambda document: document.update(changes))
        self.executions.wake_up(arn)
        return changed

    def find_execution(self, arn: str) -> Document:
        """Return an execution's record.

        Raises:
            ServiceError: ResourceNotFound, because the execution does not exist.
        """
        document = self.store.find(records.EXECUTION, arn)
        # Names are case-insensitive, ids are not.
        if document is None or records.execution_id(document["PipelineExecutionArn"]) != records.execution_id(arn):
            raise not_found(f"Pipeline execution '{arn}' does not exist.")
        return document

    def _started_with(self, pipeline: Document, token: str) -> Document | None:
        executions = self.store.list(records.EXECUTION, f"{pipeline['PipelineArn']}/execution/")
        return next((execution for execution in executions if execution["_Token"] == token), None)

    def _experiment(self, definition: Definition, execution: Document) -> dict[str, str] | None:
        if not definition.experiment:
            return None
        try:
            names = evaluate(definition.experiment, ExecutionScope(self.store, self.objects, definition, execution))
            return {member: as_text(name) for member, name in names.items()}
        except ValueError as error:
            raise ServiceError("ValidationException", f"PipelineExperimentConfig: {error}") from None


def _new_execution(
    pipeline: Document, version: Document, request: Request, values: dict[str, Scalar]
) -> dict[str, Any]:
    now = time.time()
    return {
        "PipelineArn": pipeline["PipelineArn"],
        "PipelineExecutionArn": f"{pipeline['PipelineArn']}/execution/{random_suffix(_EXECUTION_ID_LENGTH)}",
        "PipelineExecutionDisplayName": request.get("PipelineExecutionDisplayName", f"execution-{int(now * 1000)}"),
        "PipelineExecutionDescription": request.get("PipelineExecutionDescription"),
        "PipelineExecutionStatus": "Executing",
        "CreationTime": now,
        "LastModifiedTime": now,
        "ParallelismConfiguration": request.get("ParallelismConfiguration", pipeline.get("ParallelismConfiguration")),
        "SelectiveExecutionConfig": request.get("SelectiveExecutionConfig"),
        "PipelineVersionId": version["PipelineVersionId"],
        "RoleArn": request.get("RoleArn", pipeline["RoleArn"]),
        "_PipelineName": pipeline["PipelineName"],
        "_Parameters": values,
        "_Given": request.get("PipelineParameters", []),
        "_Token": request["ClientRequestToken"],
    }
