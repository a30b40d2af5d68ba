"""The application: the pages behind the guard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from studio.aws import Aws
from studio.faults import PageError, fault_of
from studio.pages import navigation, routes
from studio.security import Guard, Secrets
from studio.web import Studio, fault_page, make_templates

_STATIC = Path(__file__).parent / "static"


def make_app(aws: Aws, secrets: Secrets, port: int) -> Starlette:
    """Return the application.

    Args:
        aws: the account that the pages show.
        secrets: what the browser has to know.
        port: the port that it is served on.
    """
    app = Starlette(
        routes=[*routes(), Mount("/static", StaticFiles(directory=_STATIC))],
        middleware=[Middleware(Guard, secrets=secrets, port=port)],
        exception_handlers={
            PageError: _on_fault,
            ClientError: _on_aws_error,
            BotoCoreError: _on_aws_error,
            HTTPException: _on_http_error,
        },
    )
    templates = make_templates()
    templates.globals["navigation"] = navigation()
    app.state.studio = Studio(aws, secrets.csrf, templates)
    return app


def _on_fault(request: Request, error: Any) -> Response:
    return fault_page(request, error)


def _on_aws_error(request: Request, error: Any) -> Response:
    return fault_page(request, fault_of(error))


def _on_http_error(request: Request, error: Any) -> Response:
    sentence = f"Studio cannot answer {request.method} {request.url.path}."
    return fault_page(request, PageError("There is no such page", sentence, error.status_code))
