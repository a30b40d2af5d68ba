"""The executions of a pipeline: a page of a list, or of a search."""

from __future__ import annotations

import re

from botocore.exceptions import ClientError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from studio.executions import arn_of, list_executions, parameters_of, search_executions
from studio.web import go, page, studio

_ID = re.compile(r"[a-z0-9]{12}")


def executions(request: Request) -> Response:
    """Show a page of executions, the newest first. An id or an ARN leads to its execution."""
    aws, name = studio(request).aws, request.path_params["pipeline"]
    text, token = request.query_params.get("search", "").strip(), request.query_params.get("after", "")
    wanted = text.rpartition("/")[2]
    if _ID.fullmatch(wanted) and _exists(request, wanted):
        return go(request, "execution", pipeline=name, execution=wanted)
    listing = search_executions(aws, name, text, token) if text else list_executions(aws, name, token)
    return page(request, "executions.html", name=name, listing=listing, search=text, token=token)


def execution_parameters(request: Request) -> Response:
    """Show the parameters of one execution, for the list."""
    aws = studio(request).aws
    arn = arn_of(aws, request.path_params["pipeline"], request.path_params["execution"])
    return page(request, "_parameters.html", parameters=parameters_of(aws, arn))


def _exists(request: Request, execution: str) -> bool:
    aws = studio(request).aws
    arn = arn_of(aws, request.path_params["pipeline"], execution)
    try:
        aws.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    except ClientError:
        return False
    return True


routes = [
    Route("/pipelines/{pipeline}/executions", executions),
    Route("/pipelines/{pipeline}/executions/{execution}/parameters", execution_parameters),
]
