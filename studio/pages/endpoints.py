"""The endpoints of the account."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from studio.web import asked_name, list_arguments, page, studio


def endpoints(request: Request) -> Response:
    """Show a page of endpoints, the newest first. It is one call of AWS."""
    answer = studio(request).aws.sagemaker.list_endpoints(
        SortBy="CreationTime", SortOrder="Descending", MaxResults=50, **list_arguments(request, "NameContains")
    )
    found = answer.get("Endpoints", [])
    return page(
        request, "endpoints.html", endpoints=found, next_token=answer.get("NextToken", ""), name=asked_name(request)
    )


navigation = ("Endpoints", "endpoints")
routes = [Route("/endpoints", endpoints)]
