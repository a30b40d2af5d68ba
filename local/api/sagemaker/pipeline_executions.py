"""Executions of pipelines."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from definition_language.expressions import as_text, evaluate
from local.api.sagemaker.listing import page
from local.api.sagemaker.operations import Request, Response, operation
from local.api.sagemaker.pipelines import find_pipeline, find_version, refuse
from local.core.arns import random_suffix
from local.core.errors import ServiceError, conflict, not_found, validation_error
from local.interpreter.definition import Definition, Scalar
from local.interpreter.parameters import resolve
from local.interpreter.parsing import parse
from local.interpreter.scope import ExecutionScope
from local.interpreter.selection import lent_steps
from local.records import executions as records
from local.records.execution_events import announce_execution
from local.storage.store import Document

if TYPE_CHECKING:
    from local.context import Context

_EXECUTION_ID_LENGTH = 12


@operation("StartPipelineExecution")
def start_pipeline_execution(context: Context, request: Request) -> Response:
    """Start an execution; the same ClientRequestToken again gives the execution that it started."""
    refuse("StartPipelineExecution", request, "MlflowExperimentName", "PipelineVersionAlias")
    pipeline = find_pipeline(context, request["PipelineName"])
    version = find_version(context, pipeline, request.get("PipelineVersionId"))
    definition = parse(version["_Definition"])
    given = request.get("PipelineParameters", [])
    values = resolve(definition.parameters, given)
    document = _new_execution(pipeline, version, request, values)
    lent = []
    if "SelectiveExecutionConfig" in request:
        config = request["SelectiveExecutionConfig"]
        lent = lent_steps(context, definition, pipeline["PipelineArn"], config)
    document["PipelineExperimentConfig"] = _experiment(context, definition, document)
    arn = document["PipelineExecutionArn"]
    with context.store.transaction():
        # It may have been deleted since.
        find_pipeline(context, request["PipelineName"])
        earlier = _started_with(context, pipeline, request["ClientRequestToken"])
        if earlier is not None:
            return earlier
        context.store.insert(records.EXECUTION, arn, document)
        for step in lent:
            records.start_step(context, arn, step)
        key = pipeline["PipelineName"].lower()
        context.store.update(records.PIPELINE, key, lambda item: item.update(LastRunTime=document["CreationTime"]))
    announce_execution(context, document, None)
    context.executions.start(arn)
    return document


@operation("DescribePipelineExecution")
def describe_pipeline_execution(context: Context, request: Request) -> Response:
    """Describe an execution."""
    return find_execution(context, request["PipelineExecutionArn"])


@operation("ListPipelineExecutions")
def list_pipeline_executions(context: Context, request: Request) -> Response:
    """List a pipeline's executions, the newest first."""
    refuse("ListPipelineExecutions", request, "PipelineVersionAlias")
    pipeline = find_pipeline(context, request["PipelineName"])
    executions = [
        {
            **execution,
            "StartTime": execution["CreationTime"],
            "PipelineExecutionFailureReason": execution.get("FailureReason"),
        }
        for execution in context.store.list(records.EXECUTION, f"{pipeline['PipelineArn']}/execution/")
    ]
    return page(
        request,
        executions,
        "PipelineExecutionSummaries",
        resource="PipelineExecution",
        order="Descending",
    )


@operation("ListPipelineExecutionSteps")
def list_pipeline_execution_steps(context: Context, request: Request) -> Response:
    """List the steps of an execution that have started, the newest first."""
    if "PipelineExecutionArn" not in request:
        raise validation_error("PipelineExecutionArn is required")
    arn = find_execution(context, request["PipelineExecutionArn"])["PipelineExecutionArn"]
    return page(
        request,
        records.steps(context, arn),
        "PipelineExecutionSteps",
        created="StartTime",
        identity="StepName",
        order="Descending",
    )


@operation("ListPipelineParametersForExecution")
def list_pipeline_parameters_for_execution(context: Context, request: Request) -> Response:
    """List the parameters that an execution was started with."""
    execution = find_execution(context, request["PipelineExecutionArn"])
    return page(request, execution["_Given"], "PipelineParameters", created="Name", identity="Name", sort_by="Name")


@operation("DescribePipelineDefinitionForExecution")
def describe_pipeline_definition_for_execution(context: Context, request: Request) -> Response:
    """Give the definition that an execution obeys, whatever the pipeline's is by now."""
    execution = find_execution(context, request["PipelineExecutionArn"])
    arn = execution["PipelineExecutionArn"]
    return {
        "PipelineDefinition": records.definition_text(context, arn),
        "CreationTime": execution["CreationTime"],
    }


@operation("StopPipelineExecution")
def stop_pipeline_execution(context: Context, request: Request) -> Response:
    """Stop the running jobs of an execution and start no more; returns before they have stopped."""
    arn = find_execution(context, request["PipelineExecutionArn"])["PipelineExecutionArn"]

    def stop(document: Document) -> None:
        status = document["PipelineExecutionStatus"]
        if status not in ("Executing", "Stopping"):
            raise conflict(f"Pipeline execution '{arn}' cannot be stopped: its status is {status}, not Executing")
        document["PipelineExecutionStatus"] = "Stopping"

    announce_execution(context, records.change_execution(context, arn, stop), "Executing")
    context.executions.stop(arn)
    return {"PipelineExecutionArn": arn}


@operation("RetryPipelineExecution")
def retry_pipeline_execution(context: Context, request: Request) -> Response:
    """Run the steps of an execution that failed, were stopped or did not start; the others keep their results."""
    arn = find_execution(context, request["PipelineExecutionArn"])["PipelineExecutionArn"]
    token = request["ClientRequestToken"]
    if find_execution(context, arn).get("_RetryToken") == token:
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

    before = find_execution(context, arn)["PipelineExecutionStatus"]
    with context.store.transaction():
        changed = records.change_execution(context, arn, retry)
        for step in records.steps(context, arn):
            if step["StepStatus"] != "Succeeded":
                context.store.delete(records.STEP, f"{arn}/{step['StepName']}")
    announce_execution(context, changed, before)
    context.executions.start(arn)
    return {"PipelineExecutionArn": arn}


@operation("UpdatePipelineExecution")
def update_pipeline_execution(context: Context, request: Request) -> Response:
    """Change an execution's names, or how many of its steps may run at once from now on."""
    arn = find_execution(context, request["PipelineExecutionArn"])["PipelineExecutionArn"]
    members = ("PipelineExecutionDescription", "PipelineExecutionDisplayName", "ParallelismConfiguration")
    changes = {member: request[member] for member in members if member in request}
    changed = records.change_execution(context, arn, lambda document: document.update(changes))
    context.executions.reconsider(arn)
    return changed


def find_execution(context: Context, arn: str) -> Document:
    """An execution's record.

    Raises:
        ServiceError: ResourceNotFound.
    """
    name, _, execution_id = arn.rpartition("/execution/")
    document = context.store.find(records.EXECUTION, f"{name.lower()}/execution/{execution_id}")
    if document is None:
        raise not_found(f"Pipeline execution '{arn}' does not exist.")
    return document


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


def _started_with(context: Context, pipeline: Document, token: str) -> Document | None:
    executions = context.store.list(records.EXECUTION, f"{pipeline['PipelineArn']}/execution/")
    return next((execution for execution in executions if execution["_Token"] == token), None)


def _experiment(context: Context, definition: Definition, execution: Document) -> dict[str, str] | None:
    if not definition.experiment:
        return None
    try:
        names = evaluate(definition.experiment, ExecutionScope(context, definition, execution))
        return {member: as_text(name) for member, name in names.items()}
    except ValueError as error:
        raise ServiceError("ValidationException", f"PipelineExperimentConfig: {error}") from None
