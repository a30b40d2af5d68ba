"""Apply changes to endpoints: deployments, new weights and deletions.

An endpoint has one change in progress at most. The transaction that marks the record also gives the change an
id, ``_Change``, so that a killed service goes on where it was. A task whose change is no longer the record's does
nothing: it writes no record, serves no model and deletes no file.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from local.core.arns import resource_key
from local.core.errors import ServiceError
from local.core.ports import EventBus
from local.core.settings import Settings
from local.records import resources
from local.records.kinds import ENDPOINT, ENDPOINT_CONFIG
from local.records.resource_events import announce_endpoint
from local.runtime.endpoints.hosting import Hosting
from local.runtime.endpoints.serving import CannotServeError, Deployment, ModelLoader, discard, remove_stale, stage
from local.runtime.supervisor import ServiceStoppingError, Supervisor
from local.storage.objects import Objects
from local.storage.store import Document, Store

KIND = ENDPOINT.name
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


@dataclass(frozen=True)
class EndpointChanges:
    """Applies changes to endpoints."""

    store: Store
    settings: Settings
    objects: Objects
    loader: ModelLoader
    hosting: Hosting
    events: EventBus
    supervisor: Supervisor

    def begin(self, record: Document) -> None:
        """Send the event of a recorded change and apply the change in a thread of its own: some take minutes."""
        announce_endpoint(self.events, record)
        name = record["EndpointName"]
        apply = partial(self._run, resource_key(name), record["_Change"])
        self.supervisor.run_in_background(apply, f"change of endpoint {name}")

    def restore(self) -> list[str]:
        """Restore the deployed endpoints and resume unfinished changes.

        Returns:
            Sentences about the endpoints that are in service again, and about those that cannot be.
        """
        restored = []
        for record in self.store.list(KIND):
            name, status = record["EndpointName"], record["EndpointStatus"]
            if "_Variants" in record and status not in ("Deleting", "Failed"):
                try:
                    self.hosting.put_in_service(
                        self.loader.load(name, record["_Variants"], record.get("_Capture"), is_restart=True)
                    )
                except CannotServeError as error:
                    self._finish(record, "Failed", str(error))
                    restored.append(f"endpoint {name}: Failed, because its model cannot be loaded: {error}")
                    continue
                restored.append(f"endpoint {name}: in service again")
            if status == "RollingBack":
                self._finish(record, "InService", record.get("FailureReason"))
            elif status in IN_PROGRESS:
                self.begin(self._with_change(record))
            else:
                remove_stale(self.store, self.settings, name)
        return restored

    def _with_change(self, record: Document) -> Document:
        """Return the record with a change id. Earlier versions of the service did not store one."""
        if "_Change" in record:
            return record
        key, status = resource_key(record["EndpointName"]), record["EndpointStatus"]
        return self.store.update(KIND, key, lambda document: mark(document, status))

    def _run(self, key: str, change: str) -> None:
        record = self.store.find(KIND, key)
        if record is None or record.get("_Change") != change or record["EndpointStatus"] not in IN_PROGRESS:
            return
        try:
            if record["EndpointStatus"] == "Deleting":
                self._remove(record)
            elif "PendingDeploymentSummary" in record:
                self._deploy(record)
            else:
                self._apply_weights(record)
        except (CannotServeError, ServiceError) as failure:
            self._give_up(record, getattr(failure, "message", str(failure)))
        except ServiceStoppingError:
            # The next start goes on with the change.
            raise
        except Exception as error:
            _log.exception("endpoint %s could not be changed", record["EndpointName"])
            self._give_up(record, f"InternalServerError: {type(error).__name__}: {error}")

    def _deploy(self, record: Document) -> None:
        name, pending = record["EndpointName"], record["PendingDeploymentSummary"]
        config = resources.find(self.store, ENDPOINT_CONFIG, self.settings.region, pending["EndpointConfigName"])
        weights = {variant["VariantName"]: variant["DesiredWeight"] for variant in pending["ProductionVariants"]}
        staged = stage(self.store, self.settings, self.objects, record, config, weights)
        deployment = self.loader.load(name, staged, pending.get("_Capture"))
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
            self.hosting.put_in_service(deployment)

        try:
            self._finish(record, "InService", None, arrive)
        finally:
            # Another change may have replaced this one meanwhile.
            if self.hosting.deployment(name) is not deployment:
                self.hosting.retire(deployment.servers)
        remove_stale(self.store, self.settings, name)

    def _apply_weights(self, record: Document) -> None:
        deployment = self.hosting.deployment(record["EndpointName"])
        if deployment is None:
            raise CannotServeError(f"Endpoint {record['EndpointName']} is not in service.")
        weights = {variant["VariantName"]: variant["DesiredWeight"] for variant in record["ProductionVariants"]}
        variants = [replace(variant, weight=weights[variant.name]) for variant in deployment.variants]

        def arrive(document: Document) -> None:
            document["ProductionVariants"] = [_arrived(variant) for variant in document["ProductionVariants"]]
            for variant in document["_Variants"]:
                variant["Weight"] = weights[variant["VariantName"]]
            self.hosting.put_in_service(Deployment(deployment.endpoint, variants, deployment.capture))

        self._finish(record, "InService", None, arrive)

    def _remove(self, record: Document) -> None:
        key = resource_key(record["EndpointName"])
        with self.store.transaction():
            if _is_current(self.store.find(KIND, key), record):
                resources.remove(self.store, KIND, key, record["EndpointArn"])
                remove_stale(self.store, self.settings, record["EndpointName"])

    def _give_up(self, record: Document, reason: str) -> None:
        """End a failed change. A new endpoint becomes Failed; an existing one keeps its deployment."""
        discard(self.settings, record)
        if record["EndpointStatus"] != "Updating":
            self._finish(record, "Failed", reason)
            return
        self._change(record, lambda document: document.update(EndpointStatus="RollingBack"))
        self._finish(record, "InService", reason)

    def _finish(
        self,
        record: Document,
        status: str,
        reason: str | None,
        arrive: Callable[[Document], None] | None = None,
    ) -> None:
        """End a record's change, unless another change has replaced it."""

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

        self._change(record, finish)

    def _change(self, record: Document, change: Callable[[Document], None]) -> None:
        """Update the stored record and send the event, if the record still has the change of ``record``."""
        key = resource_key(record["EndpointName"])
        with self.store.transaction():
            if _is_current(self.store.find(KIND, key), record):
                announce_endpoint(self.events, self.store.update(KIND, key, change))


def summaries(config: Document, retained: dict[str, Document] | None = None) -> list[Document]:
    """Return DescribeEndpoint's summaries of the variants to deploy.

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


def _is_current(stored: Document | None, record: Document) -> bool:
    return stored is not None and stored.get("_Change") == record.get("_Change")


def _arrived(variant: Document) -> Document:
    """Return the variant with its desired values as current values."""
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
