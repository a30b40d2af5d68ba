"""A step of an execution: arguments, inputs, outputs, attempts, failure and log."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from definition_language.documents import own_arguments
from studio.executions import StepState, arn_of, read_execution
from studio.faults import PageError
from studio.jobs import place_of, read_job
from studio.logs import Source, function_log
from studio.pages.job import log_live, log_text, shown_job
from studio.web import live, page, render, studio


def step(request: Request) -> Response:
    """Show a step."""
    return page(request, "step.html", **_values(request))


def step_live(request: Request) -> Response:
    """Send what changes of a step until it ends."""

    def look() -> tuple[str, bool]:
        values = _values(request)
        return render(request, "_step.html", **values), values["step"].ended

    return live(request, look)


def step_log(request: Request) -> Response:
    """Send a function's log while the step calls it."""
    return log_live(request, _function_log(_state(request)), lambda: _state(request).ended)


def step_log_text(request: Request) -> Response:
    """Answer with a function's whole log as text."""
    return log_text(request, _function_log(_state(request)))


def _state(request: Request) -> StepState:
    state: StepState = _values(request, with_job=False)["step"]
    return state


def _function_log(state: StepState) -> Source:
    if state.start is None or "Lambda" not in state.metadata:
        raise PageError("There is no log", f"The step {state.name} has not called a function.", 404)
    return function_log(state.arn, state.start, state.end)


def _values(request: Request, *, with_job: bool = True) -> dict[str, Any]:
    aws, parts = studio(request).aws, request.path_params
    execution = read_execution(aws, arn_of(aws, parts["pipeline"], parts["execution"]))
    if parts["step"] not in execution.steps:
        raise PageError("There is no such step", f"The execution {execution.id} has no step {parts['step']}.", 404)
    state = execution.steps[parts["step"]]
    definition = execution.definition.steps.get(state.name, {})
    place = place_of(state.arn)
    job = read_job(aws, *place) if with_job and place else None
    return {
        "name": parts["pipeline"],
        "execution": execution,
        "step": state,
        "definition": definition,
        "arguments": own_arguments(definition) if definition else None,
        "job": None if job is None else shown_job(aws, job),
        "has_function": "Lambda" in state.metadata and state.start is not None,
    }


_PATH = "/pipelines/{pipeline}/executions/{execution}/steps/{step}"
routes = [
    Route(_PATH, step),
    Route(f"{_PATH}/live", step_live),
    Route(f"{_PATH}/log", step_log),
    Route(f"{_PATH}/log.txt", step_log_text),
]
