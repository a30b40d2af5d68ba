"""Finds jobs, and marks them as stopping or ended. Shared by all kinds of jobs."""

from __future__ import annotations

import time
from collections.abc import Iterator

from local.core.errors import validation_error
from local.core.outcomes import JobOutcome
from local.records.kinds import Kind
from local.storage.store import Document, Store


def find_job(store: Store, kind: Kind, name: str) -> Document:
    """Return the record of a job.

    Raises:
        ServiceError: ValidationException, there is no such job.
    """
    record = store.find(kind.name, name)
    if record is None:
        raise validation_error(f"Could not find requested job with name: {name}")
    return record


def unfinished_jobs(store: Store, kind: Kind) -> Iterator[str]:
    """Yield the names of the jobs that have not ended."""
    for record in store.list(kind.name):
        if not kind.has_ended(record):
            yield record[kind.name_member]


def mark_stopping(store: Store, kind: Kind, name: str) -> Document:
    """Mark a job as told to stop; return its record.

    Raises:
        ServiceError: ValidationException, there is no such job, or it has ended.
    """
    with store.transaction():
        record = find_job(store, kind, name)
        if kind.has_ended(record):
            status = record[kind.status_member]
            raise validation_error(f"The request was rejected because the {kind.singular} is in status {status}.")
        change = {kind.status_member: "Stopping", "LastModifiedTime": time.time()}
        return store.update(kind.name, record[kind.name_member], lambda record: record.update(change))


def end_job(record: Document, kind: Kind, outcome: JobOutcome, end_member: str) -> None:
    """Write a job's outcome into its record; a job that was told to stop is Stopped however it ended.

    Args:
        record: the job's, altered in place.
        kind: its kind.
        outcome: how it ended.
        end_member: the member that holds the time of its end, for example ``ProcessingEndTime``.
    """
    stopping = record[kind.status_member] == "Stopping"
    record[kind.status_member] = "Stopped" if stopping else outcome.status
    record[end_member] = record["LastModifiedTime"] = time.time()
    if outcome.reason and not stopping:
        record["FailureReason"] = outcome.reason
