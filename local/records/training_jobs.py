"""The record of a training job, and the changes of its status."""

from __future__ import annotations

import math
import time
from typing import Any

from local.core.arns import sagemaker_arn
from local.core.outcomes import JobOutcome
from local.records.kinds import TRAINING_JOB
from local.storage.store import Document

KIND = TRAINING_JOB.name
OBJECTIVE = "ObjectiveMetric"
"""The metric that holds a tuning job's objective in its training jobs."""
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


def new(region: str, request: Document) -> Document:
    """Return the record of a new job.

    Args:
        region: The service's region.
        request: The members of CreateTrainingJob.
    """
    record = {member: value for member, value in request.items() if member != "Tags"} | {
        "TrainingJobArn": sagemaker_arn(region, KIND, request["TrainingJobName"]),
        "TrainingJobStatus": "InProgress",
        "CreationTime": time.time(),
        "SecondaryStatusTransitions": [],
    }
    record["StoppingCondition"] = {"MaxRuntimeInSeconds": _DEFAULT_MAX_RUNTIME} | request.get("StoppingCondition", {})
    enter(record, "Starting")
    return record


def enter(record: Document, secondary: str) -> None:
    """Set a job's secondary status, and record the transition."""
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
    """Set a job's secondary status, unless the job is being stopped."""
    if record["TrainingJobStatus"] != "Stopping":
        enter(record, secondary)


def stop(record: Document) -> None:
    """Mark a job as Stopping."""
    record["TrainingJobStatus"] = "Stopping"
    enter(record, "Stopping")


def stop_if_running(record: Document) -> None:
    """Mark a job as Stopping, unless it has ended or is already Stopping."""
    if record["TrainingJobStatus"] == "InProgress":
        stop(record)


def end(record: Document, outcome: JobOutcome, artifact: str | None, metrics: list[dict[str, object]]) -> None:
    """Write a job's outcome into its record. A job that was Stopping becomes Stopped, whatever its outcome.

    Args:
        record: The job's record, which is changed.
        outcome: How the job ended.
        artifact: The S3 URI of the model; None if the job made no model.
        metrics: The job's FinalMetricDataList.
    """
    stopping = record["TrainingJobStatus"] == "Stopping"
    record["TrainingJobStatus"] = "Stopped" if stopping else outcome.status
    secondary = record["TrainingJobStatus"]
    enter(record, "MaxRuntimeExceeded" if outcome.time_limit_exceeded and not stopping else secondary)
    now = record["TrainingEndTime"] = record["LastModifiedTime"]
    record["SecondaryStatusTransitions"][-1]["EndTime"] = now
    seconds = math.ceil(now - record["TrainingStartTime"]) if "TrainingStartTime" in record else 0
    record["TrainingTimeInSeconds"] = record["BillableTimeInSeconds"] = seconds
    if record["TrainingJobStatus"] == "Failed":
        record["FailureReason"] = outcome.reason
        record["SecondaryStatusTransitions"][-1]["StatusMessage"] = outcome.reason
    if artifact:
        record["ModelArtifacts"] = {"S3ModelArtifacts": artifact}
    if metrics:
        record["FinalMetricDataList"] = metrics
