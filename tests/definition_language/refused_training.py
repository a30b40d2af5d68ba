"""Training jobs that SageMaker refuses although each member fits its shape."""

from __future__ import annotations

from typing import Any

CLUSTER = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 30}
GROUP = {"InstanceGroupName": "a", "InstanceCount": 1, "InstanceType": "ml.m5.large"}
_TOO_SHORT = "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds"
_NO_INSTANCES = "InstanceType and InstanceCount are required without"


def _spot(most: int, wait: int | None) -> dict[str, Any]:
    wait_time = {} if wait is None else {"MaxWaitTimeInSeconds": wait}
    return {
        "EnableManagedSpotTraining": True,
        "StoppingCondition": {"MaxRuntimeInSeconds": most} | wait_time,
    }


REFUSED: list[tuple[dict[str, Any], str]] = [
    (
        {"StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60}},
        "Invalid MaxWaitTimeInSeconds. It is only supported when EnableManagedSpotTraining is set to true",
    ),
    (_spot(60, None), _TOO_SHORT),
    (_spot(60, 59), _TOO_SHORT),
    ({"StoppingCondition": {"MaxRuntimeInSeconds": 2_419_201}}, "Invalid MaxRuntimeInSeconds 2419201"),
    ({"ResourceConfig": {"VolumeSizeInGB": 30}}, _NO_INSTANCES),
    ({"ResourceConfig": CLUSTER | {"InstanceCount": 0}}, _NO_INSTANCES),
    ({"ResourceConfig": {"InstanceCount": 1, "VolumeSizeInGB": 30}}, _NO_INSTANCES),
    (
        {"ResourceConfig": CLUSTER | {"InstanceGroups": [GROUP]}},
        "InstanceType or InstanceCount cannot be specified with InstanceGroups",
    ),
    (
        {"AlgorithmSpecification": {"AlgorithmName": "a", "TrainingImage": "b", "TrainingInputMode": "File"}},
        "AlgorithmName and TrainingImage are mutually exclusive",
    ),
]
"""Changes to a good request of CreateTrainingJob or to a good TrainingJobDefinition, and what the refusal says."""

REFUSED_PROFILER = (
    {"ProfilerConfig": {"ProfilingIntervalInMilliseconds": 123}},
    "Invalid ProfilingIntervalInMilliseconds 123. Available values are 100, 200, 500, 1000, 5000, 60000",
)
"""Only CreateTrainingJob has this member."""

ACCEPTED: list[dict[str, Any]] = [
    _spot(60, 60),
    {"StoppingCondition": {"MaxRuntimeInSeconds": 2_419_200}},
    {"EnableManagedSpotTraining": False},
    {"ResourceConfig": {"InstanceGroups": [GROUP], "VolumeSizeInGB": 30}},
    {"ResourceConfig": {"Get": "Parameters.Cluster"}},
    {"ResourceConfig": CLUSTER | {"InstanceCount": {"Get": "Parameters.Count"}}},
    {"EnableManagedSpotTraining": {"Get": "Parameters.Spot"}, "StoppingCondition": {"MaxWaitTimeInSeconds": 60}},
    {"StoppingCondition": {"MaxRuntimeInSeconds": {"Get": "Parameters.Most"}}},
]
"""Changes that have no fault, or none that is known before the expressions have values."""
