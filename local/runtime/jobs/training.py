"""Runs training jobs, each alone or several of a tuning job in one program."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass

from local.aws.credentials import KeyRing
from local.core.settings import Settings
from local.records import training_jobs as training_record
from local.records.training_jobs import KIND
from local.runtime.algorithms import Algorithm
from local.runtime.jobs import training_kinds
from local.runtime.jobs.builtin_training import BuiltinTraining
from local.runtime.jobs.failures import outcome_of
from local.runtime.jobs.log import TRAINING, JobLog
from local.runtime.jobs.own_training import OwnTraining
from local.runtime.jobs.training_folder import Listener, TrainingFolder, path
from local.runtime.jobs.training_programs import Service, TrainingProgram
from local.runtime.metric_names import TRAINING_JOBS
from local.runtime.supervisor import Supervisor
from local.storage.log_files import Logs
from local.storage.metric_points import MetricPoints
from local.storage.objects import Objects
from local.storage.store import Store


def program_key(name: str) -> str:
    """Return the key in the supervisor for the program of a job that runs alone."""
    return f"{KIND}/{name}"


@dataclass(frozen=True)
class TrainingRunner:
    """Runs training jobs."""

    store: Store
    settings: Settings
    objects: Objects
    logs: Logs
    keys: KeyRing
    supervisor: Supervisor
    metrics: MetricPoints

    def run(self, name: str) -> None:
        """Run a job whose record exists, and write the outcome to the record."""
        self.run_together([name], program_key(name))

    def run_together(
        self,
        names: Sequence[str],
        key: str,
        *,
        most_seconds: float | None = None,
        listener: Listener | None = None,
    ) -> None:
        """Run jobs in one program, which reads shared data only once, and write the outcomes to their records.

        Args:
            names: The jobs. Their records exist. Jobs that run the user's code run alone.
            key: The key for the program in the supervisor.
            most_seconds: Seconds after which to stop the program, in addition to the jobs' own time limits.
            listener: Is called with metrics while the jobs run.
        """
        jobs = [self._folder(name, listener) for name in names]
        self._move_on(jobs, "Downloading")
        for job in jobs:
            job.attempt(lambda job=job: self._program(job).download(job))  # type: ignore[misc]
        ready = [job for job in jobs if job.outcome is None]
        if ready:
            self._move_on(ready, "Training")
            program = self._program(ready[0])
            failure = outcome_of(lambda: program.train(ready, key, most_seconds), ready[0].log.write)
            self._move_on(ready, "Uploading")
            for job in ready:
                job.outcome = failure
                job.attempt(lambda job=job: program.upload(job))  # type: ignore[misc]
        for job in jobs:
            if job.outcome and job.outcome.status == "Completed":
                shutil.rmtree(job.root, ignore_errors=True)
        self.metrics.write()
        with self.store.transaction():
            for job in jobs:
                self.store.update(KIND, job.name, job.write_outcome)

    def _folder(self, name: str, listener: Listener | None) -> TrainingFolder:
        record = self.store.get(KIND, name)
        log = JobLog(self.logs, TRAINING, name)

        def observe(metric: str, value: float) -> None:
            self.metrics.add(TRAINING_JOBS, {"TrainingJobName": name}, {metric: value})

        return TrainingFolder(record, path(self.settings, name), log, listener, observe)

    def _program(self, job: TrainingFolder) -> TrainingProgram:
        """Return the kind of a job's program.

        Raises:
            JobFailedError: the service has nothing in place of the job's image.
        """
        service = Service(self.store, self.settings, self.objects, self.keys, self.supervisor)
        found = training_kinds.find(self.settings, job.record)
        return BuiltinTraining(service, found) if isinstance(found, Algorithm) else OwnTraining(service, found)

    def _move_on(self, jobs: Sequence[TrainingFolder], secondary: str) -> None:
        """Set the secondary status of jobs. A job that is Stopping does not change."""
        with self.store.transaction():
            for job in jobs:
                self.store.update(
                    KIND, job.name, lambda record: training_record.enter_unless_stopping(record, secondary)
                )
