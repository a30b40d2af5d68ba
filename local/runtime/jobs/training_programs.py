"""What the kinds of programs of training jobs have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from local.aws.credentials import KeyRing
from local.core.outcomes import JobOutcome
from local.core.settings import Settings
from local.records.training_jobs import KIND
from local.runtime.fork_servers import ForkServer
from local.runtime.jobs.training_folder import TrainingFolder
from local.runtime.supervisor import Program, Supervisor
from local.storage.objects import Objects
from local.storage.store import Store


class TrainingProgram(Protocol):
    """A kind of program that takes the place of a training job's container."""

    def download(self, job: TrainingFolder) -> None:
        """Create a job's folder with its configuration files and input data."""

    def train(self, jobs: Sequence[TrainingFolder], key: str, most_seconds: float | None) -> None:
        """Run the program to its end, and set the jobs' ``program_outcome``.

        Args:
            jobs: The jobs. Several only if jobs of this kind can share a program.
            key: The key for the program in the supervisor.
            most_seconds: Seconds after which to stop the program, in addition to the jobs' own time limits.
        """

    def upload(self, job: TrainingFolder) -> JobOutcome:
        """Upload what the program has left, and return the job's outcome."""


@dataclass(frozen=True)
class Service:
    """What the kinds need of the service."""

    store: Store
    settings: Settings
    objects: Objects
    keys: KeyRing
    supervisor: Supervisor

    def start(  # noqa: PLR0913 - what a program is made of
        self,
        jobs: Sequence[TrainingFolder],
        key: str,
        command: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str],
        most_seconds: float | None,
        server: ForkServer | None = None,
    ) -> Program:
        """Start a program for jobs, with their time limit.

        Args:
            jobs: The jobs.
            key: The key for the program in the supervisor.
            command: The program and its arguments.
            folder: Its working directory.
            environment: All of its environment variables.
            most_seconds: Seconds after which to stop the program, in addition to the jobs' own time limits.
            server: The fork server that has imported the program, if there is one.

        Raises:
            OSError: The program cannot be started.
        """
        program = self.supervisor.start(key, command, folder=folder, environment=environment, server=server)
        # StopTrainingJob may have been called before the program had started.
        if all(self.is_stopping(job) for job in jobs):
            program.terminate()
        limits = [job.record["StoppingCondition"]["MaxRuntimeInSeconds"] for job in jobs]
        program.limit_time(min(limits) if most_seconds is None else min(*limits, most_seconds))
        return program

    def is_stopping(self, job: TrainingFolder) -> bool:
        """Return whether StopTrainingJob has been called for a job."""
        status: str = self.store.get(KIND, job.name)["TrainingJobStatus"]
        return status == "Stopping"


def job_variables(job: TrainingFolder) -> dict[str, Any]:
    """Return the environment variables that name a job."""
    return {"TRAINING_JOB_NAME": job.name, "TRAINING_JOB_ARN": job.record["TrainingJobArn"]}
