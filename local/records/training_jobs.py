"""The record of a training job, and how its status moves on."""

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
"""The metric by which a training job reports its tuning job's objective."""
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


def new(region: str, request: Document) -> Document:
    """The record of a job that is about to start.

    Args:
        region: the service's region.
        request: the members of CreateTrainingJob.
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


def end(record: Document, ending: JobOutcome, artifact: str | None, metrics: list[dict[str, object]]) -> None:
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
