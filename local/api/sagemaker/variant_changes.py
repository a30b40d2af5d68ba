"""The changes that UpdateEndpointWeightsAndCapacities makes to an endpoint's production variants."""

from __future__ import annotations

from local.api.sagemaker.production_variants import check_concurrency
from local.core.errors import validation_error
from local.storage.store import Document

_MEMBERS = ("DesiredWeight", "DesiredInstanceCount", "ServerlessUpdateConfig")


def change_variants(endpoint: Document, wanted: list[Document]) -> None:
    """Set the desired weights and capacities of an endpoint's variants.

    Args:
        endpoint: its record, altered in place.
        wanted: the request's ``DesiredWeightsAndCapacities``.

    Raises:
        ServiceError: ValidationException, because a variant is named twice or does not exist, nothing is to change, the
            capacity is of the other kind or out of range, or no variant would get requests.
    """
    variants = {variant["VariantName"]: variant for variant in endpoint["ProductionVariants"]}
    names = [item["VariantName"] for item in wanted]
    for name in names:
        if name not in variants:
            raise validation_error(f'Endpoint "{endpoint["EndpointArn"]}" has no production variant {name}.')
        if names.count(name) > 1:
            raise validation_error(f"DesiredWeightsAndCapacities must name production variant {name} only once.")
    for item in wanted:
        _change(variants[item["VariantName"]], item)
    if not any(variant["DesiredWeight"] > 0 for variant in variants.values()):
        raise validation_error("At least one production variant must have a weight greater than 0.")


def _change(variant: Document, wanted: Document) -> None:
    name, has_instances = variant["VariantName"], "DesiredInstanceCount" in variant
    if not any(member in wanted for member in _MEMBERS):
        raise validation_error(f"Production variant {name} must have one of {', '.join(_MEMBERS)}.")
    other = "ServerlessUpdateConfig" if has_instances else "DesiredInstanceCount"
    if other in wanted:
        kind = "instances" if has_instances else "a ServerlessConfig"
        raise validation_error(f"Production variant {name} has {kind}: {other} does not apply.")
    if wanted.get("DesiredInstanceCount") == 0:
        # https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-zero-instances.html
        raise validation_error(
            f"DesiredInstanceCount of production variant {name} must be at least 1: only inference components and "
            "asynchronous endpoints scale to zero."
        )
    for member in ("DesiredWeight", "DesiredInstanceCount"):
        if member in wanted:
            variant[member] = wanted[member]
    if "ServerlessUpdateConfig" in wanted:
        changed = variant["DesiredServerlessConfig"] | wanted["ServerlessUpdateConfig"]
        check_concurrency(name, changed)
        variant["DesiredServerlessConfig"] = changed
