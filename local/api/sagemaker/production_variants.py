"""Checks of an endpoint configuration's production variants: their names, models, instances and serverless settings."""

from __future__ import annotations

from local.api.sagemaker.operations import Request
from local.core.errors import not_implemented, validation_error
from local.records import resources as records
from local.records.kinds import MODEL
from local.records.models import containers
from local.storage.store import Document, Store

_MEGABYTES_OF_MEMORY = (1024, 2048, 3072, 4096, 5120, 6144)
_OF_INSTANCES = ("InstanceType", "InstancePools", "InitialInstanceCount", "VolumeSizeInGB", "RoutingConfig")
"""Members about instances, which a serverless variant does not have."""
_NOT_IMPLEMENTED = ("CoreDumpConfig", "EnableSSMAccess")


def check_variants(store: Store, region: str, request: Request) -> None:
    """Check the production variants of a CreateEndpointConfig request. Their models must exist.

    Raises:
        ServiceError: ValidationException, or NotImplementedException for inference components.
    """
    variants = request["ProductionVariants"]
    if len({variant["VariantName"] for variant in variants}) < len(variants):
        raise validation_error("Production variants must have different names.")
    for variant in variants:
        if "ModelName" not in variant:
            raise not_implemented("sagemaker", "CreateEndpointConfig for inference components (no ModelName)")
        model = records.find(store, MODEL, region, variant["ModelName"])
        _check_members(variant)
        if "ServerlessConfig" in variant:
            _check_serverless(variant)
            _check_exclusions(request, variant["VariantName"], model)
        elif "InstanceType" not in variant and "InstancePools" not in variant:
            raise validation_error(
                f"Production variant {variant['VariantName']} must have either an InstanceType or a ServerlessConfig."
            )
    if len(variants) > 1 and not any(variant.get("InitialVariantWeight", 1.0) > 0 for variant in variants):
        raise validation_error("At least one production variant must have a weight greater than 0.")


def check_concurrency(name: str, config: Document) -> None:
    """Refuse more provisioned concurrency than a serverless variant's maximum.

    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariantServerlessConfig.html

    Args:
        name: the production variant's name.
        config: its ``ServerlessConfig``.
    """
    provisioned, most = config.get("ProvisionedConcurrency", 0), config["MaxConcurrency"]
    if provisioned > most:
        raise validation_error(
            f"ProvisionedConcurrency {provisioned} of the ServerlessConfig of production variant {name} must be less "
            f"than or equal to MaxConcurrency {most}."
        )


def _check_members(variant: Document) -> None:
    """Refuse members that AWS refuses here, and those that would have no effect.

    Sources: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariant.html and
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariantRoutingConfig.html
    """
    for member in _NOT_IMPLEMENTED:
        if variant.get(member):
            raise not_implemented("sagemaker", f"CreateEndpointConfig with {member}")
    if any("ModelNameOverride" in pool for pool in variant.get("InstancePools", ())):
        raise not_implemented("sagemaker", "CreateEndpointConfig with ModelNameOverride")
    if "AcceleratorType" in variant:
        raise validation_error("AcceleratorType is no longer supported: Elastic Inference is no longer available.")
    if "ManagedInstanceScaling" in variant:
        # The words are AWS's: https://github.com/hashicorp/terraform-provider-aws/pull/45926
        raise validation_error("ManagedInstanceScaling is only supported for inference component endpoints.")
    routing = variant.get("RoutingConfig", {})
    if ("PrefixAwareRoutingConfig" in routing) != (routing.get("RoutingStrategy") == "PREFIX_AWARE"):
        raise validation_error("PrefixAwareRoutingConfig is required for, and only for, RoutingStrategy PREFIX_AWARE.")


def _check_serverless(variant: Document) -> None:
    name, config = variant["VariantName"], variant["ServerlessConfig"]
    for member in _OF_INSTANCES:
        if member in variant:
            raise validation_error(
                f"Production variant {name} must have either an InstanceType or a ServerlessConfig: {member} is for "
                "instances."
            )
    if config["MemorySizeInMB"] not in _MEGABYTES_OF_MEMORY:
        raise validation_error(
            f"MemorySizeInMB {config['MemorySizeInMB']} of the ServerlessConfig of production variant {name} must be "
            f"one of {', '.join(map(str, _MEGABYTES_OF_MEMORY))}."
        )
    check_concurrency(name, config)


def _check_exclusions(request: Request, name: str, model: Document) -> None:
    """Refuse the features that serverless endpoints do not have.

    Source: "Feature exclusions", https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html
    """
    excluded = {
        "multiple production variants": len(request["ProductionVariants"]) > 1,
        "data capture (DataCaptureConfig)": _captures(request),
        "a VpcConfig": "VpcConfig" in request or "VpcConfig" in model,
        "network isolation (EnableNetworkIsolation)": model.get("EnableNetworkIsolation"),
        "inference pipelines (models with several containers)": len(containers(model)) > 1,
    }
    for feature, is_used in excluded.items():
        if is_used:
            raise validation_error(
                f"Serverless endpoints do not support {feature}: production variant {name} has a ServerlessConfig."
            )


def _captures(request: Request) -> bool:
    capture = request.get("DataCaptureConfig")
    return capture is not None and capture.get("EnableCapture", True)
