"""Runs processing jobs."""

from __future__ import annotations

import codecs
import json
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.aws.credentials import KeyRing
from local.core.arns import assumed_role
from local.core.outcomes import JobOutcome, failed
from local.core.settings import Settings
from local.records.jobs import end_job
from local.records.kinds import PROCESSING_JOB
from local.runtime.containers import code_paths, find_program, job_python, user_program
from local.runtime.containers.container import local_path
from local.runtime.containers.isolation import container_of, isolated
from local.runtime.errors import JobFailedError
from local.runtime.images import runtimes, table
from local.runtime.jobs import inputs, log, programs, spark, spark_hints
from local.runtime.jobs.failures import outcome_of, program_failure
from local.runtime.jobs.uploads import ContinuousUpload, upload
from local.runtime.program_output import OutputReader
from local.runtime.supervisor import Supervisor
from local.storage.log_files import Logs
from local.storage.objects import Objects
from local.storage.store import Store

if TYPE_CHECKING:
    from local.runtime.images.runtimes import ImageRuntime
    from local.storage.store import Document

KIND = PROCESSING_JOB.name
_LONGEST_MESSAGE = 1024
_BYTES_PER_CHARACTER = 4


def program_key(name: str) -> str:
    """Return the key of a job's program in the supervisor."""
    return f"{KIND}/{name}"


def folder(settings: Settings, name: str) -> Path:
    """Return a job's folder, which replaces ``/opt/ml`` in the container."""
    return settings.jobs / "processing" / name


@dataclass(frozen=True)
class ProcessingRunner:
    """Runs processing jobs."""

    store: Store
    settings: Settings
    objects: Objects
    logs: Logs
    keys: KeyRing
    supervisor: Supervisor

    def run(self, name: str) -> None:
        """Run a job whose record exists, and write the outcome to the record."""
        job = _Job(self, name)
        outcome = outcome_of(job.run, job.log.write)
        if outcome.status == "Completed":
            shutil.rmtree(job.root, ignore_errors=True)
        finish(self.store, name, outcome)


def finish(store: Store, name: str, outcome: JobOutcome) -> None:
    """Write a job's outcome to its record. A job that is Stopping becomes Stopped, whatever the outcome."""

    def change(record: Document) -> None:
        end_job(record, PROCESSING_JOB, outcome, "ProcessingEndTime")
        if outcome.message:
            record["ExitMessage"] = outcome.message

    store.update(KIND, name, change)


class _Job:
    """A running job."""

    def __init__(self, runner: ProcessingRunner, name: str) -> None:
        self._runner = runner
        self.name = name
        self.root = folder(self._runner.settings, name)
        self.log = log.JobLog(self._runner.logs, log.PROCESSING, name)
        self._record = self._runner.store.get(KIND, name)
        application = self._record["AppSpecification"]
        self._image: str = application["ImageUri"]
        self._container = container_of(runner.settings, self.root)
        self._has_network = not self._record.get("NetworkConfig", {}).get("EnableNetworkIsolation", False)
        self._runtime: ImageRuntime | None = None
        self._command_line: list[str] = []

    def run(self) -> JobOutcome:
        """Download the inputs, run the program, upload the outputs, and return the outcome."""
        kind = self._read_image()
        self._create_folders()
        self._download_inputs()
        if not self._container.has_own_root:
            code_paths.rewrite(self._container)
        with self._runner.keys.of_container(assumed_role(self._record["RoleArn"], "SageMaker")) as credentials_path:
            if kind is programs.Runtime.SPARK:
                command, variables = self._spark_program(credentials_path)
            else:
                command, variables = self._script_program(credentials_path)
            status, last_lines, time_limit_exceeded = self._run_program(command, variables)
        if status != 0 and kind is programs.Runtime.SPARK:
            self._write_spark_message(status, last_lines)
        for output in self._outputs():
            upload(self._runner.objects, self._local(output), output["S3Uri"])
        message = self._exit_message()
        if time_limit_exceeded:
            reason = "Processing job runtime exceeded MaxRuntimeInSeconds provided"
            return JobOutcome("Stopped", reason, message)
        if status != 0:
            return failed(program_failure(status, last_lines), message)
        return JobOutcome("Completed", message=message)

    def _read_image(self) -> programs.Runtime:
        """Find out what takes the image's place, and the command line.

        Raises:
            JobFailedError: nothing does.
        """
        application = self._record["AppSpecification"]
        self._runtime = runtimes.find(self._runner.settings, self._image)
        of_image = self._runtime.entrypoint if self._runtime else ()
        entrypoint = application.get("ContainerEntrypoint") or list(of_image)
        kind = programs.kind_of(self._image, entrypoint, self._runtime)
        if kind is None:
            raise JobFailedError(runtimes.unsupported(self._image, entrypoint))
        if kind is programs.Runtime.SPARK and not self._has_network:
            raise JobFailedError(
                "ClientError: EnableNetworkIsolation: not implemented by the local service for Spark, which reads S3 "
                "without a network here"
            )
        self._command_line = self._container.map_paths([*entrypoint, *application.get("ContainerArguments", [])])
        return kind

    def _create_folders(self) -> None:
        """Create the folders and configuration files that the container has.

        Source: "How Amazon SageMaker Processing Configures Input and Output For Your Processing Container" and
        "... Your Processing Container's Configuration" in SageMaker's developer guide.
        """
        shutil.rmtree(self.root, ignore_errors=True)
        config = self.root / "config"
        config.mkdir(parents=True)
        (self.root / "output").mkdir()
        for output in self._outputs():
            self._local(output).mkdir(parents=True, exist_ok=True)
        members = (
            "ProcessingJobArn",
            "ProcessingJobName",
            "AppSpecification",
            "Environment",
            "ProcessingInputs",
            "ProcessingOutputConfig",
            "ProcessingResources",
            "RoleArn",
            "StoppingCondition",
        )
        job = {member: self._record[member] for member in members if member in self._record}
        resources = {"current_host": "algo-1", "hosts": ["algo-1"]}
        (config / "processingjobconfig.json").write_text(json.dumps(self._container.map_paths(job)))
        (config / "resourceconfig.json").write_text(json.dumps(resources))

    def _download_inputs(self) -> None:
        for given in self._record.get("ProcessingInputs", []):
            if given.get("AppManaged"):
                continue
            source = given["S3Input"]
            files = inputs.find(self._runner.objects, source["S3DataType"], source["S3Uri"])
            # Copies instead of links, because a script may write to its input.
            inputs.download(self._runner.objects, files, self._local(source), link=False)

    def _spark_program(self, credentials_path: str) -> tuple[list[str], dict[str, str]]:
        arguments = self._command_line[1:]
        python = str(self._container.seen / job_python.PROGRAM)
        own = {
            "PATH": user_program.python_path(self._container, sys.executable),
            "PYSPARK_PYTHON": python,
            "PYSPARK_DRIVER_PYTHON": python,
        }
        spark.check_input(self._runner.objects, arguments)
        size = spark.input_size(self._runner.objects, arguments, self.root / "processing" / "input")
        program = spark.prepare(
            self._runner.settings,
            self._container,
            arguments,
            credentials_path=credentials_path,
            own_environment=own | table.variables(self._image) | self._record.get("Environment", {}),
            input_bytes=size,
            log=self.log,
        )
        return program.command, program.environment

    def _script_program(self, credentials_path: str) -> tuple[list[str], dict[str, str]]:
        assert self._runtime is not None, "every script has a runtime"
        program = user_program.prepare(
            self._runner.settings,
            self._container,
            self._runtime,
            self._command_line,
            variables=self._record.get("Environment", {}),
            # A container without a network has no credentials either.
            credentials_path=credentials_path if self._has_network else None,
            note=self.log.note,
            code=find_program.script_files(self._container, self._command_line),
            toolkit=False,
        )
        return program.command, program.environment

    def _run_program(self, command: list[str], variables: dict[str, str]) -> tuple[int, list[str], bool]:
        resources = self._record["ProcessingResources"]["ClusterConfig"]
        if resources.get("InstanceCount", 1) > 1:
            self.log.note(f"running on one machine instead of {resources['InstanceCount']} instances")
        now = time.time()
        self._runner.store.update(
            KIND, self.name, lambda record: record.update(ProcessingStartTime=now, LastModifiedTime=now)
        )
        continuous = {
            output["S3Uri"]: self._local(output) for output in self._outputs() if output["S3UploadMode"] == "Continuous"
        }
        program = self._runner.supervisor.start(
            program_key(self.name),
            self._isolated(command),
            folder=self._container.working_folder,
            environment=variables,
        )
        # StopProcessingJob may have been called before the program had started.
        if self._runner.store.get(KIND, self.name)["ProcessingJobStatus"] == "Stopping":
            program.terminate()
        program.limit_time(self._record["StoppingCondition"]["MaxRuntimeInSeconds"])
        reader = OutputReader(program, self.log.write)
        with ContinuousUpload(self._runner.objects, continuous):
            status = program.wait()
        return status, reader.finish(), program.time_limit_exceeded

    def _isolated(self, command: list[str]) -> list[str]:
        settings = self._runner.settings
        if self._runtime is None:
            return isolated(settings, self._container, command, sees_buckets=True)
        return isolated(settings, self._container, command, self._runtime.files, has_network=self._has_network)

    def _write_spark_message(self, status: int, last_lines: list[str]) -> None:
        for hint in spark_hints.hints(last_lines):
            self.log.note(hint)
            last_lines.append(hint)
        application = self._record["AppSpecification"]
        arguments = [*application["ContainerEntrypoint"][1:], *application.get("ContainerArguments", [])]
        # Overwrites any message of the application, as smspark-submit does.
        (self.root / "output" / "message").write_text(spark.failure_message(status, arguments))

    def _exit_message(self) -> str | None:
        """Return the first 1024 characters of ``/opt/ml/output/message``, or None if the file is absent or empty."""
        try:
            with (self.root / "output" / "message").open("rb") as file:
                begin = file.read(_LONGEST_MESSAGE * _BYTES_PER_CHARACTER)
            # An incremental decoder ignores a last character that the read has cut.
            return codecs.getincrementaldecoder("utf-8")().decode(begin)[:_LONGEST_MESSAGE] or None
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            raise JobFailedError("ClientError: /opt/ml/output/message is not UTF-8 text") from None

    def _outputs(self) -> list[dict[str, Any]]:
        config = self._record.get("ProcessingOutputConfig", {})
        return [output["S3Output"] for output in config.get("Outputs", []) if not output.get("AppManaged")]

    def _local(self, place: dict[str, Any]) -> Path:
        path = local_path(place["LocalPath"], self.root)
        assert path is not None, "CreateProcessingJob refuses paths outside /opt/ml"
        return path
