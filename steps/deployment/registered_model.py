"""Finds out whether a model is already registered, so that an unchanged model is not registered again.

RegisterModel steps are never cached, so every repeat of the pipeline would otherwise register another version. Only
the newest version of the group is compared: a model that returns after it was replaced is a new version.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient
    from types_boto3_sagemaker.type_defs import DescribeModelPackageOutputTypeDef

NEW, REGISTERED = "New", "Registered"
NONE = "none"
"""Replaces a missing text, because an output parameter of a Lambda step must not be empty."""


def find_registered(sagemaker: SageMakerClient, event: dict[str, Any]) -> dict[str, str]:
    """Find the model that an execution has selected in the registry.

    Args:
        sagemaker: boto3's SageMaker client.
        event: ``find_in_group``, the model package group; ``artifact_sha256`` and ``image``, the model;
            ``approval_status``, ``endpoint_name``, ``instance_type`` and ``instance_count``, the settings with which
            the execution would register it.

    Returns:
        ``status``, ``New`` or ``Registered``, and ``model_package_arn``; of a registered version also ``model_data``,
        the URI of its artifact, and ``training_value``, the objective on all rows if it was refitted on them.
    """
    newest = _newest(sagemaker, event["find_in_group"])
    if newest is None or not _is_same_model(newest, event) or _waits_for_something_else(newest, event):
        return {"status": NEW, "model_package_arn": NONE, "model_data": NONE, "training_value": NONE}
    containers = newest.get("InferenceSpecification", {}).get("Containers", [{}])
    metadata = newest.get("CustomerMetadataProperties", {})
    return {
        "status": REGISTERED,
        "model_package_arn": newest["ModelPackageArn"],
        "model_data": containers[0].get("ModelDataUrl", NONE),
        "training_value": metadata.get("training_mse") or metadata.get("training_value", NONE),
    }


def _newest(sagemaker: SageMakerClient, group: str) -> DescribeModelPackageOutputTypeDef | None:
    try:
        listed = sagemaker.list_model_packages(
            ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending", MaxResults=1
        )
        if not listed["ModelPackageSummaryList"]:
            return None
        arn = listed["ModelPackageSummaryList"][0]["ModelPackageArn"]
        return sagemaker.describe_model_package(ModelPackageName=arn)
    except ClientError as error:
        message = error.response["Error"].get("Message", "").lower()
        if any(phrase in message for phrase in ("does not exist", "not found", "could not find")):
            return None
        raise


def _is_same_model(package: DescribeModelPackageOutputTypeDef, event: dict[str, Any]) -> bool:
    containers = package.get("InferenceSpecification", {}).get("Containers", [{}])
    return bool(
        package["ModelPackageStatus"] == "Completed"
        and package.get("CustomerMetadataProperties", {}).get("artifact_sha256") == event["artifact_sha256"]
        and containers[0].get("Image") == event["image"]
    )


def _waits_for_something_else(package: DescribeModelPackageOutputTypeDef, event: dict[str, Any]) -> bool:
    """Return whether a package awaits approval for other settings than this execution's.

    After approval, a package is deployed with the settings in its own metadata. A rejected package stays rejected, so
    its settings do not matter.
    """
    metadata = package.get("CustomerMetadataProperties", {})
    meant = {
        "endpoint_name": event["endpoint_name"],
        "endpoint_instance_type": event["instance_type"],
        "endpoint_instance_count": str(event["instance_count"]),
    }
    approval = package.get("ModelApprovalStatus")
    differs = event["approval_status"] != approval or any(metadata.get(name) != meant[name] for name in meant)
    return approval == "PendingManualApproval" and differs
