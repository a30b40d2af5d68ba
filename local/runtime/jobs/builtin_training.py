"""Training jobs of SageMaker's algorithms. Several jobs of a tuning job share a program, which reads data once."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from local.core.arns import assumed_role
from local.core.outcomes import JobOutcome, failed
from local.core.settings import REPOSITORY
from local.runtime.algorithms import Algorithm, find
from local.runtime.containers.container import Container, environment
from local.runtime.fork_servers import ForkServer
from local.runtime.helper_thread import HelperThread
from local.runtime.jobs import training_inputs, training_outputs
from local.runtime.jobs.failures import program_failure
from local.runtime.jobs.training_folder import TrainingFolder
from local.runtime.jobs.training_programs import Service, job_variables
from local.runtime.program_output import OutputReader
from local.runtime.supervisor import Program, Supervisor

_SECONDS_BETWEEN_LOOKS = 0.1


def prepare(supervisor: Supervisor, image: str) -> None:
    """Import the program of an image's algorithm in the background, before its first job waits for that."""
    algorithm = find(image)
    if algorithm is not None:
        supervisor.prepare(_fork_server(algorithm))


def _fork_server(algorithm: Algorithm) -> ForkServer:
    return ForkServer((sys.executable, "-m"), (algorithm.program,))


@dataclass(frozen=True)
class BuiltinTraining:
    """Runs jobs of one algorithm."""

    service: Service
    algorithm: Algorithm

    def download(self, job: TrainingFolder) -> None:
        """Create a job's folder with its configuration files and input data."""
        training_inputs.create(job.record, Container(job.root, job.root))
        training_inputs.note_instances(job.record, job.log)
        training_outputs.check_checkpoints(job.record, self.service.objects)
        if job.record.get("CheckpointConfig"):
            job.log.note("no checkpoints are written, because local jobs are not interrupted")
        training_inputs.download(job.record, job.root, self.service.objects, link=True)

    def train(self, jobs: Sequence[TrainingFolder], key: str, most_seconds: float | None) -> None:
        """Run the program to its end, and set the jobs' ``program_outcome``."""
        first = jobs[0]
        # The jobs share one environment. It has the name of the first job.
        variables = job_variables(first) | first.record.get("Environment", {})
        server = _fork_server(self.algorithm)
        with self.service.keys.of_container(assumed_role(first.record["RoleArn"], "SageMaker")) as credentials_path:
            program = self.service.start(
                jobs,
                key,
                [*server.command, *(str(job.root) for job in jobs)],
                folder=REPOSITORY,
                environment=environment(self.service.settings, first.root, credentials_path, variables),
                most_seconds=most_seconds,
                server=server,
            )
            # The program writes to the jobs' log files. It has output of its own only when it crashes.
            said: list[str] = []
            reader = OutputReader(program, said.extend)
            status = _wait(program, jobs)
            reader.finish()
        for job in jobs:
            job.log.write(said)
            job.program_outcome = _outcome(job, status, said, time_limit_exceeded=program.time_limit_exceeded)

    def upload(self, job: TrainingFolder) -> JobOutcome:
        """Upload the model, unless the job has failed or has none, and return the job's outcome."""
        assert job.program_outcome is not None
        if job.program_outcome.status != "Failed" and training_outputs.has_files(job.root / "model"):
            training_outputs.upload_model(job.record, job.root, self.service.objects)
            job.artifact = training_outputs.model_uri(job.record)
        return job.program_outcome


def _wait(program: Program, jobs: Sequence[TrainingFolder]) -> int:
    """Publish the jobs' logs until the program has ended, and return its exit status."""
    ended = threading.Event()
    follower = HelperThread(partial(_follow, jobs, ended), f"logs of {program.process}")
    try:
        status = program.wait()
    finally:
        ended.set()
        follower.join()
    follower.finish()
    return status


def _follow(jobs: Sequence[TrainingFolder], ended: threading.Event) -> None:
    """Publish the jobs' logs until the program has ended, and then the rest of the logs."""
    while not ended.wait(_SECONDS_BETWEEN_LOOKS):
        for job in jobs:
            job.read_log()
    for job in jobs:
        job.read_log(to_end=True)


def _outcome(job: TrainingFolder, status: int, said: list[str], *, time_limit_exceeded: bool) -> JobOutcome:
    failure = job.root / "output" / "failure"
    if failure.exists():
        return failed(failure.read_text(errors="replace"))
    if time_limit_exceeded:
        return JobOutcome("Stopped", time_limit_exceeded=True)
    if not training_outputs.has_files(job.root / "model"):
        return failed(program_failure(status, said))
    return JobOutcome("Completed")
