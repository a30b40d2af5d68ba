"""Runs batch transform jobs, which send the objects of their input to a model."""

from __future__ import annotations

import gzip
import tempfile
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from local.algorithms.errors import InferenceError
from local.core.outcomes import JobOutcome, failed
from local.core.paths import below
from local.core.settings import Settings
from local.records.jobs import end_job
from local.records.kinds import TRANSFORM_JOB
from local.runtime.algorithms import Model
from local.runtime.errors import JobFailedError
from local.runtime.jobs import inputs, log
from local.runtime.jobs.failures import outcome_of
from local.runtime.jobs.record_filters import RecordError, RecordProcessing
from local.runtime.jobs.transform_model import DEFAULT_PAYLOAD_MEGABYTES, ModelOpener
from local.runtime.jobs.uploads import upload
from local.runtime.models.servers import ModelServers
from local.storage.log_files import Logs
from local.storage.objects import Objects
from local.storage.store import Store

if TYPE_CHECKING:
    from local.storage.store import Document

KIND = TRANSFORM_JOB.name


@dataclass(frozen=True)
class TransformRunner:
    """Runs batch transform jobs."""

    store: Store
    settings: Settings
    objects: Objects
    logs: Logs
    servers: ModelServers

    def run(self, name: str) -> None:
        """Run a job whose record exists, and write the outcome to the record."""
        now = time.time()
        record = self.store.update(KIND, name, lambda record: record.update(TransformStartTime=now))
        job_log = log.JobLog(self.logs, log.TRANSFORM, name)
        finish(self.store, name, outcome_of(_Transform(self, record, job_log).run, job_log.write))


def finish(store: Store, name: str, outcome: JobOutcome) -> None:
    """Write a job's outcome to its record. A job that is Stopping becomes Stopped, whatever the outcome."""
    store.update(KIND, name, lambda record: end_job(record, TRANSFORM_JOB, outcome, "TransformEndTime"))


class _StoppedError(Exception):
    """The job was told to stop."""


class _Transform:
    """A running job."""

    def __init__(self, runner: TransformRunner, record: Document, job_log: log.JobLog) -> None:
        self._runner = runner
        self._record = record
        self._log = job_log
        self._input: dict[str, Any] = record["TransformInput"]
        self._output: dict[str, Any] = record["TransformOutput"]
        self._processing = RecordProcessing.of(record)
        self._models = ModelOpener(runner.store, runner.settings, runner.objects, runner.servers)

    def run(self) -> JobOutcome:
        """Transform each object, upload the outputs, and return the outcome.

        If some objects fail, the outputs of the others are uploaded, and the job fails. A stopped job uploads nothing.
        Source: "Batch Transform" in SageMaker's developer guide.
        """
        source = self._input["DataSource"]["S3DataSource"]
        files = inputs.find(self._runner.objects, source["S3DataType"], source["S3Uri"])
        with tempfile.TemporaryDirectory(dir=self._made_folder()) as name:
            try:
                with self._models.open(self._record, self._log.write, self._end_if_stopping) as model:
                    faults = self._transform_all(model, files, Path(name))
            except _StoppedError:
                return JobOutcome("Stopped")
            upload(self._runner.objects, Path(name), self._output["S3OutputPath"])
        return failed(faults[0]) if faults else JobOutcome("Completed")

    def _transform_all(self, model: Model, files: list[inputs.InputFile], folder: Path) -> list[str]:
        """Write the outputs to a folder, and return why the other objects failed."""
        faults = []
        for file in files:
            output = below(folder, f"{file.place}.out")
            output.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._transform(model, file, output)
                self._log.note(f"transformed {file.uri}")
            except JobFailedError as fault:
                output.unlink(missing_ok=True)
                self._log.write([str(fault)])
                faults.append(str(fault))
        self._end_if_stopping()
        return faults

    def _made_folder(self) -> Path:
        folder = self._runner.settings.jobs / "transform"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _transform(self, model: Model, file: inputs.InputFile, output: Path) -> None:
        source = self._runner.objects.path(file.uri)
        gzipped = self._input.get("CompressionType") == "Gzip"
        accept, content_type = self._output.get("Accept", ""), self._input.get("ContentType", "")
        separator = b"\n" if self._output.get("AssembleWith") == "Line" else b""
        try:
            with _opened(source, gzipped=gzipped) as content, output.open("wb") as answers:
                for number, records in enumerate(self._payloads(content, file.uri), start=1):
                    self._end_if_stopping()
                    try:
                        answer, _ = model.invoke(self._processing.model_input(records), content_type, accept)
                        result = self._processing.output(records, answer)
                    except InferenceError as error:
                        raise JobFailedError(
                            f"ClientError: {file.uri}, request {number}: received error ({error.status}) from the "
                            f"model: {error}"
                        ) from None
                    except RecordError as error:
                        raise JobFailedError(f"ClientError: {file.uri}, request {number}: {error}") from None
                    answers.write(result.rstrip(separator) + separator)
        except (gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise JobFailedError(f"ClientError: {file.uri} is not compressed with gzip: {error}") from None

    def _payloads(self, content: IO[bytes], uri: str) -> Iterator[bytes]:
        """Split an object into the bodies of requests to the model.

        "Exceeding the MaxPayloadInMB limit causes an error": a record, or an object that is not split, must fit.
        Source: https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-errors.html

        Raises:
            JobFailedError: A record, or the whole object, is larger than MaxPayloadInMB.
        """
        megabytes: int = self._record.get("MaxPayloadInMB", DEFAULT_PAYLOAD_MEGABYTES)
        most = megabytes * 1024**2

        def fitting(payload: bytes) -> bytes:
            if len(payload) > most:
                raise JobFailedError(
                    f"ClientError: {uri}: Too much data for max payload size: MaxPayloadInMB is {megabytes}"
                )
            return payload

        if self._input.get("SplitType", "None") == "None":
            yield fitting(content.read(most + 1))
            return
        single = self._record.get("BatchStrategy") == "SingleRecord"
        batch: list[bytes] = []
        size = 0
        for line in map(fitting, _lines(content, most + 1)):
            if batch and (single or size + len(line) > most):
                yield b"".join(batch)
                batch, size = [], 0
            batch.append(line)
            size += len(line)
        if batch:
            yield b"".join(batch)

    def _end_if_stopping(self) -> None:
        record = self._runner.store.get(KIND, self._record["TransformJobName"])
        if record["TransformJobStatus"] == "Stopping":
            raise _StoppedError


def _opened(path: Path, *, gzipped: bool) -> IO[bytes]:
    return gzip.open(path) if gzipped else path.open("rb")  # type: ignore[return-value]


def _lines(content: IO[bytes], longest: int) -> Iterator[bytes]:
    """Yield non-blank lines with their line breaks. A line longer than ``longest`` bytes is split."""
    while line := content.readline(longest):
        if line.strip():
            yield line
