"""Lets in only the browser of the person who started Studio.

Every answer forbids foreign and inline scripts. A request needs a Host of this machine and a cookie. The URL that is
printed at the start holds a token; it is exchanged for the cookie. A request that changes something also needs the
token of the page's form.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_SAFE = ("GET", "HEAD")
_REFUSAL = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Studio</title>
<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/static/studio.css">
<main><h1>{title}</h1><p>{sentence}</p></main></html>"""
_TO_DO = (
    'Open the address that <code>make studio</code> printed. If you did so in this browser already, <a href="">open '
    "this page again</a>."
)


@dataclass(frozen=True)
class Secrets:
    """What one process of Studio and its browser know.

    Attributes:
        token: is in the URL that is printed at the start.
        session: the cookie's value.
        csrf: is in every form.
    """

    token: str = field(default_factory=secrets.token_urlsafe)
    session: str = field(default_factory=secrets.token_urlsafe)
    csrf: str = field(default_factory=secrets.token_urlsafe)


def same(given: str | None, expected: str) -> bool:
    """Return whether a secret is right, in a time that does not depend on how much of it is."""
    return hmac.compare_digest((given or "").encode(), expected.encode())


class Guard:
    """Refuses requests that do not come from the user's browser, and adds the headers to all answers.

    Args:
        app: the application behind it.
        secrets: what the browser has to know.
        port: the port that Studio serves on.
    """

    def __init__(self, app: ASGIApp, secrets: Secrets, port: int) -> None:
        self._app = app
        self._secrets = secrets
        self._hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}
        # A browser keeps one cookie of a name for all ports of a host.
        self._cookie = f"studio-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let it through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        answer = self._answer(HTTPConnection(scope), scope["method"])
        await (answer or self._app)(scope, receive, send_with_headers)

    def _answer(self, request: HTTPConnection, method: str) -> Response | None:
        """Return the answer to a request that does not reach the application, or None if it does."""
        if request.headers.get("host") not in self._hosts:
            return _refuse(400, "Wrong host", "Studio answers at 127.0.0.1 and localhost only.")
        if request.url.path.startswith("/static/"):
            return None
        if "token" in request.query_params and method in _SAFE:
            return self._let_in(request)
        if not same(request.cookies.get(self._cookie), self._secrets.session):
            return _refuse(401, "Studio does not know this browser", _TO_DO)
        if method not in _SAFE and not _is_own_page(request.headers):
            return _refuse(403, "The request comes from another site", "Studio takes forms of its own pages only.")
        return None

    def _let_in(self, request: HTTPConnection) -> Response:
        if not same(request.query_params["token"], self._secrets.token):
            return _refuse(401, "The token is not that of this Studio", _TO_DO)
        rest = urlencode([pair for pair in parse_qsl(request.url.query) if pair[0] != "token"])
        # One slash: two would name another host.
        path = "/" + request.url.path.lstrip("/")
        answer = RedirectResponse(f"{path}?{rest}" if rest else path, 303)
        answer.set_cookie(self._cookie, self._secrets.session, httponly=True, samesite="strict")
        return answer


def _is_own_page(headers: Headers) -> bool:
    origin = headers.get("origin")
    return headers.get("sec-fetch-site", "same-origin") == "same-origin" and origin in (
        None,
        f"http://{headers['host']}",
    )


def _refuse(status: int, title: str, sentence: str) -> Response:
    return HTMLResponse(_REFUSAL.format(title=title, sentence=sentence), status)
