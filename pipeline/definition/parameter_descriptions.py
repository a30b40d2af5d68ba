"""What the pipeline's parameters mean. A definition cannot say it, so it is added to the pipeline's description."""

from __future__ import annotations

from pipeline.config.models import Config

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
