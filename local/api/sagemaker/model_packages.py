"""Operations of model packages: versions in the groups of the model registry, and packages without a group."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any

from local.api.sagemaker.listing import page
from local.api.sagemaker.model_cards import check_card, metadata_only
from local.api.sagemaker.model_data import check_urls
from local.api.sagemaker.operations import Request, Response
from local.core.arns import resource_key, sagemaker_arn
from local.core.errors import ServiceError, conflict, limit_exceeded, not_implemented, validation_error
from local.core.ports import EventBus
from local.records import resources
from local.records.model_package_groups import KIND as GROUP
from local.records.model_package_groups import find_group, version_prefix
from local.records.model_packages import KIND, find_package
from local.records.resource_events import announce_package
from local.records.tags import save_tags
from local.storage.store import AlreadyExistsError, Document, Store

_MOST_CUSTOMER_METADATA = 50
_NOT_IMPLEMENTED = ("ValidationSpecification", "SourceAlgorithmSpecification")
_COPIED_SOURCE = re.compile(r"arn:[^:]*:sagemaker:[^:]*:[^:]*:model(-package)?/", re.IGNORECASE)
"""A SourceUri that SageMaker copies: of a model, or of a model package."""
_REPLACED_BY_UPDATE = (
    "ModelApprovalStatus",
    "ApprovalDescription",
    "ModelPackageRegistrationType",
    "InferenceSpecification",
    "SourceUri",
    "ModelCard",
    "ModelLifeCycle",
)


@dataclass(frozen=True)
class ModelPackageOperations:
    """Operations of model packages."""

    store: Store
    region: str
    events: EventBus

    def create_model_package(self, request: Request) -> Response:
        """Create a version in a group, or a package without a group."""
        for member in _NOT_IMPLEMENTED:
            if member in request:
                raise not_implemented("sagemaker", f"CreateModelPackage with {member}")
        _check_source("CreateModelPackage", request)
        check_card(request)
        check_urls(request, self.region)
        _check_count(request.get("CustomerMetadataProperties", {}))
        _check_names(request.get("AdditionalInferenceSpecifications", []))
        group_name, name = request.get("ModelPackageGroupName"), request.get("ModelPackageName")
        if group_name and name:
            raise validation_error(
                "Both ModelPackageName and ModelPackageGroupName are provided in the input. "
                "Cannot determine which one to use."
            )
        if not group_name and not name:
            raise validation_error("Missing ARN.")
        with self.store.transaction():
            package, is_new = self._add_version(request) if group_name else self._add_unversioned(request)
            if is_new:
                announce_package(self.events, package)
        return {"ModelPackageArn": package["ModelPackageArn"]}

    def describe_model_package(self, request: Request) -> Response:
        """Describe a model package."""
        package = find_package(self.store, self.region, request["ModelPackageName"])
        if request.get("IncludedData") == "MetadataOnly" and "ModelCard" in package:
            package["ModelCard"] = metadata_only(package["ModelCard"])
        return package

    def batch_describe_model_package(self, request: Request) -> Response:
        """Describe several model packages. A package that does not exist is listed as an error."""
        summaries, errors = {}, {}
        for arn in request["ModelPackageArnList"]:
            try:
                summaries[arn] = find_package(self.store, self.region, arn)
            except ServiceError as error:
                errors[arn] = {"ErrorCode": error.code, "ErrorResponse": error.message}
        return {"ModelPackageSummaries": summaries, "BatchDescribeModelPackageErrorMap": errors}

    def list_model_packages(self, request: Request) -> Response:
        """List the versions of a group, or packages without a group, or both."""
        prefix = ""
        if "ModelPackageGroupName" in request:
            group = find_group(self.store, self.region, request["ModelPackageGroupName"])
            prefix = version_prefix(group["ModelPackageGroupArn"])
        kept = request.get("ModelPackageType", "Versioned" if prefix else "Unversioned")
        approval = request.get("ModelApprovalStatus")
        packages = [
            _summary(package)
            for package in self.store.list(KIND, prefix)
            if kept in ("Both", "Versioned" if "ModelPackageVersion" in package else "Unversioned")
            and approval in (None, package.get("ModelApprovalStatus"))
            and request.get("NameContains", "") in package["ModelPackageName"]
        ]
        request = {name: value for name, value in request.items() if name != "NameContains"}
        by_name = {"Name": lambda package: package["ModelPackageArn"]}
        return page(request, packages, "ModelPackageSummaryList", resource="ModelPackage", sort_keys=by_name)

    def update_model_package(self, request: Request) -> Response:
        """Change a model package's approval, life cycle, metadata, model card or inference specifications."""
        before = find_package(self.store, self.region, request["ModelPackageArn"])
        _check_source("UpdateModelPackage", request)
        check_urls(request, self.region)

        def change(package: Document) -> None:
            check_card(request, package)
            if "ModelPackageVersion" not in package and "ModelApprovalStatus" in request:
                raise validation_error(
                    f"ModelPackage {package['ModelPackageArn']} has no group: only versions of a group have a "
                    "ModelApprovalStatus."
                )
            package.update({name: request[name] for name in _REPLACED_BY_UPDATE if name in request})
            _change_metadata(package, request)
            _add_specifications(package, request.get("AdditionalInferenceSpecificationsToAdd", []))
            package["LastModifiedTime"] = time.time()
            package["LastModifiedBy"] = {}

        with self.store.transaction():
            after = self.store.update(KIND, before["ModelPackageArn"], change)
            if any(before.get(member) != after.get(member) for member in ("ModelApprovalStatus", "ModelLifeCycle")):
                announce_package(self.events, after)
        return {"ModelPackageArn": before["ModelPackageArn"]}

    def delete_model_package(self, request: Request) -> Response:
        """Delete a model package. Its version number is not used again."""
        arn = find_package(self.store, self.region, request["ModelPackageName"])["ModelPackageArn"]
        resources.remove(self.store, KIND, arn, arn)
        return {}

    def _add_version(self, request: Request) -> tuple[Document, bool]:
        """Create a version in a group.

        Returns:
            The version's record, and whether it is new. A request with the ClientToken of an earlier request returns
            the earlier version.
        """
        if request.get("Tags"):
            raise validation_error("A versioned ModelPackage cannot have tags of its own: set tags on its group.")
        with self.store.transaction():
            group = find_group(self.store, self.region, request["ModelPackageGroupName"])
            prefix = version_prefix(group["ModelPackageGroupArn"])
            earlier = self._created_with(request, prefix)
            if earlier is not None:
                return earlier, False
            version = group["_NextVersion"]
            name = group["ModelPackageGroupName"]
            self.store.update(GROUP, resource_key(name), lambda document: document.update(_NextVersion=version + 1))
            package = _document(request, f"{prefix}{version}", name) | {
                "ModelPackageGroupName": name,
                "ModelPackageVersion": version,
                "ModelApprovalStatus": request.get("ModelApprovalStatus", "PendingManualApproval"),
            }
            self.store.insert(KIND, package["ModelPackageArn"], package)
        return package, True

    def _add_unversioned(self, request: Request) -> tuple[Document, bool]:
        """Create a package without a group. See ``_add_version``."""
        name = request["ModelPackageName"]
        if "ModelApprovalStatus" in request:
            raise validation_error("ModelApprovalStatus is for versions of a ModelPackageGroup only.")
        arn = sagemaker_arn(self.region, KIND, name)
        package = _document(request, arn, name)
        try:
            with self.store.transaction():
                earlier = self._created_with(request, sagemaker_arn(self.region, KIND, ""))
                if earlier is not None:
                    return earlier, False
                self.store.insert(KIND, arn, package)
                save_tags(self.store, arn, request.get("Tags"))
        except AlreadyExistsError:
            raise conflict(f"Model Package already exists: {arn}") from None
        return package, True

    def _created_with(self, request: Request, prefix: str) -> Document | None:
        """Return the package that an earlier request with the same ClientToken created, or None."""
        if "ClientToken" not in request:
            return None
        is_versioned = "ModelPackageGroupName" in request
        for package in self.store.list(KIND, prefix):
            same_kind = ("ModelPackageVersion" in package) == is_versioned
            if same_kind and package.get("_ClientToken") == request["ClientToken"]:
                return package
        return None


def _check_source(operation: str, request: Request) -> None:
    """Check a SourceUri. One that is no ARN of a model or model package is described only.

    Source: https://github.com/aws/sagemaker-python-sdk, sagemaker.core.model_registry
    """
    if "SourceUri" not in request:
        return
    if _COPIED_SOURCE.match(request["SourceUri"]):
        raise not_implemented("sagemaker", f"{operation} with the ARN of a model or model package as SourceUri")
    if "InferenceSpecification" in request:
        raise validation_error("SourceUri and InferenceSpecification cannot be in the same request.")
    if "ModelPackageName" in request:
        raise validation_error("An unversioned model package cannot have a SourceUri.")


def _document(request: Request, arn: str, name: str) -> Document:
    return {
        **{member: value for member, value in request.items() if member not in ("Tags", "ClientToken")},
        "ModelPackageName": name,
        "ModelPackageArn": arn,
        "CreationTime": time.time(),
        "CreatedBy": {},
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        "CertifyForMarketplace": request.get("CertifyForMarketplace", False),
        "SkipModelValidation": request.get("SkipModelValidation", "None"),
        "_ClientToken": request.get("ClientToken"),
    }


def _summary(package: Document) -> Document:
    """Return a package's summary in a list. Summaries of versions have no ModelPackageName."""
    if "ModelPackageVersion" not in package:
        return package
    return {member: value for member, value in package.items() if member != "ModelPackageName"}


def _change_metadata(package: Document, request: Request) -> None:
    changes = request.get("CustomerMetadataProperties", {})
    removals = request.get("CustomerMetadataPropertiesToRemove", [])
    metadata = {**package.get("CustomerMetadataProperties", {}), **changes}
    for key in removals:
        if key in changes:
            raise validation_error(f"CustomerMetadataProperties key {key!r} is both set and removed.")
        metadata.pop(key, None)
    _check_count(metadata)
    if changes or removals:
        package["CustomerMetadataProperties"] = metadata


def _check_count(metadata: dict[str, str]) -> None:
    """Check the total number of properties. The request's shape limits only the number of changes."""
    if len(metadata) > _MOST_CUSTOMER_METADATA:
        raise limit_exceeded(
            f"A ModelPackage can have {_MOST_CUSTOMER_METADATA} CustomerMetadataProperties, not {len(metadata)}."
        )


def _add_specifications(package: Document, additions: list[dict[str, Any]]) -> None:
    if not additions:
        return
    specifications = [*package.get("AdditionalInferenceSpecifications", []), *additions]
    _check_names(specifications)
    package["AdditionalInferenceSpecifications"] = specifications


def _check_names(specifications: list[dict[str, Any]]) -> None:
    """Check that additional inference specifications have different names.

    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AdditionalInferenceSpecificationDefinition.html
    """
    names = [specification["Name"] for specification in specifications]
    if len(set(names)) < len(names):
        raise validation_error("AdditionalInferenceSpecifications must have different names.")
