"""The record of a training job, and how its status moves on."""

from __future__ import annotations

import math
import time
from typing import Any

from local.algorithms.linear_learner.metrics import METRIC_DEFINITIONS
from local.api.sagemaker.operations import Request
from local.core.arns import sagemaker_arn
from local.core.settings import Settings
from local.runtime.jobs import images
from local.runtime.jobs.endings import Ending
from local.runtime.jobs.metrics import OBJECTIVE
from local.storage.store import Document

KIND = "training-job"
ENDED = ("Completed", "Failed", "Stopped")
_DEFAULT_MAX_RUNTIME = 86400

_MESSAGES = {
    "Starting": "Starting the training job",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopping": "Stopping the training job",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
}


def new(settings: Settings, request: Request, objective: str | None = None) -> Document:
    """The record of a job that is about to start.

    Args:
        settings: the service's settings.
        request: the members of CreateTrainingJob.
        objective: the objective of the tuning job that the job belongs to.
    """
    record = {member: value for member, value in request.items() if member != "Tags"} | {
        "TrainingJobArn": sagemaker_arn(settings.region, KIND, request["TrainingJobName"]),
        "TrainingJobStatus": "InProgress",
        "CreationTime": time.time(),
        "SecondaryStatusTransitions": [],
        "AlgorithmSpecification": with_metrics(request["AlgorithmSpecification"], objective),
    }
    record["StoppingCondition"] = {"MaxRuntimeInSeconds": _DEFAULT_MAX_RUNTIME} | request.get("StoppingCondition", {})
    enter(record, "Starting")
    return record


def enter(record: Document, secondary: str) -> None:
    """Move a job on to its next secondary status."""
    now = time.time()
    transitions: list[dict[str, Any]] = record["SecondaryStatusTransitions"]
    if transitions:
        transitions[-1]["EndTime"] = now
    transitions.append({"Status": secondary, "StartTime": now, "StatusMessage": _MESSAGES[secondary]})
    record["SecondaryStatus"] = secondary
    record["LastModifiedTime"] = now
    if secondary == "Downloading":
        record["TrainingStartTime"] = now


def enter_unless_stopping(record: Document, secondary: str) -> None:
    """Move a job on, unless it has been told to stop."""
    if record["TrainingJobStatus"] != "Stopping":
        enter(record, secondary)


def stop(record: Document) -> None:
    """Mark a job as told to stop."""
    record["TrainingJobStatus"] = "Stopping"
    enter(record, "Stopping")


def stop_if_running(record: Document) -> None:
    """Mark a job as told to stop unless it has ended or been told before."""
    if record["TrainingJobStatus"] == "InProgress":
        stop(record)


def end(record: Document, ending: Ending, artifact: str | None, metrics: list[dict[str, object]]) -> None:
    """Write a job's ending into its record; a job that was told to stop is Stopped however it ended."""
    stopping = record["TrainingJobStatus"] == "Stopping"
    record["TrainingJobStatus"] = "Stopped" if stopping else ending.status
    secondary = record["TrainingJobStatus"]
    enter(record, "MaxRuntimeExceeded" if ending.time_limit_exceeded and not stopping else secondary)
    now = record["TrainingEndTime"] = record["LastModifiedTime"]
    record["SecondaryStatusTransitions"][-1]["EndTime"] = now
    seconds = math.ceil(now - record["TrainingStartTime"]) if "TrainingStartTime" in record else 0
    record["TrainingTimeInSeconds"] = record["BillableTimeInSeconds"] = seconds
    if record["TrainingJobStatus"] == "Failed":
        record["FailureReason"] = ending.reason
        record["SecondaryStatusTransitions"][-1]["StatusMessage"] = ending.reason
    if artifact:
        record["ModelArtifacts"] = {"S3ModelArtifacts": artifact}
    if metrics:
        record["FinalMetricDataList"] = metrics


def with_metrics(algorithm: dict[str, Any], objective: str | None) -> dict[str, Any]:
    """An AlgorithmSpecification with the metrics that SageMaker knows of its own algorithm.

    Args:
        algorithm: as a request has it.
        objective: the objective of a tuning job, which its training jobs report under one more name.
    """
    if images.algorithm_runtime(algorithm.get("TrainingImage", "")) is None:
        return algorithm
    known = list(METRIC_DEFINITIONS)
    if objective:
        known += [(OBJECTIVE, regex) for name, regex in METRIC_DEFINITIONS if name == objective]
    definitions = [{"Name": name, "Regex": regex} for name, regex in known]
    return algorithm | {"MetricDefinitions": definitions, "EnableSageMakerMetricsTimeSeries": True}
