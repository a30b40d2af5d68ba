"""The groups of the model registry."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from studio.web import asked_name, list_arguments, page, studio


def registry(request: Request) -> Response:
    """Show a page of groups, the newest first. It is one call of AWS."""
    answer = studio(request).aws.sagemaker.list_model_package_groups(
        SortBy="CreationTime", SortOrder="Descending", MaxResults=50, **list_arguments(request, "NameContains")
    )
    groups = answer.get("ModelPackageGroupSummaryList", [])
    return page(
        request, "registry.html", groups=groups, next_token=answer.get("NextToken", ""), name=asked_name(request)
    )


navigation = ("Registry", "registry")
routes = [Route("/registry", registry)]
