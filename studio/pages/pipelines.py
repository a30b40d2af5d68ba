"""The pipelines of the account, each with its last execution."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from studio.web import asked_name, list_arguments, page, studio


def pipelines(request: Request) -> Response:
    """Show a page of pipelines, those executed last first. It is one call of AWS."""
    answer = studio(request).aws.sagemaker.list_pipelines(
        MaxResults=50, **list_arguments(request, "PipelineNamePrefix")
    )
    return page(
        request,
        "pipelines.html",
        pipelines=answer.get("PipelineSummaries", []),
        next_token=answer.get("NextToken", ""),
        prefix=asked_name(request),
    )


def last_execution(request: Request) -> Response:
    """Show the state of a pipeline's last execution, for the list."""
    answer = studio(request).aws.sagemaker.list_pipeline_executions(
        PipelineName=request.path_params["pipeline"], MaxResults=1, SortBy="CreationTime", SortOrder="Descending"
    )
    summaries = answer.get("PipelineExecutionSummaries", [])
    return page(request, "_last_execution.html", last=summaries[0] if summaries else None)


navigation = ("Pipelines", "pipelines")
routes = [Route("/", pipelines), Route("/pipelines/{pipeline}/last", last_execution)]
