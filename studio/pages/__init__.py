"""The pages: a module and a template for each. ``PAGES`` lists the modules; see docs/studio.md for how to add one."""

from __future__ import annotations

from starlette.routing import Route

from studio.pages import (
    compare,
    endpoint,
    endpoints,
    execution,
    executions,
    files,
    group,
    job,
    package,
    pipeline,
    pipelines,
    registry,
    results,
    start,
    step,
    try_endpoint,
)

PAGES = (
    *(pipelines, pipeline, start, executions, execution, step, job, results, compare),
    *(registry, group, package),
    *(endpoints, endpoint, try_endpoint),
    files,
)
"""A page's module has ``routes``, and ``navigation`` if the head of all pages has a link to it."""


def routes() -> list[Route]:
    """Return the routes of all pages."""
    return [route for page in PAGES for route in page.routes]


def navigation() -> list[tuple[str, str]]:
    """Return the links in the head of all pages: a text and a route's name."""
    return [page.navigation for page in PAGES if hasattr(page, "navigation")]
