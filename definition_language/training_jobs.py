"""Finds what SageMaker refuses about a training job although each member fits its shape.

Source, where a rule names no other:
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from definition_language.expressions import is_expression

LONGEST_RUNTIME = 28 * 24 * 60 * 60
"""Seconds. Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StoppingCondition.html"""

_PROFILING_INTERVALS = (100, 200, 500, 1000, 5000, 60000)
"""Milliseconds. Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProfilerConfig.html"""

_HOMOGENEOUS = ("InstanceType", "InstanceCount")


def training_job_faults(definition: Mapping[str, Any]) -> Iterator[str]:
    """Yield the faults of a training job. A value that is an expression has none.

    Args:
        definition: The request of CreateTrainingJob, or the TrainingJobDefinition of a tuning job. It fits its shape.
    """
    yield from _stopping_faults(definition)
    yield from _algorithm_faults(_object(definition, "AlgorithmSpecification"))
    yield from _resource_faults(_object(definition, "ResourceConfig"), "InstanceGroups")
    yield from _resource_faults(_object(definition, "HyperParameterTuningResourceConfig"), "InstanceConfigs")
    interval = _object(definition, "ProfilerConfig").get("ProfilingIntervalInMilliseconds")
    if isinstance(interval, int) and interval not in _PROFILING_INTERVALS:
        available = ", ".join(map(str, _PROFILING_INTERVALS))
        yield f"Invalid ProfilingIntervalInMilliseconds {interval}. Available values are {available}"


def _stopping_faults(definition: Mapping[str, Any]) -> Iterator[str]:
    """Yield faults of the times.

    Sources: https://github.com/aws/sagemaker-python-sdk/issues/4140,
    https://docs.aws.amazon.com/sagemaker/latest/dg/model-managed-spot-training.html
    """
    condition = definition.get("StoppingCondition", {})
    if not isinstance(condition, dict) or is_expression(condition):
        return
    most, wait = condition.get("MaxRuntimeInSeconds"), condition.get("MaxWaitTimeInSeconds")
    if isinstance(most, int) and most > LONGEST_RUNTIME:
        yield f"Invalid MaxRuntimeInSeconds {most}. The maximum value is 28 days ({LONGEST_RUNTIME} seconds)"
    spot = definition.get("EnableManagedSpotTraining", False)
    if spot is False and wait is not None:
        yield "Invalid MaxWaitTimeInSeconds. It is only supported when EnableManagedSpotTraining is set to true"
    too_short = isinstance(wait, int) and isinstance(most, int) and wait < most
    if spot is True and (wait is None or too_short):
        at_least = "It must be present and be greater than or equal to MaxRuntimeInSeconds"
        yield f"Invalid MaxWaitTimeInSeconds. {at_least} when EnableManagedSpotTraining is set to true"


def _algorithm_faults(specification: Mapping[str, Any]) -> Iterator[str]:
    if "AlgorithmName" in specification and "TrainingImage" in specification:
        yield "AlgorithmSpecification: AlgorithmName and TrainingImage are mutually exclusive"


def _resource_faults(resources: Mapping[str, Any], several: str) -> Iterator[str]:
    """Yield faults of the instances.

    Source: https://github.com/aws/sagemaker-python-sdk/pull/5564

    Args:
        resources: The job's resources.
        several: The member that names instances of different types.
    """
    if not resources:
        return
    if resources.get(several):
        if any(name in resources for name in _HOMOGENEOUS):
            yield f"InstanceType or InstanceCount cannot be specified with {several}"
    elif not all(resources.get(name) for name in _HOMOGENEOUS):
        yield f"InstanceType and InstanceCount are required without {several}"


def _object(definition: Mapping[str, Any], member: str) -> Mapping[str, Any]:
    value = definition.get(member)
    return value if isinstance(value, dict) and not is_expression(value) else {}
