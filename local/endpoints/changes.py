"""Carries out what an endpoint's record asks for: its deployment, its new weights, its deletion.

The record says what is under way before it begins, so that a service that was killed goes on where it was.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from local.endpoints.serving import CannotServeError, Deployment, load, remove_stale, stage
from local.errors import ServiceError
from local.names import resource_key
from local.sagemaker.announcements import announce_endpoint
from local.sagemaker.endpoint_configs import find_endpoint_config
from local.sagemaker.tags import delete_tags
from local.store import Document, MissingError

if TYPE_CHECKING:
    from local.context import Context

KIND = "endpoint"
IN_PROGRESS = frozenset({"Creating", "Updating", "RollingBack", "Deleting"})
_LONGEST_REASON = 1024
_log = logging.getLogger(__name__)


def begin(context: Context, endpoint: str) -> None:
    """Carry out, in a thread, what the endpoint's record says is under way, and tell that it begins."""
    announce_endpoint(context, context.store.get(KIND, resource_key(endpoint)))
    context.hosting.background.submit(_carry_out, context, resource_key(endpoint))


def restore(context: Context) -> list[str]:
    """Serve again what was in service when the service stopped, and go on with what was under way.

    Returns:
        Names of the endpoints that are in service again.
    """
    restored = []
    for record in context.store.list(KIND):
        name, status = record["EndpointName"], record["EndpointStatus"]
        if "_Variants" in record and status not in ("Deleting", "Failed"):
            try:
                context.hosting.put_in_service(load(context, name, record["_Variants"], record.get("_Capture")))
            except CannotServeError as error:
                _finish(context, resource_key(name), "Failed", str(error))
                continue
            restored.append(name)
        if status == "RollingBack":
            _finish(context, resource_key(name), "InService", record.get("FailureReason"))
        elif status in IN_PROGRESS:
            begin(context, name)
    return restored


def summaries(config: Document, retained: dict[str, Document] | None = None) -> list[Document]:
    """What DescribeEndpoint says of a configuration's variants that are to be deployed.

    Args:
        config: the endpoint configuration.
        retained: by variant's name, ``DesiredWeight`` and ``DesiredInstanceCount`` to keep from what is deployed.
    """
    return [
        _summary(variant) | (retained or {}).get(variant["VariantName"], {}) for variant in config["ProductionVariants"]
    ]


def _summary(variant: Document) -> Document:
    summary = {"VariantName": variant["VariantName"], "DesiredWeight": variant["InitialVariantWeight"]}
    if "ServerlessConfig" in variant:
        return summary | {"DesiredServerlessConfig": variant["ServerlessConfig"]}
    kept = {name: variant[name] for name in ("ManagedInstanceScaling", "RoutingConfig") if name in variant}
    return summary | {"DesiredInstanceCount": variant.get("InitialInstanceCount", 1)} | kept


def _carry_out(context: Context, key: str) -> None:
    try:
        record = context.store.get(KIND, key)
    except MissingError:
        return
    try:
        if record["EndpointStatus"] == "Deleting":
            _remove(context, key, record)
        elif "PendingDeploymentSummary" in record:
            _deploy(context, key, record)
        else:
            _apply_weights(context, key, record)
    except (CannotServeError, ServiceError) as failure:
        _give_up(context, key, getattr(failure, "message", str(failure)))
    except Exception as error:
        _log.exception("endpoint %s could not be changed", record["EndpointName"])
        _give_up(context, key, f"InternalServerError: {type(error).__name__}: {error}")


def _deploy(context: Context, key: str, record: Document) -> None:
    name, pending = record["EndpointName"], record["PendingDeploymentSummary"]
    config = find_endpoint_config(context, pending["EndpointConfigName"])
    weights = {variant["VariantName"]: variant["DesiredWeight"] for variant in pending["ProductionVariants"]}
    staged = stage(context, name, config, weights)
    deployment = load(context, name, staged, pending.get("_Capture"))
    context.hosting.put_in_service(deployment)
    images = {variant["VariantName"]: variant["Image"] for variant in staged}

    def change(document: Document) -> None:
        document["EndpointConfigName"] = pending["EndpointConfigName"]
        document["ProductionVariants"] = [
            _arrived(summary) | {"DeployedImages": [_deployed_image(images[summary["VariantName"]])]}
            for summary in pending["ProductionVariants"]
        ]
        document["_Variants"] = staged
        document["_Capture"] = pending.get("_Capture")
        document["DataCaptureConfig"] = _capture_summary(pending.get("_Capture"))

    _finish(context, key, "InService", None, change)
    remove_stale(context, name, staged)


def _apply_weights(context: Context, key: str, record: Document) -> None:
    deployment = context.hosting.deployment(record["EndpointName"])
    if deployment is None:
        raise CannotServeError(f"Endpoint {record['EndpointName']} is not in service.")
    weights = {variant["VariantName"]: variant["DesiredWeight"] for variant in record["ProductionVariants"]}
    variants = [replace(variant, weight=weights[variant.name]) for variant in deployment.variants]
    context.hosting.put_in_service(Deployment(deployment.endpoint, variants, deployment.capture))

    def change(document: Document) -> None:
        document["ProductionVariants"] = [_arrived(variant) for variant in document["ProductionVariants"]]
        for variant in document["_Variants"]:
            variant["Weight"] = weights[variant["VariantName"]]

    _finish(context, key, "InService", None, change)


def _remove(context: Context, key: str, record: Document) -> None:
    remove_stale(context, record["EndpointName"], [])
    with context.store.transaction():
        context.store.delete(KIND, key)
        delete_tags(context, record["EndpointArn"])


def _give_up(context: Context, key: str, reason: str) -> None:
    """End a change that failed: a new endpoint is Failed, an old one goes on serving what it served."""
    record = context.store.get(KIND, key)
    remove_stale(context, record["EndpointName"], record.get("_Variants", []))
    if record["EndpointStatus"] != "Updating":
        _finish(context, key, "Failed", reason)
        return
    rolling_back = context.store.update(KIND, key, lambda document: document.update(EndpointStatus="RollingBack"))
    announce_endpoint(context, rolling_back)
    _finish(context, key, "InService", reason)


def _finish(
    context: Context, key: str, status: str, reason: str | None, change: Callable[[Document], None] | None = None
) -> None:
    def finish(document: Document) -> None:
        document.pop("PendingDeploymentSummary", None)
        document.pop("FailureReason", None)
        document["EndpointStatus"] = status
        document["LastModifiedTime"] = time.time()
        if reason is not None:
            document["FailureReason"] = reason[:_LONGEST_REASON]
        if change is not None:
            change(document)

    announce_endpoint(context, context.store.update(KIND, key, finish))


def _arrived(variant: Document) -> Document:
    """A variant that has what was desired of it."""
    reached = {
        name.replace("Desired", "Current", 1): value for name, value in variant.items() if name.startswith("Desired")
    }
    return variant | reached


def _deployed_image(image: str) -> Document:
    return {"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": time.time()}


def _capture_summary(capture: Document | None) -> Document | None:
    if capture is None:
        return None
    enabled = capture.get("EnableCapture", True)
    return {
        "EnableCapture": enabled,
        "CaptureStatus": "Started" if enabled else "Stopped",
        "CurrentSamplingPercentage": capture["InitialSamplingPercentage"],
        "DestinationS3Uri": capture["DestinationS3Uri"],
        "KmsKeyId": capture.get("KmsKeyId", ""),
    }
