"""Runs training jobs: one by itself, or those of a tuning job side by side in one program."""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from local.aws.credentials import KeyRing
from local.core.outcomes import JobOutcome
from local.core.settings import Settings
from local.records import training_jobs as training_record
from local.records.training_jobs import KIND
from local.runtime.jobs.container import environment
from local.runtime.jobs.failures import outcome_of
from local.runtime.jobs.log import TRAINING, JobLog
from local.runtime.jobs.output import OutputReader
from local.runtime.jobs.training_folder import Listener, TrainingFolder, path
from local.runtime.supervisor import Supervisor
from local.storage.log_files import Logs
from local.storage.objects import Objects
from local.storage.store import Store

_REPOSITORY = Path(__file__).parents[3]
_SECONDS_BETWEEN_LOOKS = 0.1


def program_key(name: str) -> str:
    """Return the name under which the supervisor knows the program of a job that runs by itself."""
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

    def run(self, name: str) -> None:
        """Run a job whose record is made, from its download to its end; the record says how it went."""
        self.run_together([name], program_key(name))

    def run_together(
        self,
        names: Sequence[str],
        key: str,
        *,
        most_seconds: float | None = None,
        listener: Listener | None = None,
    ) -> None:
        """Run jobs in one program, which reads the data that they share once.

        Args:
            names: the jobs, whose records are made.
            key: the name under which the supervisor knows the program.
            most_seconds: when to stop it, where that is before the jobs' own limit.
            listener: is told of metrics while the jobs run.
        """
        jobs = [self._folder(name, listener) for name in names]
        self._move_on(jobs, "Downloading")
        for job in jobs:
            job.attempt(job.bring_inputs)
        ready = [job for job in jobs if job.outcome is None]
        if ready:
            self._move_on(ready, "Training")
            failure = outcome_of(lambda: self._train(ready, key, most_seconds), ready[0].log.write)
            self._move_on(ready, "Uploading")
            for job in ready:
                job.outcome = failure
                job.attempt(job.upload_model)
        for job in jobs:
            if job.outcome and job.outcome.status == "Completed":
                shutil.rmtree(job.root, ignore_errors=True)
        with self.store.transaction():
            for job in jobs:
                self.store.update(KIND, job.name, job.write_outcome)

    def _folder(self, name: str, listener: Listener | None) -> TrainingFolder:
        record = self.store.get(KIND, name)
        log = JobLog(self.logs, TRAINING, name)
        return TrainingFolder(record, path(self.settings, name), log, self.objects, listener)

    def _train(self, jobs: Sequence[TrainingFolder], key: str, most_seconds: float | None) -> JobOutcome | None:
        """Run the program to its end; its outcome is in the jobs' folders."""
        with self.keys.of_container() as credentials_path:
            return self._train_with_credentials(jobs, key, most_seconds, credentials_path)

    def _train_with_credentials(
        self, jobs: Sequence[TrainingFolder], key: str, most_seconds: float | None, credentials_path: str
    ) -> JobOutcome | None:
        first = jobs[0]
        # Jobs of one program have one environment between them, in which the first is named.
        variables = {
            "TRAINING_JOB_NAME": first.name,
            "TRAINING_JOB_ARN": first.record["TrainingJobArn"],
            **first.record.get("Environment", {}),
        }
        program = self.supervisor.start(
            key,
            [sys.executable, "-m", "local.algorithms.linear_learner", *(str(job.root) for job in jobs)],
            folder=_REPOSITORY,
            environment=environment(self.settings, first.root, credentials_path, variables),
        )
        # Stop may have come between the record's making and the program's start.
        if all(self.store.get(KIND, job.name)["TrainingJobStatus"] == "Stopping" for job in jobs):
            program.terminate()
        limits = [job.record["StoppingCondition"]["MaxRuntimeInSeconds"] for job in jobs]
        program.limit_time(min(limits) if most_seconds is None else min(*limits, most_seconds))
        # The program writes to its jobs' logs; it says something itself only when it breaks down.
        said: list[str] = []
        reader = OutputReader(program, said.extend)
        ended = threading.Event()
        follower = threading.Thread(target=_follow, args=(jobs, ended), name=f"logs of {key}", daemon=True)
        follower.start()
        try:
            status = program.wait()
        finally:
            ended.set()
            follower.join()
        reader.finish()
        for job in jobs:
            job.program_ended(status, said, time_limit_exceeded=program.time_limit_exceeded)
        return None

    def _move_on(self, jobs: Sequence[TrainingFolder], secondary: str) -> None:
        """Move jobs on to a secondary status; one that is stopping stays so."""
        with self.store.transaction():
            for job in jobs:
                self.store.update(
                    KIND, job.name, lambda record: training_record.enter_unless_stopping(record, secondary)
                )


def _follow(jobs: Sequence[TrainingFolder], ended: threading.Event) -> None:
    """Publish the jobs' logs while they grow, and what is left when they have ended."""
    while not ended.wait(_SECONDS_BETWEEN_LOOKS):
        for job in jobs:
            job.read_log()
    for job in jobs:
        job.read_log(to_end=True)
