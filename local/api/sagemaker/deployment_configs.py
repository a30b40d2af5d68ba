"""Checks of a ``DeploymentConfig``, which says how an update moves requests to the new models.

Sources: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeploymentConfig.html and the pages that it
links to.
"""

from __future__ import annotations

from local.core.errors import validation_error
from local.storage.store import Document

_SIZE_OF_TYPE = {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}
_PERCENT = {"CanarySize": (1, 50), "LinearStepSize": (10, 50), "MaximumBatchSize": (5, 50)}
"""The least and the largest percentage of a variant's instances."""


def check_deployment_config(config: Document) -> None:
    """Check the update policy of a deployment configuration.

    Raises:
        ServiceError: ValidationException, because there are two policies, or the size of the policy's steps is missing
            or out of range.
    """
    if "BlueGreenUpdatePolicy" in config and "RollingUpdatePolicy" in config:
        raise validation_error(
            "Only one update policy should be used in the DeploymentConfig: BlueGreenUpdatePolicy or "
            "RollingUpdatePolicy."
        )
    routing = config.get("BlueGreenUpdatePolicy", {}).get("TrafficRoutingConfiguration", {})
    size = _SIZE_OF_TYPE.get(routing.get("Type"))
    if size is not None and size not in routing:
        raise validation_error(f"A TrafficRoutingConfiguration of Type {routing['Type']} must have a {size}.")
    for member, value in {**routing, **config.get("RollingUpdatePolicy", {})}.items():
        if member in _PERCENT and value["Type"] == "CAPACITY_PERCENT":
            least, most = _PERCENT[member]
            if not least <= value["Value"] <= most:
                raise validation_error(f"The {member} must be {least} to {most} percent, not {value['Value']}.")
