"""What SageMaker resource each type of step makes, and with which operations."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from botocore.model import StructureShape

from local.aws.service_models import service_model


@dataclass(frozen=True)
class ResourceStep:
    """A type of step that creates one resource and waits until it is done.

    Attributes:
        kind: the resource's kind of record.
        create: the operation that creates it.
        describe: the operation whose response the step's properties are.
        stop: the operation that stops it; None where nothing can.
        name_member: its name in the request and in the description.
        arn_member: its ARN in the description.
        status_member: its state in the description; None where it is done once created.
        metadata: its member of a step's Metadata.
        name_length: the longest name.
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
        """The input of the operation that creates the resource."""
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
"""States in which a resource stays."""


@cache
def _shape(operation: str, direction: str) -> Any:
    model = service_model().operation_model(operation)
    return model.input_shape if direction == "input" else model.output_shape
