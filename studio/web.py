"""What the pages share: templates, forms, and answers that follow what changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from botocore.exceptions import BotoCoreError, ClientError
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from studio import text
from studio.aws import Aws
from studio.faults import PageError, fault_of
from studio.security import same
from studio.status import status_kind

_TEMPLATES = Path(__file__).parent / "templates"
_LARGEST_FORM = 1_000_000

Form = dict[str, str]


@dataclass(frozen=True)
class Studio:
    """What every page has.

    Attributes:
        aws: the account that the pages show.
        csrf: the token of the forms.
        templates: the templates of the pages.
    """

    aws: Aws
    csrf: str
    templates: Environment


class _Templates(Environment):
    """An environment in which a member that AWS left out is None. A misspelt variable is still an error."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return ``obj.attribute``, or the member of that name."""
        if isinstance(obj, dict) and not hasattr(obj, attribute):
            return obj.get(attribute)
        return super().getattr(obj, attribute)


def make_templates() -> Environment:
    """Return the environment of the templates. All text is escaped, and control characters are made visible."""
    templates = _Templates(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    templates.filters |= {
        "pretty": text.pretty,
        "local_time": text.local_time,
        "duration": text.duration,
        "figure": text.figure,
        "size": text.size,
        "number": text.number,
    }
    templates.globals |= {"seconds_between": text.seconds_between, "status_kind": status_kind}
    return templates


def _finalize(value: Any) -> Any:
    if value is None:
        return ""
    return value if isinstance(value, Markup) else text.visible(value)


def studio(request: Request) -> Studio:
    """Return what the page of a request has."""
    found: Studio = request.app.state.studio
    return found


def list_arguments(request: Request, name_member: str) -> dict[str, Any]:
    """Return the arguments of a list operation that an address asks for: where to go on, and part of a name.

    Args:
        request: the browser's request, with ``after`` and ``name`` in its query.
        name_member: the member of the operation's request that takes the part of a name.
    """
    asked = {"NextToken": request.query_params.get("after", ""), name_member: asked_name(request)}
    return {member: value for member, value in asked.items() if value}


def asked_name(request: Request) -> str:
    """Return the part of a name that the form of a list asks for; empty for all."""
    return request.query_params.get("name", "").strip()


def render(request: Request, template: str, **values: Any) -> str:
    """Return a template's HTML with the values, and with ``url``, ``aws``, ``csrf`` and ``path``."""
    shared = studio(request)
    return shared.templates.get_template(template).render(
        url=lambda name, /, **parts: request.app.url_path_for(name, **parts),
        aws=shared.aws,
        csrf=shared.csrf,
        path=request.url.path,
        **values,
    )


def page(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """Answer with a page."""
    return HTMLResponse(render(request, template, **values), status)


def fault_page(request: Request, fault: PageError) -> Response:
    """Answer with a page that says what happened and what to do."""
    return page(request, "fault.html", fault.status, fault=fault)


def go(request: Request, name: str, **parts: Any) -> Response:
    """Send the browser to a page, for example after a form."""
    return RedirectResponse(request.app.url_path_for(name, **parts), 303)


def action(path: str, handler: Callable[[Request, Form], Response]) -> Route:
    """Return the route of a form that changes something. The form needs the token of the pages.

    Args:
        path: the path of the form.
        handler: gets the request and the form's values by name.
    """

    async def checked(request: Request) -> Response:
        form = await read_form(request)
        if not same(form.pop("csrf", None), studio(request).csrf):
            return fault_page(request, PageError("The form is not one of this Studio", "Load its page again.", 403))
        return await run_in_threadpool(handler, request, form)

    return Route(path, checked, methods=["POST"], name=handler.__name__)


async def read_form(request: Request) -> Form:
    """Return the values of a form by name.

    Raises:
        PageError: the form is too large.
    """
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _LARGEST_FORM:
            raise PageError("The form is too large", f"It may have {_LARGEST_FORM} bytes.", 413)
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def live(request: Request, look: Callable[[], tuple[str, bool]]) -> Response:
    """Answer with server-sent events: the HTML that ``look`` returns, whenever it has changed.

    Args:
        request: the browser's request.
        look: returns HTML, empty for nothing new, and whether it will change no more.
    """
    pause = studio(request).aws.pause

    async def events() -> AsyncIterator[str]:
        shown, ended = "", False
        while not ended:
            try:
                html, ended = await run_in_threadpool(look)
            except (ClientError, BotoCoreError, PageError) as error:
                html, ended = render(request, "_fault.html", fault=_fault(error)), True
            if html and html != shown:
                shown = html
                yield "".join(f"data: {line}\n" for line in html.split("\n")) + "\n"
            if not ended:
                await asyncio.sleep(pause)
        yield "event: end\ndata: end\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


def _fault(error: ClientError | BotoCoreError | PageError) -> PageError:
    return error if isinstance(error, PageError) else fault_of(error)
