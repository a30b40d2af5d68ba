"""An endpoint: its state, what it serves and served before, what it costs; roll it back."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from studio.endpoints import Endpoint, read_endpoint, roll_back
from studio.prices import source_of_prices
from studio.registry import place_of_package
from studio.web import Form, action, go, live, page, render, studio


def endpoint(request: Request) -> Response:
    """Show an endpoint."""
    return page(request, "endpoint.html", **_values(request))


def endpoint_live(request: Request) -> Response:
    """Send what changes of an endpoint until its change has ended."""

    def look() -> tuple[str, bool]:
        values = _values(request)
        return render(request, "_endpoint.html", **values), not values["endpoint"].under_way

    return live(request, look)


def roll_back_endpoint(request: Request, _: Form) -> Response:
    """Return the endpoint to what it served before."""
    roll_back(studio(request).aws, request.path_params["endpoint"])
    return go(request, "endpoint", **request.path_params)


def _values(request: Request) -> dict[str, Any]:
    found: Endpoint = read_endpoint(studio(request).aws, request.path_params["endpoint"])
    return {"endpoint": found, "place_of_package": place_of_package, "prices": source_of_prices()}


_PATH = "/endpoints/{endpoint}"
routes = [
    Route(_PATH, endpoint),
    Route(f"{_PATH}/live", endpoint_live),
    action(f"{_PATH}/rollback", roll_back_endpoint),
]
