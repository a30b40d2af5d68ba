"""What is part of a step's cache key must not differ between executions.

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
"""By the step's type, the arguments that decide whether an earlier run may be used again; dotted where a part counts.
Steps of other types that create a resource are not cached."""


def part(arguments: dict[str, Json], path: str) -> Json:
    """Return the part of a step's arguments that a path of ``CACHE_KEYS`` names; None where there is none."""
    value: Json = arguments
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def cache_faults(step: Document) -> Iterator[str]:
    """Find what would keep a step that is cached from ever being found in the cache."""
    for path in CACHE_KEYS.get(step["Type"], ()):
        for reference in readable_references(part(step["Arguments"], path)):
            if reference.root == "Execution" and reference.name != "PipelineName":
                yield f"{path} holds {reference}: no later execution would find the step in the cache"
