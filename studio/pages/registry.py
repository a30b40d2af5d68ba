"""The groups of the model registry."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from studio.web import page, studio


def registry(request: Request) -> Response:
    """Show a page of groups, the newest first. It is one call of AWS."""
    token, name = request.query_params.get("after", ""), request.query_params.get("name", "").strip()
    more: Any = {"NextToken": token} if token else {}
    if name:
        more["NameContains"] = name
    answer = studio(request).aws.sagemaker.list_model_package_groups(
        SortBy="CreationTime", SortOrder="Descending", MaxResults=50, **more
    )
    groups = answer.get("ModelPackageGroupSummaryList", [])
    return page(request, "registry.html", groups=groups, next_token=answer.get("NextToken", ""), name=name)


navigation = ("Registry", "registry")
routes = [Route("/registry", registry)]
