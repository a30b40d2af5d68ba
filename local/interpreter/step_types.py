"""The SageMaker resource that each type of step creates, and the operations for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from botocore.model import StructureShape

from local.aws.service_models import service_model


@dataclass(frozen=True)
class ResourceStep:
    """Describes a type of step that creates one resource and waits until it is done.

    Attributes:
        kind: The kind of the resource's record.
        create: The operation that creates the resource.
        describe: The operation that describes the resource. The step's properties are its response.
        stop: The operation that stops the resource; None if it cannot be stopped.
        name_member: The member of requests and descriptions with the resource's name.
        arn_member: The member of the description with the ARN.
        status_member: The member of the description with the status; None if the resource is done once it exists.
        metadata: The member of the step's Metadata for this type.
        name_length: The longest name, in characters.
    """

    kind: str
    create: str
    describe: str
    stop: str | None
    name_member: str
    arn_member: str
    status_member: str | None
    metadata: str
    name_length: int = 63

    @property
    def input_shape(self) -> StructureShape:
        """The input shape of the operation that creates the resource."""
        shape: StructureShape = _shape(self.create, "input")
        return shape


RESOURCE_STEPS = {
    "Processing": ResourceStep(
        kind="processing-job",
        create="CreateProcessingJob",
        describe="DescribeProcessingJob",
        stop="StopProcessingJob",
        name_member="ProcessingJobName",
        arn_member="ProcessingJobArn",
        status_member="ProcessingJobStatus",
        metadata="ProcessingJob",
    ),
    "Training": ResourceStep(
        kind="training-job",
        create="CreateTrainingJob",
        describe="DescribeTrainingJob",
        stop="StopTrainingJob",
        name_member="TrainingJobName",
        arn_member="TrainingJobArn",
        status_member="TrainingJobStatus",
        metadata="TrainingJob",
    ),
    "Tuning": ResourceStep(
        kind="hyper-parameter-tuning-job",
        create="CreateHyperParameterTuningJob",
        describe="DescribeHyperParameterTuningJob",
        stop="StopHyperParameterTuningJob",
        name_member="HyperParameterTuningJobName",
        arn_member="HyperParameterTuningJobArn",
        status_member="HyperParameterTuningJobStatus",
        metadata="TuningJob",
        name_length=32,
    ),
    "Transform": ResourceStep(
        kind="transform-job",
        create="CreateTransformJob",
        describe="DescribeTransformJob",
        stop="StopTransformJob",
        name_member="TransformJobName",
        arn_member="TransformJobArn",
        status_member="TransformJobStatus",
        metadata="TransformJob",
    ),
    "Model": ResourceStep(
        kind="model",
        create="CreateModel",
        describe="DescribeModel",
        stop=None,
        name_member="ModelName",
        arn_member="ModelArn",
        status_member=None,
        metadata="Model",
    ),
    "RegisterModel": ResourceStep(
        kind="model-package",
        create="CreateModelPackage",
        describe="DescribeModelPackage",
        stop=None,
        name_member="ModelPackageName",
        arn_member="ModelPackageArn",
        status_member="ModelPackageStatus",
        metadata="RegisterModel",
    ),
}

SUPPORTED_TYPES = (*RESOURCE_STEPS, "Lambda", "Condition", "Fail")

FINISHED = ("Completed", "Succeeded", "Failed", "Stopped")
"""Final statuses of a resource."""


@cache
def _shape(operation: str, direction: str) -> Any:
    model = service_model().operation_model(operation)
    return model.input_shape if direction == "input" else model.output_shape
