"""The record of a tuning job, and what its training jobs' records say about it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from local.records import training_jobs as training_record
from local.records.kinds import TUNING_JOB
from local.records.training_jobs import OBJECTIVE
from local.storage.store import Store

if TYPE_CHECKING:
    from local.storage.store import Document

KIND = TUNING_JOB.name
TUNED = "_TunedHyperParameters"
"""The private member of a training job's record that holds the values the search chose."""

_COUNTERS = {"Completed": "Completed", "Failed": "NonRetryableError", "Stopped": "Stopped"}


def training_jobs(store: Store, record: Document) -> list[Document]:
    """Records of a tuning job's training jobs, oldest first."""
    prefix = f"{record['HyperParameterTuningJobName']}-"
    arn = record["HyperParameterTuningJobArn"]
    return [job for job in store.list(training_record.KIND, prefix) if job.get("TuningJobArn") == arn]


def objective(record: Document) -> dict[str, str]:
    """The objective: its ``Type`` and ``MetricName``."""
    chosen: dict[str, str] = record["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    return chosen


def value(job: Document) -> float | None:
    """The objective's final value in a training job's record, or None."""
    metrics = job.get("FinalMetricDataList", [])
    return next((metric["Value"] for metric in metrics if metric["MetricName"] == OBJECTIVE), None)


def summary(record: Document, job: Document) -> dict[str, Any]:
    """A training job as operations on tuning jobs describe it."""
    members = (
        "TrainingJobName",
        "TrainingJobArn",
        "CreationTime",
        "TrainingStartTime",
        "TrainingEndTime",
        "TrainingJobStatus",
        "FailureReason",
    )
    described = {member: job[member] for member in members if member in job}
    described["TunedHyperParameters"] = job[TUNED]
    described["ObjectiveStatus"] = _objective_status(job)
    reached = value(job)
    if reached is not None:
        described["FinalHyperParameterTuningJobObjectiveMetric"] = {
            "MetricName": objective(record)["MetricName"],
            "Value": reached,
        }
    return described


def best(record: Document, jobs: list[Document]) -> Document | None:
    """The training job with the best objective among those that have ended."""
    ended = [job for job in jobs if job["TrainingJobStatus"] in ("Completed", "Stopped") and value(job) is not None]
    sign = 1 if objective(record)["Type"] == "Minimize" else -1
    return min(ended, key=lambda job: sign * (value(job) or 0.0), default=None)


def described(store: Store, record: Document) -> Document:
    """A tuning job with what its training jobs say about it."""
    jobs = training_jobs(store, record)
    statuses = Counter(_COUNTERS.get(job["TrainingJobStatus"], "InProgress") for job in jobs)
    objectives = Counter(_objective_status(job) for job in jobs)
    names = ("Completed", "InProgress", "RetryableError", "NonRetryableError", "Stopped")
    result = record | {
        "TrainingJobStatusCounters": {name: statuses[name] for name in names},
        "ObjectiveStatusCounters": {name: objectives[name] for name in ("Succeeded", "Pending", "Failed")},
    }
    winner = best(record, jobs)
    if winner is not None:
        result["BestTrainingJob"] = summary(record, winner)
    return result


def _objective_status(job: Document) -> str:
    if value(job) is not None:
        return "Succeeded"
    return "Failed" if job["TrainingJobStatus"] in training_record.ENDED else "Pending"
