"""Checks the containers of a model with several.

Sources: https://docs.aws.amazon.com/sagemaker/latest/dg/multi-container-create.html and
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ContainerDefinition.html .
"""

from __future__ import annotations

from typing import Any

from local.core.errors import validation_error


def check_several(request: dict[str, Any]) -> None:
    """Check the host names of a model's containers, and what direct invocation needs.

    Args:
        request: The request of CreateModel.

    Raises:
        ServiceError: ValidationException, the containers cannot be told apart, or direct invocation needs more of them.
    """
    containers = request.get("Containers", [])
    names = [container["ContainerHostname"] for container in containers if "ContainerHostname" in container]
    is_direct = request.get("InferenceExecutionConfig", {}).get("Mode") == "Direct"
    if is_direct and len(containers) < 2:
        raise validation_error("InferenceExecutionConfig: the mode Direct needs more than one container in Containers.")
    if is_direct and len(names) < len(containers):
        raise validation_error(
            "Containers: ContainerHostname is required for each container of a model with direct invocation."
        )
    if names and len(names) < len(containers):
        raise validation_error(
            "Containers: if one container has a ContainerHostname, every container of the pipeline must have one."
        )
    if len(set(names)) < len(names):
        raise validation_error("Containers must have different values of ContainerHostname.")
