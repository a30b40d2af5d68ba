"""Training jobs that run the user's code, each in a container's replacement of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from local.core.arns import assumed_role
from local.core.outcomes import JobOutcome, failed
from local.runtime.containers import code_paths, user_program
from local.runtime.containers.container import Container, local_path
from local.runtime.containers.isolation import container_of, isolated
from local.runtime.errors import JobFailedError
from local.runtime.jobs import submitted_code, trainer_script, training_inputs, training_outputs
from local.runtime.jobs.failures import exit_code, outcome_of, program_failure
from local.runtime.jobs.training_folder import TrainingFolder
from local.runtime.jobs.training_kinds import OwnCode
from local.runtime.jobs.training_programs import Service, job_variables
from local.runtime.jobs.uploads import ContinuousUpload
from local.runtime.program_output import OutputReader

_LONGEST_FAILURE = 980
"""Characters of a failure file. A FailureReason has at most 1024, with what SageMaker adds."""
_BYTES_PER_CHARACTER = 4
_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class OwnTraining:
    """Runs a job with the user's code."""

    service: Service
    code: OwnCode

    def download(self, job: TrainingFolder) -> None:
        """Create the job's folder with its configuration files, input data and earlier checkpoints."""
        container, objects = self._container(job), self.service.objects
        training_inputs.create(job.record, container)
        training_inputs.note_instances(job.record, job.log)
        if job.record.get("ProfilerRuleConfigurations"):
            job.log.note("ProfilerRuleConfigurations: the rules are not evaluated")
        # Copies instead of links, because a script may write to its input.
        training_inputs.download(job.record, job.root, objects, link=False)
        trainer_script.check(job.root)
        training_outputs.check_checkpoints(job.record, objects)
        if config := job.record.get("CheckpointConfig"):
            folder = _folder(job, config.get("LocalPath") or training_outputs.CHECKPOINTS)
            training_outputs.download_checkpoints(objects, config["S3Uri"], folder)
        if not container.has_own_root:
            submitted_code.unpack(objects, container)
            code_paths.rewrite(container)

    def train(self, jobs: Sequence[TrainingFolder], key: str, most_seconds: float | None) -> None:
        """Run the program to its end, and set the job's ``program_outcome``."""
        (job,) = jobs
        container = self._container(job)
        # A container without a network has no credentials either:
        # https://docs.aws.amazon.com/sagemaker/latest/dg/mkt-algo-model-internet-free.html.
        has_network = not job.record.get("EnableNetworkIsolation")
        with self.service.keys.of_container(assumed_role(job.record["RoleArn"], "SageMaker")) as credentials_path:
            own = user_program.prepare(
                self.service.settings,
                container,
                self.code.runtime,
                self.code.command,
                variables=submitted_code.variables(container) | job_variables(job) | job.record.get("Environment", {}),
                credentials_path=credentials_path if has_network else None,
                note=job.log.note,
            )
            try:
                program = self.service.start(
                    jobs,
                    key,
                    isolated(
                        self.service.settings,
                        container,
                        own.command,
                        self.code.runtime.files,
                        has_network=has_network,
                    ),
                    folder=container.working_folder,
                    environment=own.environment,
                    most_seconds=most_seconds,
                )
            except OSError as error:
                raise JobFailedError(f"AlgorithmError: {self.code.command[0]} cannot be started: {error}") from None
            reader = OutputReader(program, lambda lines: job.take_lines([_logged(line) for line in lines]))
            with ContinuousUpload(self.service.objects, self._continuous(job)):
                status = program.wait()
            last_lines = reader.finish()
        job.program_outcome = self._outcome(job, status, last_lines, time_limit_exceeded=program.time_limit_exceeded)

    def upload(self, job: TrainingFolder) -> JobOutcome:
        """Upload the model and the other output, unless the job has failed, and return the job's outcome.

        SageMaker names a model's artifact even if ``/opt/ml/model`` is empty, and uploads nothing then.
        Source: https://github.com/aws/sagemaker-python-sdk/issues/2762.
        """
        assert job.program_outcome is not None
        objects = self.service.objects
        failure = outcome_of(lambda: self._upload_continuous(job), job.log.write)
        if job.program_outcome.status == "Failed":
            job.log.note(f"a failed job uploads neither model nor output; its folder is kept: {job.root}")
            return job.program_outcome
        if failure:
            return failure
        if training_outputs.has_files(job.root / "model"):
            training_outputs.upload_model(job.record, job.root, objects)
        else:
            job.log.note("/opt/ml/model is empty, so there is no model.tar.gz")
        job.artifact = training_outputs.model_uri(job.record)
        training_outputs.upload_data(job.record, job.root, objects)
        return job.program_outcome

    def _upload_continuous(self, job: TrainingFolder) -> JobOutcome | None:
        for uri, folder in self._continuous(job).items():
            training_outputs.upload_files(self.service.objects, folder, uri)
        return None

    def _container(self, job: TrainingFolder) -> Container:
        return container_of(self.service.settings, job.root)

    def _continuous(self, job: TrainingFolder) -> dict[str, Path]:
        return {uri: _folder(job, place) for uri, place in training_outputs.continuous(job.record).items()}

    def _outcome(
        self, job: TrainingFolder, status: int, last_lines: list[str], *, time_limit_exceeded: bool
    ) -> JobOutcome:
        if time_limit_exceeded:
            return JobOutcome("Stopped", time_limit_exceeded=True)
        if self.service.is_stopping(job):
            return JobOutcome("Stopped")
        if status == 0:
            return JobOutcome("Completed")
        if written := _written_failure(job.root / "output" / "failure"):
            return failed(f"AlgorithmError: {written}, exit code: {exit_code(status)}")
        return failed(program_failure(status, last_lines))


def _logged(line: str) -> str:
    """Return a line as the logs of training jobs have it: a tabulator is ``#011``, which regular expressions expect.

    Sources: the regular expressions of XGBoost's metrics; https://github.com/awslabs/gluonts/pull/810.
    """
    return _CONTROL_CHARACTER.sub(lambda found: f"#{ord(found[0]):03o}", line)


def _folder(job: TrainingFolder, place: str) -> Path:
    path = local_path(place, job.root)
    assert path is not None, "CreateTrainingJob refuses paths outside /opt/ml"
    return path


def _written_failure(file: Path) -> str:
    """Return the beginning of the failure that the program has written; "" if it has not."""
    if not file.is_file():
        return ""
    with file.open("rb") as opened:
        text = opened.read(_LONGEST_FAILURE * _BYTES_PER_CHARACTER).decode(errors="replace")
    return text.strip()[:_LONGEST_FAILURE]
