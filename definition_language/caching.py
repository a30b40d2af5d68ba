"""The cache keys of steps, and checks that they do not differ between executions.

Source: "Default cache key attributes" in the Amazon SageMaker AI Developer Guide, Caching pipeline steps.
"""

from __future__ import annotations

from collections.abc import Iterator

from definition_language.expressions import Json, readable_references
from definition_language.steps import Document

CACHE_KEYS = {
    "Processing": ("AppSpecification", "Environment", "ProcessingInputs"),
    "Training": (
        "AlgorithmSpecification",
        "CheckpointConfig",
        "DebugHookConfig",
        "DebugRuleConfigurations",
        "Environment",
        "HyperParameters",
        "InputDataConfig",
    ),
    "Tuning": (
        "HyperParameterTuningJobConfig",
        "TrainingJobDefinition.AlgorithmSpecification",
        "TrainingJobDefinition.HyperParameterRanges",
        "TrainingJobDefinition.InputDataConfig",
        "TrainingJobDefinition.StaticHyperParameters",
        "TrainingJobDefinition.TuningObjective",
        "TrainingJobDefinitions",
    ),
    "Transform": ("DataProcessing", "Environment", "ModelName", "TransformInput"),
}
"""The arguments in the cache key of each type of step; a dotted path names a part of an argument.
Steps of other types that create a resource are not cached."""


def part(arguments: dict[str, Json], path: str) -> Json:
    """Return the part of a step's arguments at a path of ``CACHE_KEYS``, or None if it does not exist."""
    value: Json = arguments
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def cache_faults(step: Document) -> Iterator[str]:
    """Yield the references that make a step's cache key different in every execution."""
    for path in CACHE_KEYS.get(step["Type"], ()):
        for reference in readable_references(part(step["Arguments"], path)):
            if reference.root == "Execution" and reference.name != "PipelineName":
                yield f"{path} contains {reference}: no later execution would find the step in the cache"
