"""The record of a tuning job, and its summary of the training jobs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from local.records import training_jobs as training_record
from local.records.kinds import TRAINING_JOB, TUNING_JOB
from local.records.training_jobs import OBJECTIVE
from local.storage.store import Store

if TYPE_CHECKING:
    from local.storage.store import Document

KIND = TUNING_JOB.name
TUNED = "_TunedHyperParameters"
"""Private member of a training job's record: the hyperparameter values that the search chose."""

_COUNTERS = {"Completed": "Completed", "Failed": "NonRetryableError", "Stopped": "Stopped"}


def training_jobs(store: Store, record: Document) -> list[Document]:
    """Return the records of a tuning job's training jobs, oldest first."""
    prefix = f"{record['HyperParameterTuningJobName']}-"
    arn = record["HyperParameterTuningJobArn"]
    return [job for job in store.list(training_record.KIND, prefix) if job.get("TuningJobArn") == arn]


def objective(record: Document) -> dict[str, str]:
    """Return a tuning job's objective, with ``Type`` and ``MetricName``."""
    chosen: dict[str, str] = record["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    return chosen


def value(job: Document) -> float | None:
    """Return the objective's final value from a training job's record, or None if there is none."""
    metrics = job.get("FinalMetricDataList", [])
    return next((metric["Value"] for metric in metrics if metric["MetricName"] == OBJECTIVE), None)


def summary(record: Document, job: Document) -> dict[str, Any]:
    """Return the summary of a training job that operations on tuning jobs return."""
    members = (
        "TrainingJobName",
        "TrainingJobArn",
        "CreationTime",
        "TrainingStartTime",
        "TrainingEndTime",
        "TrainingJobStatus",
        "FailureReason",
    )
    result = {member: job[member] for member in members if member in job}
    result["TunedHyperParameters"] = job[TUNED]
    result["ObjectiveStatus"] = _objective_status(job)
    final_value = value(job)
    if final_value is not None:
        result["FinalHyperParameterTuningJobObjectiveMetric"] = {
            "MetricName": objective(record)["MetricName"],
            "Value": final_value,
        }
    return result


def best(record: Document, jobs: list[Document]) -> Document | None:
    """Return the ended training job with the best objective, or None if no ended job has an objective."""
    ended = [job for job in jobs if job["TrainingJobStatus"] in ("Completed", "Stopped") and value(job) is not None]
    sign = 1 if objective(record)["Type"] == "Minimize" else -1
    return min(ended, key=lambda job: sign * (value(job) or 0.0), default=None)


def described(store: Store, record: Document) -> Document:
    """Return a tuning job's record with counts of its training jobs and with the best training job."""
    jobs = training_jobs(store, record)
    statuses = Counter(_COUNTERS.get(job["TrainingJobStatus"], "InProgress") for job in jobs)
    objectives = Counter(_objective_status(job) for job in jobs)
    names = ("Completed", "InProgress", "RetryableError", "NonRetryableError", "Stopped")
    result = record | {
        "TrainingJobStatusCounters": {name: statuses[name] for name in names},
        "ObjectiveStatusCounters": {name: objectives[name] for name in ("Succeeded", "Pending", "Failed")},
    }
    result["ConsumedResources"] = {"RuntimeInSeconds": sum(job.get("TrainingTimeInSeconds", 0) for job in jobs)}
    winner = best(record, jobs)
    if winner is not None:
        result["BestTrainingJob"] = summary(record, winner)
    return result


def _objective_status(job: Document) -> str:
    if value(job) is not None:
        return "Succeeded"
    return "Failed" if TRAINING_JOB.has_ended(job) else "Pending"
