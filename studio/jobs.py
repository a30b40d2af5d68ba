"""Jobs and other resources that steps make: how AWS describes them, and where their logs are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from studio.aws import Aws
from studio.definitions import Document
from studio.faults import PageError


@dataclass(frozen=True)
class Kind:
    """A kind of resource.

    Attributes:
        title: its name for people.
        operation: boto3's method that describes it.
        member: the request's member for its name.
        status: the answer's member for its state; empty if it has none.
        log_group: the log group of its log; empty if it has no log.
    """

    title: str
    operation: str
    member: str
    status: str = ""
    log_group: str = ""


KINDS = {
    "training-job": Kind(
        "Training job", "describe_training_job", "TrainingJobName", "TrainingJobStatus", "/aws/sagemaker/TrainingJobs"
    ),
    "processing-job": Kind(
        "Processing job",
        "describe_processing_job",
        "ProcessingJobName",
        "ProcessingJobStatus",
        "/aws/sagemaker/ProcessingJobs",
    ),
    "transform-job": Kind(
        "Transform job",
        "describe_transform_job",
        "TransformJobName",
        "TransformJobStatus",
        "/aws/sagemaker/TransformJobs",
    ),
    "hyper-parameter-tuning-job": Kind(
        "Tuning job",
        "describe_hyper_parameter_tuning_job",
        "HyperParameterTuningJobName",
        "HyperParameterTuningJobStatus",
    ),
    "model": Kind("Model", "describe_model", "ModelName"),
}
"""The kinds that have a page, by their name in an ARN."""

_INPUTS = ("HyperParameters", "InputDataConfig", "ProcessingInputs", "TransformInput", "Environment")
_OUTPUTS = (
    "FinalMetricDataList",
    "ModelArtifacts",
    "OutputDataConfig",
    "ProcessingOutputConfig",
    "TransformOutput",
    "ExitMessage",
    "BestTrainingJob",
    "TrainingJobStatusCounters",
)


@dataclass(frozen=True)
class Job:
    """A resource that has a page.

    Attributes:
        kind: its kind's name in an ARN.
        name: its name.
        description: what AWS says of it.
    """

    kind: str
    name: str
    description: Document

    @property
    def title(self) -> str:
        """Its kind for people."""
        return KINDS[self.kind].title

    @property
    def status(self) -> str:
        """Its state, or an empty text if its kind has none."""
        return str(self.description.get(KINDS[self.kind].status, ""))

    @property
    def inputs(self) -> Document:
        """What went into it."""
        return {name: self.description[name] for name in _INPUTS if self.description.get(name)}

    @property
    def outputs(self) -> Document:
        """What came out of it."""
        return {name: self.description[name] for name in _OUTPUTS if self.description.get(name)}


def place_of(arn: str) -> tuple[str, str] | None:
    """Return the kind and the name of a resource that has a page, or None for another one."""
    kind, _, name = arn.rpartition(":")[2].partition("/")
    return (kind, name) if kind in KINDS else None


def read_job(aws: Aws, kind: str, name: str) -> Job:
    """Read a resource.

    Raises:
        PageError: Studio has no page for this kind.
    """
    if kind not in KINDS:
        raise PageError("There is no such page", f"Studio has no page for a {kind}.", 404)
    found = getattr(aws.sagemaker, KINDS[kind].operation)(**{KINDS[kind].member: name})
    # An ARN has the name in small letters; the log's streams have it as it was given.
    return Job(
        kind, found[KINDS[kind].member], {key: value for key, value in found.items() if key != "ResponseMetadata"}
    )


def training_jobs(aws: Aws, tuning_job: str) -> list[Any]:
    """Return the training jobs of a tuning job: the best first, those without a result last."""
    sagemaker = aws.sagemaker
    goal = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=tuning_job)
    objective = goal["HyperParameterTuningJobConfig"].get("HyperParameterTuningJobObjective", {})
    sign = -1 if objective.get("Type") == "Maximize" else 1
    pages = sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job")
    answers = pages.paginate(HyperParameterTuningJobName=tuning_job)
    found: list[Any] = [each for answer in answers for each in answer["TrainingJobSummaries"]]

    def rank(job: Any) -> tuple[bool, float]:
        metric = job.get("FinalHyperParameterTuningJobObjectiveMetric")
        return (metric is None, 0.0 if metric is None else sign * metric["Value"])

    return sorted(found, key=rank)
