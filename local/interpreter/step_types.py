"""The SageMaker resource that each type of step creates, and the operations for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from botocore.model import StructureShape

from local.aws.service_models import service_model
from local.records.kinds import MODEL, MODEL_PACKAGE, PROCESSING_JOB, TRAINING_JOB, TRANSFORM_JOB, TUNING_JOB, Kind


@dataclass(frozen=True)
class ResourceStep:
    """Describes a type of step that creates one resource and waits until it is done.

    Attributes:
        resource: the kind of resource.
        metadata: the member of the step's Metadata for this type.
        stops: whether an operation stops it.
        waits: whether the step waits for it. If not, the resource is done once it exists.
        name_length: the longest name, in characters.
    """

    resource: Kind
    metadata: str
    stops: bool = True
    waits: bool = True
    name_length: int = 63

    @property
    def create(self) -> str:
        """The operation that creates the resource."""
        return f"Create{self.resource.prefix}"

    @property
    def describe(self) -> str:
        """The operation whose response the step's properties are."""
        return f"Describe{self.resource.prefix}"

    @property
    def stop(self) -> str | None:
        """The operation that stops the resource; None if it cannot be stopped."""
        return f"Stop{self.resource.prefix}" if self.stops else None

    @property
    def input_shape(self) -> StructureShape:
        """The input of the operation that creates the resource."""
        shape: StructureShape = _shape(self.create, "input")
        return shape


RESOURCE_STEPS = {
    "Processing": ResourceStep(PROCESSING_JOB, "ProcessingJob"),
    "Training": ResourceStep(TRAINING_JOB, "TrainingJob"),
    "Tuning": ResourceStep(TUNING_JOB, "TuningJob", name_length=32),
    "Transform": ResourceStep(TRANSFORM_JOB, "TransformJob"),
    "Model": ResourceStep(MODEL, "Model", stops=False, waits=False),
    "RegisterModel": ResourceStep(MODEL_PACKAGE, "RegisterModel", stops=False),
}

SUPPORTED_TYPES = (*RESOURCE_STEPS, "Lambda", "Callback", "Condition", "Fail")


@cache
def _shape(operation: str, direction: str) -> Any:
    model = service_model().operation_model(operation)
    return model.input_shape if direction == "input" else model.output_shape
