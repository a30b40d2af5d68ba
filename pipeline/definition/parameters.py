"""The pipeline's parameters, which a person sets for an execution in Studio's form or in the CLI.

Each has a working default, and an enumeration if only some values make sense. A definition cannot describe its
parameters, so ``described`` adds their descriptions to the pipeline's.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from pipeline.config.models import Config
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

NO_LIMIT = 1e300
"""The default of MaxMse without a limit. A parameter without a default would have to be given each time."""

_BEFORE = {
    "InputDataUri": "CSV file, or prefix of CSV files, to learn from.",
    "DataVersion": "A new text (letters, digits, _.:/=+-@) makes the folds anew when data changed under the same URI.",
    "ProcessingInstanceType": "Instances that make the folds.",
    "ProcessingInstanceCount": "How many of them; more than one is a Spark cluster.",
    "TrainingInstanceType": "Instance of each training job.",
}
_OF_LIMIT = {
    "": "The model is rejected when its cross-validated {metric} is {beyond} this; {none:g} is no limit.",
    "AppliesTo": "What must be {within} {name}: Mean, the estimate, or UpperEnd, its interval's {end} end.",
}
_AFTER = {
    "ModelApprovalStatus": "Approved deploys at once; PendingManualApproval waits for a person.",
    "EndpointName": "Endpoint to create or to update.",
    "EndpointInstanceType": "Instance that serves the endpoint, billed while it exists.",
    "EndpointInstanceCount": "How many of them.",
}


@dataclass(frozen=True)
class Parameters:
    """The SDK's parameters; see ``descriptions`` for their meaning."""

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


def limit_name(config: Config) -> str:
    """Return the name of the parameter for the limit. ``<name>AppliesTo`` is the other one's."""
    return "MaxMse" if config.task.metric == "mse" else "QualityLimit"


def no_limit(config: Config) -> float:
    """Return the limit that every model keeps."""
    return NO_LIMIT if config.direction == "Minimize" else -NO_LIMIT


def descriptions(config: Config) -> dict[str, str]:
    """Return the parameters' meanings by their names, in the order of Studio's form."""
    name, minimizes = limit_name(config), config.direction == "Minimize"
    words = {
        "metric": "mean squared error" if name == "MaxMse" else config.task.metric,
        "name": name,
        "none": no_limit(config),
        "beyond": "above" if minimizes else "below",
        "within": "at most" if minimizes else "at least",
        "end": "upper" if minimizes else "lower",
    }
    of_limit = {f"{name}{suffix}": text.format(**words) for suffix, text in _OF_LIMIT.items()}
    return {**_BEFORE, **of_limit, **_AFTER}


def described(config: Config) -> str:
    """Return the pipeline's description with its parameters, on one line.

    SageMaker refuses a PipelineDescription with line breaks: its pattern is ``.*``.
    Source: https://github.com/aws/sagemaker-python-sdk/issues/4776
    """
    parameters = " | ".join(f"{name}: {text}" for name, text in descriptions(config).items())
    return " ".join(f"{config.pipeline.description} Parameters: {parameters}".split())


def _choice(name: str, default: str, others: list[str]) -> Any:
    values = others if default in others else [default, *others]
    return ParameterString(name, default_value=default, enum_values=values)
