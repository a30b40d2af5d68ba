"""A version of a group: what is recorded of it, its approval, and how it comes to its endpoint."""

from __future__ import annotations

from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from studio.endpoints import Deployment, deployment_of
from studio.faults import PageError
from studio.prices import hourly_dollars
from studio.registry import Package, deleted_executions, figures, read_package
from studio.web import Form, action, go, live, page, render, studio

_APPROVALS: dict[str, Literal["Approved", "Rejected"]] = {"Approved": "Approved", "Rejected": "Rejected"}


def package(request: Request) -> Response:
    """Show a version."""
    values = _values(request)
    deleted = deleted_executions(studio(request).aws, [values["package"]])
    return page(request, "package.html", **values, deleted=deleted)


def package_live(request: Request) -> Response:
    """Send what changes of a version and its endpoint until the endpoint has changed."""

    def look() -> tuple[str, bool]:
        values = _values(request)
        return render(request, "_package.html", **values), not values["under_way"]

    return live(request, look)


def approve(request: Request, form: Form) -> Response:
    """Approve or reject a version. An event then tells the function, which deploys an approved version."""
    status = _APPROVALS.get(form.get("status", ""))
    if status is None:
        raise PageError("The version was not changed", "The form says neither Approved nor Rejected.", 422)
    found = _read(request)
    comment = form.get("comment", "").strip()
    # Without a comment, an earlier one would stay and seem to belong to this decision.
    described = comment or f"{status} in Studio"
    studio(request).aws.sagemaker.update_model_package(
        ModelPackageArn=found.arn, ModelApprovalStatus=status, ApprovalDescription=described
    )
    return go(request, "package", **request.path_params)


def _read(request: Request) -> Package:
    return read_package(studio(request).aws, request.path_params["group"], request.path_params["version"])


def _values(request: Request) -> dict[str, Any]:
    found = _read(request)
    deployment: Deployment | None = deployment_of(studio(request).aws, found) if found.endpoint else None
    return {
        "package": found,
        "figures": list(figures(found)),
        "deployment": deployment,
        "under_way": deployment is not None and deployment.under_way,
        "dollars": _dollars(found),
    }


def _dollars(found: Package) -> float | None:
    count = found.metadata.get("endpoint_instance_count", "")
    instance_type = found.metadata.get("endpoint_instance_type", "")
    return hourly_dollars(instance_type, int(count)) if count.isdecimal() else None


_PATH = "/registry/{group}/{version:int}"
routes = [Route(_PATH, package), Route(f"{_PATH}/live", package_live), action(f"{_PATH}/approval", approve)]
