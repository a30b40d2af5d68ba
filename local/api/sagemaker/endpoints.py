"""Operations of endpoints.

A ``DeploymentConfig`` is stored and described, but has no effect: all requests move to the new models at once, so no
traffic is shifted in steps and no alarm can trigger a rollback. Instance types and counts, networks and keys have no
effect either.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from local.api.autoscaling import AutoScaling
from local.api.sagemaker.deployment_configs import check_deployment_config
from local.api.sagemaker.listing import page
from local.api.sagemaker.operations import Request, Response
from local.api.sagemaker.variant_changes import change_variants
from local.core.arns import resource_key
from local.core.errors import not_implemented, validation_error
from local.records import resources as records
from local.records.endpoints import is_serverless
from local.records.kinds import ENDPOINT, ENDPOINT_CONFIG
from local.records.tags import save_tags
from local.runtime.endpoints.changes import IN_PROGRESS, KIND, EndpointChanges, mark, summaries
from local.runtime.endpoints.hosting import Hosting
from local.storage.store import AlreadyExistsError, Document, Store

DESCRIBE_PATIENCE = 0.5
"""Seconds that DescribeEndpoint waits for a change to end, because AWS's waiters poll only every 30 seconds."""


@dataclass(frozen=True)
class EndpointOperations:
    """Operations of endpoints."""

    store: Store
    region: str
    hosting: Hosting
    changes: EndpointChanges
    autoscaling: AutoScaling

    def create_endpoint(self, request: Request) -> Response:
        """Create an endpoint for a configuration. The endpoint is Creating when this returns."""
        name = request["EndpointName"]
        arn = ENDPOINT.arn(self.region, name)
        check_deployment_config(request.get("DeploymentConfig", {}))
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
        """Describe an endpoint. Waits up to ``DESCRIBE_PATIENCE`` seconds for a change to end."""
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
        """Change an endpoint's configuration without losing requests. The endpoint is Updating when this returns."""
        config = records.find(self.store, ENDPOINT_CONFIG, self.region, request["EndpointConfigName"])
        excluded = {item["VariantPropertyType"] for item in request.get("ExcludeRetainedVariantProperties", [])}
        if excluded and not request.get("RetainAllVariantProperties"):
            raise validation_error("ExcludeRetainedVariantProperties is only for RetainAllVariantProperties true.")
        if request.get("RetainDeploymentConfig") and "DeploymentConfig" in request:
            raise not_implemented("sagemaker", "UpdateEndpoint with DeploymentConfig and RetainDeploymentConfig")
        check_deployment_config(request.get("DeploymentConfig", {}))
        scaled = self.autoscaling.scaled_variants(request["EndpointName"])

        def change(endpoint: Document) -> None:
            # SageMaker shifts traffic away from the present configuration, which must still be there.
            # Source: https://github.com/hashicorp/terraform-provider-aws/issues/40048
            present = records.find(self.store, ENDPOINT_CONFIG, self.region, endpoint["EndpointConfigName"])
            _check_kind(endpoint, config)
            _check_scaled(present, config, scaled)
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
        """Change variants' weights and numbers of instances. The endpoint is Updating when this returns."""

        def change(endpoint: Document) -> None:
            change_variants(endpoint, request["DesiredWeightsAndCapacities"])

        return self._start_update(request["EndpointName"], change)

    def delete_endpoint(self, request: Request) -> Response:
        """Delete an endpoint. Its configuration and models remain."""
        name = request["EndpointName"]
        with self.store.transaction():
            records.find(self.store, ENDPOINT, self.region, name)
            deleting = self.store.update(KIND, resource_key(name), lambda endpoint: _mark(endpoint, "Deleting"))
            self.hosting.take_out_of_service(name)
        # After the transaction: moto's lock is never taken within one of the store.
        self.autoscaling.deregister(deleting["EndpointName"])
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


def _check_kind(endpoint: Document, config: Document) -> None:
    """Refuse to make an endpoint with instances serverless. The other direction is possible.

    Source: "Feature exclusions", https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html
    """
    becomes_serverless = any("ServerlessConfig" in variant for variant in config["ProductionVariants"])
    if becomes_serverless and not is_serverless(endpoint):
        raise validation_error(
            f'Could not update a real-time endpoint to serverless: "{endpoint["EndpointArn"]}" has instances, and '
            f"endpoint configuration {config['EndpointConfigName']} has a ServerlessConfig."
        )


def _check_scaled(present: Document, config: Document, scaled: set[str]) -> None:
    """Refuse to change the instance type of a variant that is a scalable target.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-scaling-update.html

    Args:
        present: the endpoint's configuration.
        config: the one that it is to get.
        scaled: the names of the variants that are scalable targets.
    """
    types = {variant["VariantName"]: variant.get("InstanceType") for variant in present["ProductionVariants"]}
    for variant in config["ProductionVariants"]:
        name = variant["VariantName"]
        if name in scaled and name in types and variant.get("InstanceType") != types[name]:
            raise validation_error(
                f"The instance type of production variant {name} cannot be changed from {types[name]} to "
                f"{variant.get('InstanceType')}: deregister the variant as a scalable target first."
            )


def _mark(endpoint: Document, status: str) -> None:
    """Set the status that an endpoint has while it changes.

    Raises:
        ServiceError: ValidationException, because another change is in progress.
    """
    if endpoint["EndpointStatus"] in IN_PROGRESS:
        raise validation_error(f'Cannot update in-progress endpoint "{endpoint["EndpointArn"]}".')
    mark(endpoint, status)
