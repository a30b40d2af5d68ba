"""Find out whether a model is in the registry already: an unchanged model is neither registered nor deployed again.

A part of the Lambda function that deploys: RegisterModel steps are never cached, so a repeat of the pipeline with
nothing new would register one version more each time. The comparison is with the newest version of the group only:
a model that was replaced and comes back is a new version.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient
    from types_boto3_sagemaker.type_defs import DescribeModelPackageOutputTypeDef

NEW, REGISTERED = "New", "Registered"
NO_PACKAGE = "none"
"""In the place of an ARN: an output parameter of a Lambda step may not be empty."""


def find_registered(sagemaker: SageMakerClient, event: dict[str, Any]) -> dict[str, str]:
    """Look for the model that an execution has selected.

    Args:
        sagemaker: boto3's SageMaker client.
        event: ``find_in_group``, the model package group; ``artifact_sha256`` and ``image``, the model;
            ``approval_status``, ``endpoint_name``, ``instance_type`` and ``instance_count``, what the execution
            would register it with.

    Returns:
        ``status``, ``New`` or ``Registered``, and ``model_package_arn``.
    """
    newest = _newest(sagemaker, event["find_in_group"])
    if newest is None or not _is_same_model(newest, event) or _waits_for_something_else(newest, event):
        return {"status": NEW, "model_package_arn": NO_PACKAGE}
    return {"status": REGISTERED, "model_package_arn": newest["ModelPackageArn"]}


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
    """Whether a package awaits approval, and this execution wants another endpoint or no approval.

    Its approval would deploy it to the endpoint that its own metadata name. A package that is rejected stays
    rejected, whatever the execution would register.
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
