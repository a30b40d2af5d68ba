"""Events that SageMaker sends to EventBridge when a model package or an endpoint changes its state.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html .
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from local.core.ports import EventBus
from local.storage.store import Document

_PACKAGE_MEMBERS = (
    "ModelPackageName",
    "ModelPackageGroupName",
    "ModelPackageVersion",
    "ModelPackageArn",
    "ModelPackageDescription",
    "CreationTime",
    "InferenceSpecification",
    "ModelPackageStatus",
    "ModelPackageStatusDetails",
    "CertifyForMarketplace",
    "ModelApprovalStatus",
    "ApprovalDescription",
    "MetadataProperties",
    "ModelMetrics",
    "CustomerMetadataProperties",
    "ModelLifeCycle",
    "LastModifiedTime",
)
_ENDPOINT_MEMBERS = (
    "EndpointName",
    "EndpointArn",
    "EndpointConfigName",
    "ProductionVariants",
    "EndpointStatus",
    "FailureReason",
    "CreationTime",
    "LastModifiedTime",
)
_SOURCE = "aws.sagemaker"
_WORD_END = re.compile(r"(?<=[a-z])(?=[A-Z])")


def announce_package(events: EventBus, package: Document) -> None:
    """Send the event for a new model package, or for a change of its approval or life cycle."""
    detail = {name: package[name] for name in _PACKAGE_MEMBERS if name in package}
    if "ModelPackageVersion" in package:
        del detail["ModelPackageName"]
    for name in ("CreationTime", "LastModifiedTime"):
        if name in detail:
            detail[name] = datetime.fromtimestamp(detail[name], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    events.emit(_SOURCE, "SageMaker Model Package State Change", detail, [package["ModelPackageArn"]])


def announce_endpoint(events: EventBus, endpoint: Document) -> None:
    """Send the event for a change of an endpoint's status.

    In this event, AWS spells a status ``IN_SERVICE`` and gives times in milliseconds.
    """
    detail = {name: endpoint[name] for name in _ENDPOINT_MEMBERS if name in endpoint}
    detail["EndpointStatus"] = _WORD_END.sub("_", detail["EndpointStatus"]).upper()
    for name in ("CreationTime", "LastModifiedTime"):
        detail[name] = int(detail[name] * 1000)
    events.emit(_SOURCE, "SageMaker Endpoint State Change", detail, [endpoint["EndpointArn"]])
