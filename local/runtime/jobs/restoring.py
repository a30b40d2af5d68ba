"""Repairs what a service that ended while jobs were running has left behind."""

from __future__ import annotations

from local.core.outcomes import failed
from local.records import training_jobs as training_record
from local.records import tuning_jobs as tuning_record
from local.runtime.jobs import processing, transform, tuning
from local.runtime.supervisor import Supervisor
from local.storage.store import Store

_INTERRUPTED = failed("InternalServerError: the local service stopped while the job was running")


def restore(store: Store, supervisor: Supervisor) -> list[str]:
    """Kill programs that an earlier run of the service left behind, and mark its jobs as Failed.

    A job that was told to stop is Stopped.

    Returns:
        What was repaired, a sentence each.
    """
    survivors = supervisor.kill_survivors()
    sentences = [f"Killed programs that interrupted jobs had left running: {survivors}."] if survivors else []
    with store.transaction():
        interrupted = [
            *_processing_jobs(store),
            *_training_jobs(store),
            *_tuning_jobs(store),
            *_transform_jobs(store),
        ]
    if interrupted:
        sentences.append(f"Marked as Failed, as they were interrupted: {', '.join(interrupted)}.")
    return sentences


def _processing_jobs(store: Store) -> list[str]:
    names = [
        record["ProcessingJobName"]
        for record in store.list(processing.KIND)
        if record["ProcessingJobStatus"] in ("InProgress", "Stopping")
    ]
    for name in names:
        processing.finish(store, name, _INTERRUPTED)
    return names


def _training_jobs(store: Store) -> list[str]:
    names = [
        record["TrainingJobName"]
        for record in store.list(training_record.KIND)
        if record["TrainingJobStatus"] in ("InProgress", "Stopping")
    ]
    for name in names:
        store.update(training_record.KIND, name, lambda record: training_record.end(record, _INTERRUPTED, None, []))
    return names


def _tuning_jobs(store: Store) -> list[str]:
    names = [
        record["HyperParameterTuningJobName"]
        for record in store.list(tuning_record.KIND)
        if record["HyperParameterTuningJobStatus"] in ("InProgress", "Stopping")
    ]
    for name in names:
        tuning.finish(store, name, _INTERRUPTED)
    return names


def _transform_jobs(store: Store) -> list[str]:
    names = [
        record["TransformJobName"]
        for record in store.list(transform.KIND)
        if record["TransformJobStatus"] in ("InProgress", "Stopping")
    ]
    for name in names:
        transform.finish(store, name, _INTERRUPTED)
    return names
