"""The endpoints of the account."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from studio.web import page, studio


def endpoints(request: Request) -> Response:
    """Show a page of endpoints, the newest first. It is one call of AWS."""
    token, name = request.query_params.get("after", ""), request.query_params.get("name", "").strip()
    more: Any = {"NextToken": token} if token else {}
    if name:
        more["NameContains"] = name
    answer = studio(request).aws.sagemaker.list_endpoints(
        SortBy="CreationTime", SortOrder="Descending", MaxResults=50, **more
    )
    found = answer.get("Endpoints", [])
    return page(request, "endpoints.html", endpoints=found, next_token=answer.get("NextToken", ""), name=name)


navigation = ("Endpoints", "endpoints")
routes = [Route("/endpoints", endpoints)]
