"""Executions of a pipeline side by side. The address has the executions, so it can be shared."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from studio.comparison import (
    FEWEST,
    MOST,
    has_other_data,
    has_other_metrics,
    parameter_rows,
    read_compared,
    result_rows,
)
from studio.executions import arn_of, list_executions
from studio.intervals import Errors, scale
from studio.web import page, studio


def compare(request: Request) -> Response:
    """Show the executions of ``?execution=`` side by side, or a list to choose them from."""
    chosen = list(dict.fromkeys(request.query_params.getlist("execution")))
    if FEWEST <= len(chosen) <= MOST and not request.query_params.keys() & {"after", "choose"}:
        return _comparison(request, chosen)
    return _choice(request, chosen)


def _comparison(request: Request, chosen: list[str]) -> Response:
    aws, name = studio(request).aws, request.path_params["pipeline"]
    compared = read_compared(aws, [arn_of(aws, name, each) for each in chosen])
    evaluations = [each.finding.evaluation for each in compared if each.finding.evaluation]
    other_metrics = has_other_metrics(compared)
    errors = [
        Errors(each.execution.id, found.value, found.low, found.high, tuple(found.baselines.items()))
        for each in compared
        if (found := each.finding.evaluation)
    ]
    return page(
        request,
        "compare.html",
        name=name,
        compared=compared,
        parameters=parameter_rows(compared),
        results=result_rows(compared),
        scale=scale(errors) if errors and not other_metrics else None,
        metric=evaluations[0].metric if evaluations else None,
        other_metrics=other_metrics,
        other_data=has_other_data(compared),
        query=[("execution", each) for each in chosen],
    )


def _choice(request: Request, chosen: list[str]) -> Response:
    name, token = request.path_params["pipeline"], request.query_params.get("after", "")
    listing = list_executions(studio(request).aws, name, token)
    listed = [each["PipelineExecutionArn"].rpartition("/")[2] for each in listing.items]
    return page(
        request,
        "compare_choice.html",
        name=name,
        listing=listing,
        token=token,
        chosen=chosen,
        elsewhere=[each for each in chosen if each not in listed],
        fewest=FEWEST,
        most=MOST,
    )


routes = [Route("/pipelines/{pipeline}/compare", compare)]
