"""Carries out what an endpoint's record asks for: its deployment, its new weights, its deletion.

An endpoint has one change in progress at most. The transaction that marks the record also gives the change an
id, ``_Change``, so that a killed service goes on where it was. A task whose change is no longer the record's does
nothing: it writes no record, serves no model and deletes no file.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from local.api.sagemaker.endpoint_configs import find_endpoint_config
from local.api.sagemaker.tags import delete_tags
from local.core.arns import resource_key
from local.core.errors import ServiceError
from local.records.resource_events import announce_endpoint
from local.runtime.endpoints.serving import CannotServeError, Deployment, discard, load, remove_stale, stage
from local.storage.store import Document

if TYPE_CHECKING:
    from local.context import Context

KIND = "endpoint"
IN_PROGRESS = frozenset({"Creating", "Updating", "RollingBack", "Deleting"})
_LONGEST_REASON = 1024
_log = logging.getLogger(__name__)


def mark(record: Document, status: str) -> None:
    """Mark an endpoint's record with a change that begins; the caller's transaction makes it the only one.

    Args:
        record: the endpoint's, altered in place.
        status: one of ``IN_PROGRESS``.
    """
    record["EndpointStatus"] = status
    record["LastModifiedTime"] = time.time()
    record["_Change"] = secrets.token_hex(8)


def begin(context: Context, record: Document) -> None:
    """Announce a change that a record was marked with, and carry it out in a thread."""
    announce_endpoint(context, record)
    key = resource_key(record["EndpointName"])
    context.hosting.background.submit(_carry_out, context, key, record["_Change"])


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
                _finish(context, record, "Failed", str(error))
                continue
            restored.append(name)
        if status == "RollingBack":
            _finish(context, record, "InService", record.get("FailureReason"))
        elif status in IN_PROGRESS:
            begin(context, _with_change(context, record))
        else:
            remove_stale(context, name)
    return restored


def _with_change(context: Context, record: Document) -> Document:
    """A record whose change has an id: earlier versions of the service gave it none."""
    if "_Change" in record:
        return record
    key, status = resource_key(record["EndpointName"]), record["EndpointStatus"]
    return context.store.update(KIND, key, lambda document: mark(document, status))


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


def _carry_out(context: Context, key: str, change: str) -> None:
    record = context.store.find(KIND, key)
    if record is None or record.get("_Change") != change or record["EndpointStatus"] not in IN_PROGRESS:
        return
    try:
        if record["EndpointStatus"] == "Deleting":
            _remove(context, record)
        elif "PendingDeploymentSummary" in record:
            _deploy(context, record)
        else:
            _apply_weights(context, record)
    except (CannotServeError, ServiceError) as failure:
        _give_up(context, record, getattr(failure, "message", str(failure)))
    except Exception as error:
        _log.exception("endpoint %s could not be changed", record["EndpointName"])
        _give_up(context, record, f"InternalServerError: {type(error).__name__}: {error}")


def _deploy(context: Context, record: Document) -> None:
    name, pending = record["EndpointName"], record["PendingDeploymentSummary"]
    config = find_endpoint_config(context, pending["EndpointConfigName"])
    weights = {variant["VariantName"]: variant["DesiredWeight"] for variant in pending["ProductionVariants"]}
    staged = stage(context, record, config, weights)
    deployment = load(context, name, staged, pending.get("_Capture"))
    images = {variant["VariantName"]: variant["Image"] for variant in staged}

    def arrive(document: Document) -> None:
        document["EndpointConfigName"] = pending["EndpointConfigName"]
        document["ProductionVariants"] = [
            _arrived(summary) | {"DeployedImages": [_deployed_image(images[summary["VariantName"]])]}
            for summary in pending["ProductionVariants"]
        ]
        document["_Variants"] = staged
        document["_Capture"] = pending.get("_Capture")
        document["DataCaptureConfig"] = _capture_summary(pending.get("_Capture"))
        context.hosting.put_in_service(deployment)

    _finish(context, record, "InService", None, arrive)
    remove_stale(context, name)


def _apply_weights(context: Context, record: Document) -> None:
    deployment = context.hosting.deployment(record["EndpointName"])
    if deployment is None:
        raise CannotServeError(f"Endpoint {record['EndpointName']} is not in service.")
    weights = {variant["VariantName"]: variant["DesiredWeight"] for variant in record["ProductionVariants"]}
    variants = [replace(variant, weight=weights[variant.name]) for variant in deployment.variants]

    def arrive(document: Document) -> None:
        document["ProductionVariants"] = [_arrived(variant) for variant in document["ProductionVariants"]]
        for variant in document["_Variants"]:
            variant["Weight"] = weights[variant["VariantName"]]
        context.hosting.put_in_service(Deployment(deployment.endpoint, variants, deployment.capture))

    _finish(context, record, "InService", None, arrive)


def _remove(context: Context, record: Document) -> None:
    key = resource_key(record["EndpointName"])
    with context.store.transaction():
        if _is_current(context.store.find(KIND, key), record):
            context.store.delete(KIND, key)
            delete_tags(context, record["EndpointArn"])
            remove_stale(context, record["EndpointName"])


def _give_up(context: Context, record: Document, reason: str) -> None:
    """End a change that failed: a new endpoint is Failed, an old one goes on serving what it served."""
    discard(context, record)
    if record["EndpointStatus"] != "Updating":
        _finish(context, record, "Failed", reason)
        return
    rolling_back = _change(context, record, lambda document: document.update(EndpointStatus="RollingBack"))
    if rolling_back is not None:
        announce_endpoint(context, rolling_back)
    _finish(context, record, "InService", reason)


def _finish(
    context: Context,
    record: Document,
    status: str,
    reason: str | None,
    arrive: Callable[[Document], None] | None = None,
) -> None:
    """End a record's change, unless another one has taken its place."""

    def finish(document: Document) -> None:
        document.pop("PendingDeploymentSummary", None)
        document.pop("FailureReason", None)
        document.pop("_Change", None)
        document["EndpointStatus"] = status
        document["LastModifiedTime"] = time.time()
        if reason is not None:
            document["FailureReason"] = reason[:_LONGEST_REASON]
        if arrive is not None:
            arrive(document)

    finished = _change(context, record, finish)
    if finished is not None:
        announce_endpoint(context, finished)


def _change(context: Context, record: Document, change: Callable[[Document], None]) -> Document | None:
    """Alter the stored record if it still has the change of ``record``; return what it is then, or None."""
    key = resource_key(record["EndpointName"])
    with context.store.transaction():
        if not _is_current(context.store.find(KIND, key), record):
            return None
        return context.store.update(KIND, key, change)


def _is_current(stored: Document | None, record: Document) -> bool:
    return stored is not None and stored.get("_Change") == record.get("_Change")


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
