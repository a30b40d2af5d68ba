"""Operations of endpoint configurations, which list an endpoint's models and their shares of the requests."""

from __future__ import annotations

import time
from dataclasses import dataclass

from local.api.sagemaker.listing import page
from local.api.sagemaker.operations import Request, Response
from local.api.sagemaker.production_variants import check_variants
from local.core.arns import resource_key
from local.core.errors import not_implemented, validation_error
from local.records import resources as records
from local.records.kinds import ENDPOINT_CONFIG
from local.storage.objects import S3Uri
from local.storage.store import Store

_NOT_IMPLEMENTED = (
    "AsyncInferenceConfig",
    "ExplainerConfig",
    "ShadowProductionVariants",
    "CrossRegionTrafficConfig",
    "EnableNetworkIsolation",
    "MetricsConfig",
)


@dataclass(frozen=True)
class EndpointConfigOperations:
    """Operations of endpoint configs."""

    store: Store
    region: str

    def create_endpoint_config(self, request: Request) -> Response:
        """Create an endpoint configuration. Its models must exist."""
        name = request["EndpointConfigName"]
        arn = ENDPOINT_CONFIG.arn(self.region, name)
        for member in _NOT_IMPLEMENTED:
            if request.get(member):
                raise not_implemented("sagemaker", f"CreateEndpointConfig with {member}")
        check_variants(self.store, self.region, request)
        if "DataCaptureConfig" in request:
            S3Uri.parse(request["DataCaptureConfig"]["DestinationS3Uri"])
        config = {
            **request,
            "EndpointConfigArn": arn,
            "CreationTime": time.time(),
            "ProductionVariants": [
                {"InitialVariantWeight": 1.0, **variant} for variant in request["ProductionVariants"]
            ],
        }
        config.pop("Tags", None)
        already_exists = validation_error(f'Cannot create already existing endpoint configuration "{arn}".')
        records.add(
            self.store,
            ENDPOINT_CONFIG.name,
            resource_key(name),
            config,
            arn=arn,
            tags=request.get("Tags"),
            already_exists=already_exists,
        )
        return {"EndpointConfigArn": arn}

    def describe_endpoint_config(self, request: Request) -> Response:
        """Describe an endpoint configuration."""
        return records.find(self.store, ENDPOINT_CONFIG, self.region, request["EndpointConfigName"])

    def list_endpoint_configs(self, request: Request) -> Response:
        """List endpoint configurations."""
        configs = self.store.list(ENDPOINT_CONFIG.name)
        return page(request, configs, "EndpointConfigs", resource="EndpointConfig", order="Descending")

    def delete_endpoint_config(self, request: Request) -> Response:
        """Delete an endpoint configuration. Endpoints that use it continue to serve."""
        arn = records.find(self.store, ENDPOINT_CONFIG, self.region, request["EndpointConfigName"])["EndpointConfigArn"]
        records.remove(self.store, ENDPOINT_CONFIG.name, resource_key(arn), arn)
        return {}
