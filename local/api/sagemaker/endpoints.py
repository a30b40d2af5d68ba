"""Endpoints: models in service, and the changes that an endpoint goes through.

A ``DeploymentConfig`` is described as the last one that was given, and that is all: here the requests go over to the
new models at once, so that there is nothing to shift step by step and no time in which an alarm could go off. Instance
types and counts, networks and keys are described and have no effect either.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from local.api.sagemaker.listing import page
from local.api.sagemaker.operations import Request, Response
from local.core.arns import resource_key
from local.core.errors import validation_error
from local.records import resources as records
from local.records.kinds import ENDPOINT, ENDPOINT_CONFIG
from local.records.tags import save_tags
from local.runtime.endpoints.changes import IN_PROGRESS, KIND, EndpointChanges, mark, summaries
from local.runtime.endpoints.hosting import Hosting
from local.storage.store import AlreadyExistsError, Document, Store

DESCRIBE_PATIENCE = 0.5
"""Seconds that DescribeEndpoint waits for a change to end: AWS's waiters look again only after 30 seconds."""


@dataclass(frozen=True)
class EndpointOperations:
    """Operations of endpoints."""

    store: Store
    region: str
    hosting: Hosting
    changes: EndpointChanges

    def create_endpoint(self, request: Request) -> Response:
        """Put a configuration's models in service; it goes on after the answer."""
        name = request["EndpointName"]
        arn = ENDPOINT.arn(self.region, name)
        with self.store.transaction():
            config = records.find(self.store, ENDPOINT_CONFIG, self.region, request["EndpointConfigName"])
            endpoint = {
                "EndpointName": name,
                "EndpointArn": arn,
                "EndpointConfigName": request["EndpointConfigName"],
                "CreationTime": time.time(),
                "LastDeploymentConfig": request.get("DeploymentConfig"),
                "PendingDeploymentSummary": _pending(config, summaries(config), config.get("DataCaptureConfig")),
            }
            mark(endpoint, "Creating")
            try:
                self.store.insert(KIND, resource_key(name), endpoint)
            except AlreadyExistsError:
                raise validation_error(f'Cannot create already existing endpoint "{arn}".') from None
            save_tags(self.store, arn, request.get("Tags"))
        self.changes.begin(endpoint)
        return {"EndpointArn": arn}

    def describe_endpoint(self, request: Request) -> Response:
        """Describe an endpoint, after a short wait for a change that is under way."""
        key = resource_key(request["EndpointName"])

        def settled() -> bool:
            endpoint = self.store.find(KIND, key)
            return endpoint is None or endpoint["EndpointStatus"] not in IN_PROGRESS

        self.store.wait_until(settled, DESCRIBE_PATIENCE)
        return records.find(self.store, ENDPOINT, self.region, request["EndpointName"])

    def list_endpoints(self, request: Request) -> Response:
        """List endpoints."""
        return page(request, self.store.list(KIND), "Endpoints", resource="Endpoint", order="Descending")

    def update_endpoint(self, request: Request) -> Response:
        """Replace what an endpoint serves, without losing a request; it goes on after the answer."""
        config = records.find(self.store, ENDPOINT_CONFIG, self.region, request["EndpointConfigName"])
        excluded = {item["VariantPropertyType"] for item in request.get("ExcludeRetainedVariantProperties", [])}

        def change(endpoint: Document) -> None:
            retained, capture = {}, config.get("DataCaptureConfig")
            if request.get("RetainAllVariantProperties"):
                retained = _retained(endpoint, excluded)
                if "DataCaptureConfig" not in excluded:
                    capture = endpoint.get("_Capture")
            endpoint["PendingDeploymentSummary"] = _pending(config, summaries(config, retained), capture)
            if not request.get("RetainDeploymentConfig"):
                endpoint["LastDeploymentConfig"] = request.get("DeploymentConfig")

        return self._start_update(request["EndpointName"], change)

    def update_endpoint_weights_and_capacities(self, request: Request) -> Response:
        """Change variants' shares of the requests and their numbers of instances; it goes on after the answer."""

        def change(endpoint: Document) -> None:
            variants = {variant["VariantName"]: variant for variant in endpoint["ProductionVariants"]}
            for wanted in request["DesiredWeightsAndCapacities"]:
                if wanted["VariantName"] not in variants:
                    raise validation_error(
                        f'Endpoint "{endpoint["EndpointArn"]}" has no production variant {wanted["VariantName"]}.'
                    )
                variant = variants[wanted["VariantName"]]
                for member in ("DesiredWeight", "DesiredInstanceCount"):
                    if member in wanted:
                        variant[member] = wanted[member]
                if "ServerlessUpdateConfig" in wanted:
                    variant.setdefault("DesiredServerlessConfig", {}).update(wanted["ServerlessUpdateConfig"])
            if not any(variant["DesiredWeight"] > 0 for variant in variants.values()):
                raise validation_error("At least one production variant must have a weight greater than 0.")

        return self._start_update(request["EndpointName"], change)

    def delete_endpoint(self, request: Request) -> Response:
        """Take an endpoint out of service and remove it; its configuration and models stay."""
        name = request["EndpointName"]
        with self.store.transaction():
            records.find(self.store, ENDPOINT, self.region, name)
            deleting = self.store.update(KIND, resource_key(name), lambda endpoint: _mark(endpoint, "Deleting"))
            self.hosting.take_out_of_service(name)
        self.changes.begin(deleting)
        return {}

    def _start_update(self, name: str, change: Callable[[Document], None]) -> Response:
        with self.store.transaction():
            arn: str = records.find(self.store, ENDPOINT, self.region, name)["EndpointArn"]

            def start(endpoint: Document) -> None:
                if endpoint["EndpointStatus"] == "Failed":
                    raise validation_error(
                        f'Cannot update endpoint "{arn}": it is Failed and can only be deleted and created again.'
                    )
                _mark(endpoint, "Updating")
                change(endpoint)

            updating = self.store.update(KIND, resource_key(name), start)
        self.changes.begin(updating)
        return {"EndpointArn": arn}


def _pending(config: Document, variants: list[Document], capture: Document | None) -> Document:
    return {
        "EndpointConfigName": config["EndpointConfigName"],
        "ProductionVariants": variants,
        "StartTime": time.time(),
        "_Capture": capture,
    }


def _retained(endpoint: Document, excluded: set[str]) -> dict[str, Document]:
    kept = {"DesiredWeight", "DesiredInstanceCount"} - excluded
    return {
        variant["VariantName"]: {member: variant[member] for member in kept if member in variant}
        for variant in endpoint["ProductionVariants"]
    }


def _mark(endpoint: Document, status: str) -> None:
    """Say that a change begins.

    Raises:
        ServiceError: ValidationException, another change is under way.
    """
    if endpoint["EndpointStatus"] in IN_PROGRESS:
        raise validation_error(f'Cannot update in-progress endpoint "{endpoint["EndpointArn"]}".')
    mark(endpoint, status)
