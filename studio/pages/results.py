"""The results of an execution's cross-validation: the estimate beside simple models, the choice, and what was tried."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from studio.charts import read_charts
from studio.comparison import interval_text
from studio.executions import arn_of, read_execution
from studio.intervals import Errors, scale
from studio.results import SELECTION, Evaluation, read_results
from studio.web import page, studio

_MOST_POINTS = 100


def results(request: Request) -> Response:
    """Show the results of an execution."""
    aws, name = studio(request).aws, request.path_params["pipeline"]
    execution = read_execution(aws, arn_of(aws, name, request.path_params["execution"]))
    finding = read_results(aws, execution)
    found = finding.evaluation
    return page(
        request,
        "results.html",
        name=name,
        execution=execution,
        finding=finding,
        found=found,
        interval=interval_text(found) if found else "",
        scale=scale(_errors(found)) if found else None,
        metric=found.metric if found else None,
        points=found.points[:_MOST_POINTS] if found else (),
        selection=SELECTION,
    )


def charts(request: Request) -> Response:
    """Draw the charts of the results, for the page."""
    aws, parts = studio(request).aws, request.path_params
    execution = read_execution(aws, arn_of(aws, parts["pipeline"], parts["execution"]))
    sections, missing = read_charts(aws, execution)
    return page(request, "_charts.html", sections=sections, missing=missing)


def _errors(found: Evaluation) -> list[Errors]:
    chosen = Errors("Chosen hyperparameters", found.value, found.low, found.high)
    return [chosen, *(Errors(name, error, None, None) for name, error in found.baselines.items())]


_PATH = "/pipelines/{pipeline}/executions/{execution}/results"
routes = [Route(_PATH, results), Route(f"{_PATH}/charts", charts)]
