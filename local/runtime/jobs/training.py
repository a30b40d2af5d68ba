"""Runs training jobs, each alone or several of a tuning job in one program."""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from local.aws.credentials import KeyRing
from local.core.arns import assumed_role
from local.core.disk import be_patient
from local.core.outcomes import JobOutcome
from local.core.settings import Settings
from local.records import training_jobs as training_record
from local.records.training_jobs import KIND
from local.runtime import algorithms
from local.runtime.containers.container import environment
from local.runtime.jobs.failures import outcome_of
from local.runtime.jobs.log import TRAINING, JobLog
from local.runtime.jobs.output import OutputReader
from local.runtime.jobs.training_folder import Listener, TrainingFolder, path
from local.runtime.metric_names import TRAINING_JOBS
from local.runtime.supervisor import Supervisor
from local.storage.log_files import Logs
from local.storage.metric_points import MetricPoints
from local.storage.objects import Objects
from local.storage.store import Store

_REPOSITORY = Path(__file__).parents[3]
_SECONDS_BETWEEN_LOOKS = 0.1


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
            names: The jobs. Their records exist.
            key: The key for the program in the supervisor.
            most_seconds: Seconds after which to stop the program, in addition to the jobs' own time limits.
            listener: Is called with metrics while the jobs run.
        """
        jobs = [self._folder(name, listener) for name in names]
        self._move_on(jobs, "Downloading")
        for job in jobs:
            job.attempt(job.download_inputs)
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
        self.metrics.write()
        with self.store.transaction():
            for job in jobs:
                self.store.update(KIND, job.name, job.write_outcome)

    def _folder(self, name: str, listener: Listener | None) -> TrainingFolder:
        record = self.store.get(KIND, name)
        log = JobLog(self.logs, TRAINING, name)

        def observe(metric: str, value: float) -> None:
            self.metrics.add(TRAINING_JOBS, {"TrainingJobName": name}, {metric: value})

        return TrainingFolder(record, path(self.settings, name), log, self.objects, listener, observe)

    def _train(self, jobs: Sequence[TrainingFolder], key: str, most_seconds: float | None) -> JobOutcome | None:
        """Run the program to its end.

        Returns:
            None. The program's results are in the jobs' folders.
        """
        with self.keys.of_container(assumed_role(jobs[0].record["RoleArn"], "SageMaker")) as credentials_path:
            return self._train_with_credentials(jobs, key, most_seconds, credentials_path)

    def _train_with_credentials(
        self, jobs: Sequence[TrainingFolder], key: str, most_seconds: float | None, credentials_path: str
    ) -> JobOutcome | None:
        first = jobs[0]
        # The jobs share one environment. It has the name of the first job.
        variables = {
            "TRAINING_JOB_NAME": first.name,
            "TRAINING_JOB_ARN": first.record["TrainingJobArn"],
            **first.record.get("Environment", {}),
        }
        algorithm = algorithms.find(first.record["AlgorithmSpecification"]["TrainingImage"])
        assert algorithm is not None, "download_inputs has refused other images"
        program = self.supervisor.start(
            key,
            [sys.executable, "-m", algorithm.program, *(str(job.root) for job in jobs)],
            folder=_REPOSITORY,
            environment=environment(self.settings, first.root, credentials_path, variables),
        )
        # StopTrainingJob may have been called before the program had started.
        if all(self.store.get(KIND, job.name)["TrainingJobStatus"] == "Stopping" for job in jobs):
            program.terminate()
        limits = [job.record["StoppingCondition"]["MaxRuntimeInSeconds"] for job in jobs]
        program.limit_time(min(limits) if most_seconds is None else min(*limits, most_seconds))
        # The program writes to the jobs' log files. It has output of its own only when it crashes.
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
        """Set the secondary status of jobs. A job that is Stopping does not change."""
        with self.store.transaction():
            for job in jobs:
                self.store.update(
                    KIND, job.name, lambda record: training_record.enter_unless_stopping(record, secondary)
                )


def _follow(jobs: Sequence[TrainingFolder], ended: threading.Event) -> None:
    """Publish the jobs' logs until the program has ended, and then the rest of the logs."""
    be_patient()
    while not ended.wait(_SECONDS_BETWEEN_LOOKS):
        for job in jobs:
            job.read_log()
    for job in jobs:
        job.read_log(to_end=True)
