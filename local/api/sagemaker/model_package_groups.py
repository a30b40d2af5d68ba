"""Operations of model package groups, which hold the versions of a model in the model registry."""

from __future__ import annotations

import time
from dataclasses import dataclass

from local.api.sagemaker.listing import page
from local.api.sagemaker.operations import Request, Response
from local.core.arns import resource_key, sagemaker_arn
from local.core.errors import conflict, validation_error
from local.records import resources as records
from local.records.model_package_groups import KIND, find_group, version_prefix
from local.storage.store import Store


@dataclass(frozen=True)
class ModelPackageGroupOperations:
    """Operations of model package groups."""

    store: Store
    region: str

    def create_model_package_group(self, request: Request) -> Response:
        """Create a group without versions."""
        name = request["ModelPackageGroupName"]
        arn = sagemaker_arn(self.region, KIND, name)
        group = {
            **request,
            "ModelPackageGroupArn": arn,
            "CreationTime": time.time(),
            "CreatedBy": {},
            "ModelPackageGroupStatus": "Completed",
            "_NextVersion": 1,
        }
        group.pop("Tags", None)
        already_exists = validation_error(f"Model Package Group already exists: {arn}")
        records.add(
            self.store,
            KIND,
            resource_key(name),
            group,
            arn=arn,
            tags=request.get("Tags"),
            already_exists=already_exists,
        )
        return {"ModelPackageGroupArn": arn}

    def describe_model_package_group(self, request: Request) -> Response:
        """Describe a group."""
        return find_group(self.store, self.region, request["ModelPackageGroupName"])

    def list_model_package_groups(self, request: Request) -> Response:
        """List groups."""
        if request.get("CrossAccountFilterOption") == "CrossAccount":
            return {"ModelPackageGroupSummaryList": []}
        return page(request, self.store.list(KIND), "ModelPackageGroupSummaryList", resource="ModelPackageGroup")

    def delete_model_package_group(self, request: Request) -> Response:
        """Delete a group that has no versions."""
        with self.store.transaction():
            group = find_group(self.store, self.region, request["ModelPackageGroupName"])
            arn = group["ModelPackageGroupArn"]
            versions = self.store.list("model-package", version_prefix(arn))
            if versions:
                raise conflict(
                    f"ModelPackageGroup {arn} cannot be deleted: it still contains {len(versions)} model package(s). "
                    "Delete them first."
                )
            records.remove(self.store, KIND, resource_key(arn), arn)
        return {}
