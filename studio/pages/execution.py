"""An execution: its steps as a graph, a timeline and a table, all live; stop it or retry it."""

from __future__ import annotations

import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from studio.executions import all_parameters, arn_of, read_execution
from studio.graph import draw
from studio.timeline import timeline
from studio.web import Form, action, go, live, page, render, studio


def execution(request: Request) -> Response:
    """Show an execution."""
    return page(request, "execution.html", **_values(request), parameters=all_parameters(*_place(request)))


def execution_live(request: Request) -> Response:
    """Send what changes of an execution until it ends."""

    def look() -> tuple[str, bool]:
        values = _values(request)
        return render(request, "_execution.html", **values), values["execution"].ended

    return live(request, look)


def stop(request: Request, _: Form) -> Response:
    """Stop the execution."""
    aws, arn = _place(request)
    aws.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken=secrets.token_hex(16))
    return go(request, "execution", **request.path_params)


def retry(request: Request, _: Form) -> Response:
    """Run the execution's failed steps again, and those after them."""
    aws, arn = _place(request)
    aws.sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken=secrets.token_hex(16))
    return go(request, "execution", **request.path_params)


def _place(request: Request) -> tuple[Any, str]:
    aws = studio(request).aws
    return aws, arn_of(aws, request.path_params["pipeline"], request.path_params["execution"])


def _values(request: Request) -> dict[str, Any]:
    found = read_execution(*_place(request))
    return {
        "name": request.path_params["pipeline"],
        "execution": found,
        "graph": draw(found.definition),
        "timeline": timeline(found),
    }


_PATH = "/pipelines/{pipeline}/executions/{execution}"
routes = [
    Route(_PATH, execution),
    Route(f"{_PATH}/live", execution_live),
    action(f"{_PATH}/stop", stop),
    action(f"{_PATH}/retry", retry),
]
