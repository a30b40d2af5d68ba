"""Cleanup of jobs that were running when the service ended."""

from __future__ import annotations

from collections.abc import Callable

from local.core.outcomes import JobOutcome, failed
from local.records import training_jobs
from local.records.jobs import unfinished_jobs
from local.records.kinds import PROCESSING_JOB, TRAINING_JOB, TRANSFORM_JOB, TUNING_JOB, Kind
from local.runtime.jobs import processing, transform, tuning
from local.runtime.supervisor import Supervisor
from local.storage.store import Store

_INTERRUPTED = failed("InternalServerError: the local service stopped while the job was running")


def _finish_training(store: Store, name: str, outcome: JobOutcome) -> None:
    store.update(TRAINING_JOB.name, name, lambda record: training_jobs.end(record, outcome, None, []))


_FINISH: dict[Kind, Callable[[Store, str, JobOutcome], None]] = {
    PROCESSING_JOB: processing.finish,
    TRAINING_JOB: _finish_training,
    TUNING_JOB: tuning.finish,
    TRANSFORM_JOB: transform.finish,
}


def restore(store: Store, supervisor: Supervisor) -> list[str]:
    """Kill programs that an earlier run of the service left behind, and mark its unfinished jobs as Failed.

    A job that was Stopping becomes Stopped.

    Returns:
        One sentence for each kind of repair, for the log.
    """
    survivors = supervisor.kill_survivors()
    sentences = [f"Killed programs that interrupted jobs had left running: {survivors}."] if survivors else []
    with store.transaction():
        interrupted = [(kind, name) for kind in _FINISH for name in unfinished_jobs(store, kind)]
        for kind, name in interrupted:
            _FINISH[kind](store, name, _INTERRUPTED)
    if interrupted:
        names = ", ".join(name for _, name in interrupted)
        sentences.append(f"Marked interrupted jobs as Failed: {names}.")
    return sentences
