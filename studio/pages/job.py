"""A job that a step made, or one of a tuning job's training jobs: what it got, what it made, and its log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from studio.aws import Aws
from studio.faults import PageError
from studio.jobs import Job, read_job, training_jobs
from studio.logs import Source, Tail, job_log, whole_log
from studio.search import search
from studio.status import UNDER_WAY
from studio.text import local_time, visible
from studio.web import live, page, render, studio


def job(request: Request) -> Response:
    """Show a job."""
    return page(request, "job.html", job=_shown(request))


def job_live(request: Request) -> Response:
    """Send what changes of a job until it ends."""

    def look() -> tuple[str, bool]:
        shown = _shown(request)
        return render(request, "_job.html", job=shown), not shown["under_way"]

    return live(request, look)


def job_log_live(request: Request) -> Response:
    """Send a job's log, from its first line, until the job ends."""
    return log_live(request, _source(request), lambda: not _under_way(_read(request)))


def job_log_text(request: Request) -> Response:
    """Answer with a job's whole log as text."""
    return log_text(request, _source(request))


def shown_job(aws: Aws, found: Job) -> dict[str, Any]:
    """Return what the templates show of a job."""
    trained = training_jobs(aws, found.name) if found.kind == "hyper-parameter-tuning-job" else []
    return {
        "job": found,
        "under_way": _under_way(found),
        "training_jobs": trained,
        "search": search(trained),
        "has_log": job_log(found.kind, found.name) is not None,
    }


def log_live(request: Request, source: Source, has_ended: Callable[[], bool]) -> Response:
    """Send a log's lines as they are written.

    Args:
        request: the browser's request.
        source: where the log is.
        has_ended: returns whether no more lines come, except those that are there already.
    """
    tail = Tail(studio(request).aws, source)

    def look() -> tuple[str, bool]:
        over = tail.at_end and has_ended()
        lines = tail.more()
        return render(request, "_log_lines.html", lines=lines) if lines else "", over and not lines

    return live(request, look)


def log_text(request: Request, source: Source) -> Response:
    """Answer with a log's whole text."""
    lines = whole_log(studio(request).aws, source)
    text = (f"{local_time(line.time)} {visible(line.stream)} {visible(line.message)}\n" for line in lines)
    return StreamingResponse(text, media_type="text/plain; charset=utf-8")


def _under_way(found: Job) -> bool:
    return found.status in UNDER_WAY


def _read(request: Request) -> Job:
    return read_job(studio(request).aws, request.path_params["kind"], request.path_params["job"])


def _shown(request: Request) -> dict[str, Any]:
    return shown_job(studio(request).aws, _read(request))


def _source(request: Request) -> Source:
    found = _read(request)
    source = job_log(found.kind, found.name)
    if source is None:
        raise PageError("There is no log", f"A {found.kind} has no log of its own.", 404)
    return source


routes = [
    Route("/jobs/{kind}/{job}", job),
    Route("/jobs/{kind}/{job}/live", job_live),
    Route("/jobs/{kind}/{job}/log", job_log_live),
    Route("/jobs/{kind}/{job}/log.txt", job_log_text),
]
