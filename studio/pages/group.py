"""A group of the model registry: its versions with their metrics."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from studio.registry import deleted_executions, figures, list_packages
from studio.web import page, studio


def group(request: Request) -> Response:
    """Show a page of a group's versions, the newest first. Each version is two calls of AWS."""
    name, token = request.path_params["group"], request.query_params.get("after", "")
    aws = studio(request).aws
    packages, next_token = list_packages(aws, name, token)
    return page(
        request,
        "group.html",
        name=name,
        packages=packages,
        deleted=deleted_executions(aws, packages),
        figures=figures,
        token=token,
        next_token=next_token,
    )


routes = [Route("/registry/{group}", group)]
