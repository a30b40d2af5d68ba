"""Model package groups: the model registry's models, each of which has versions."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from local.api.sagemaker.listing import page
from local.api.sagemaker.operations import Request, Response, operation
from local.api.sagemaker.tags import delete_tags
from local.core.arns import resource_key, sagemaker_arn
from local.core.errors import conflict, validation_error
from local.records import resources as records
from local.storage.store import Document

if TYPE_CHECKING:
    from local.context import Context

KIND = "model-package-group"


def find_group(context: Context, name_or_arn: str) -> Document:
    """The record of a group.

    Raises:
        ServiceError: ValidationException, no group of that name or ARN exists.
    """
    arn = sagemaker_arn(context.settings.region, KIND, resource_key(name_or_arn))
    group = context.store.find(KIND, resource_key(name_or_arn))
    if group is None or (name_or_arn.startswith("arn:") and name_or_arn != arn):
        raise validation_error(f"ModelPackageGroup {arn} does not exist.")
    return group


@operation("CreateModelPackageGroup")
def create_model_package_group(context: Context, request: Request) -> Response:
    """Make a group without versions."""
    name = request["ModelPackageGroupName"]
    arn = sagemaker_arn(context.settings.region, KIND, name)
    group = {
        **request,
        "ModelPackageGroupArn": arn,
        "CreationTime": time.time(),
        "CreatedBy": {},
        "ModelPackageGroupStatus": "Completed",
        "_NextVersion": 1,
    }
    group.pop("Tags", None)
    taken = validation_error(f"Model Package Group already exists: {arn}")
    records.add(context, KIND, resource_key(name), group, arn=arn, tags=request.get("Tags"), taken=taken)
    return {"ModelPackageGroupArn": arn}


@operation("DescribeModelPackageGroup")
def describe_model_package_group(context: Context, request: Request) -> Response:
    """Describe a group."""
    return find_group(context, request["ModelPackageGroupName"])


@operation("ListModelPackageGroups")
def list_model_package_groups(context: Context, request: Request) -> Response:
    """List groups."""
    if request.get("CrossAccountFilterOption") == "CrossAccount":
        return {"ModelPackageGroupSummaryList": []}
    return page(request, context.store.list(KIND), "ModelPackageGroupSummaryList", resource="ModelPackageGroup")


@operation("DeleteModelPackageGroup")
def delete_model_package_group(context: Context, request: Request) -> Response:
    """Remove a group that has no versions left."""
    with context.store.transaction():
        group = find_group(context, request["ModelPackageGroupName"])
        arn = group["ModelPackageGroupArn"]
        versions = context.store.list("model-package", version_prefix(arn))
        if versions:
            raise conflict(
                f"ModelPackageGroup {arn} cannot be deleted: it still contains {len(versions)} model package(s). "
                "Delete them first."
            )
        context.store.delete(KIND, resource_key(arn))
        delete_tags(context, arn)
    return {}


def version_prefix(group_arn: str) -> str:
    """What the ARNs of a group's model packages begin with."""
    return group_arn.replace(":model-package-group/", ":model-package/") + "/"
