"""The pipeline's parameters, which a person sets for an execution in Studio's form or in the CLI.

Each has a working default, and an enumeration if only some values make sense.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from pipeline.config.models import Config
from pipeline.definition.parameter_descriptions import limit_name, no_limit
from pipeline.definition.sdk import ParameterFloat, ParameterInteger, ParameterString

_PROCESSING_TYPES = [
    "ml.m5.large",
    "ml.m5.xlarge",
    "ml.m5.2xlarge",
    "ml.m5.4xlarge",
    "ml.m5.12xlarge",
    "ml.r5.4xlarge",
]
_TRAINING_TYPES = [
    "ml.m5.large",
    "ml.m5.xlarge",
    "ml.m5.2xlarge",
    "ml.m5.4xlarge",
    "ml.c5.xlarge",
    "ml.c5.2xlarge",
]
_ENDPOINT_TYPES = ["ml.t2.medium", "ml.m5.large", "ml.m5.xlarge", "ml.c5.large", "ml.c5.xlarge"]
_APPROVALS = ["Approved", "PendingManualApproval", "Rejected"]


@dataclass(frozen=True)
class Parameters:
    """The SDK's parameters; ``parameter_descriptions`` has their meaning."""

    input_data_uri: Any
    data_version: Any
    processing_instance_type: Any
    processing_instance_count: Any
    training_instance_type: Any
    limit: Any
    limit_applies_to: Any
    model_approval_status: Any
    endpoint_name: Any
    endpoint_instance_type: Any
    endpoint_instance_count: Any

    def all(self) -> list[Any]:
        """Return the parameters in the order of Studio's form."""
        return [getattr(self, field.name) for field in fields(self)]


def pipeline_parameters(config: Config, input_data_uri: str) -> Parameters:
    """Return the parameters with their defaults from the configuration.

    Args:
        config: the configuration.
        input_data_uri: the input's default URI.
    """
    folds, tuning, deploy = config.folds, config.tuning, config.deploy
    limit, given = limit_name(config), config.quality.given
    return Parameters(
        input_data_uri=ParameterString("InputDataUri", default_value=input_data_uri),
        data_version=ParameterString("DataVersion", default_value="1"),
        processing_instance_type=_choice("ProcessingInstanceType", folds.instance_type, _PROCESSING_TYPES),
        processing_instance_count=ParameterInteger("ProcessingInstanceCount", default_value=folds.instance_count),
        training_instance_type=_choice("TrainingInstanceType", tuning.instance_type, _TRAINING_TYPES),
        limit=ParameterFloat(limit, default_value=no_limit(config) if given is None else given),
        limit_applies_to=ParameterString(
            f"{limit}AppliesTo",
            default_value=config.quality.applies_to,
            # After a Bayesian search there is no interval.
            enum_values=["Mean"] if tuning.strategy == "Bayesian" else ["Mean", "UpperEnd"],
        ),
        model_approval_status=_choice("ModelApprovalStatus", config.registry.approval_status, _APPROVALS),
        endpoint_name=ParameterString("EndpointName", default_value=deploy.endpoint_name),
        endpoint_instance_type=_choice("EndpointInstanceType", deploy.instance_type, _ENDPOINT_TYPES),
        endpoint_instance_count=ParameterInteger("EndpointInstanceCount", default_value=deploy.instance_count),
    )


def _choice(name: str, default: str, others: list[str]) -> Any:
    values = others if default in others else [default, *others]
    return ParameterString(name, default_value=default, enum_values=values)
