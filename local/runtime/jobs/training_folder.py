"""The folder of a training job, which replaces ``/opt/ml`` in the container."""

from __future__ import annotations

import contextlib
import gzip
import json
import shutil
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from local.core.outcomes import JobOutcome, failed
from local.core.settings import Settings
from local.records import training_jobs as training_record
from local.runtime import algorithms
from local.runtime.errors import JobFailedError
from local.runtime.images import runtimes
from local.runtime.jobs import inputs
from local.runtime.jobs.failures import outcome_of, program_failure
from local.runtime.jobs.log import JobLog
from local.runtime.jobs.metrics import Definition, MetricReader, Observer
from local.runtime.lines import LONGEST_LINE, split_long
from local.storage.objects import Objects, S3Uri

if TYPE_CHECKING:
    from local.storage.store import Document

Listener = Callable[[str, MetricReader], None]
"""Is called with a job's name and its metrics whenever the job's log has grown."""


class TrainingFolder:
    """A running training job and its folder.

    Attributes:
        name: The job's name.
        record: The job's record at the start.
        root: The job's folder.
        log: The job's log stream.
        outcome: The job's outcome, or None while it has not ended.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - a job has all of these
        self,
        record: Document,
        root: Path,
        log: JobLog,
        objects: Objects,
        listener: Listener | None,
        observe: Observer,
    ) -> None:
        self.name: str = record["TrainingJobName"]
        self.record = record
        self.root = root
        self.log = log
        self.outcome: JobOutcome | None = None
        self._objects = objects
        self._listener = listener
        self._artifact: str | None = None
        self._read_until = 0
        self._outcome: JobOutcome | None = None
        definitions = self.record["AlgorithmSpecification"].get("MetricDefinitions", [])
        self._metrics = MetricReader((Definition.compile(each["Name"], each["Regex"]) for each in definitions), observe)

    def attempt(self, work: Callable[[], JobOutcome | None]) -> None:
        """Run a part of the job's work unless the job has ended. An error ends the job."""
        if self.outcome is None:
            self.outcome = outcome_of(work, self.log.write)

    def download_inputs(self) -> None:
        """Create the folder with its configuration files, and fill it with the input data.

        Source: "How Amazon SageMaker Provides Training Information" in SageMaker's developer guide.
        """
        image = self.record["AlgorithmSpecification"]["TrainingImage"]
        if algorithms.find(image) is None:
            raise JobFailedError(runtimes.unsupported(image))
        shutil.rmtree(self.root, ignore_errors=True)
        for folder in ("input/config", "input/data", "model", "output"):
            (self.root / folder).mkdir(parents=True)
        channels = self.record.get("InputDataConfig", [])
        config = self.root / "input" / "config"
        _write(config / "hyperparameters.json", self.record.get("HyperParameters", {}))
        _write(config / "resourceconfig.json", {"current_host": "algo-1", "hosts": ["algo-1"]})
        _write(config / "inputdataconfig.json", {each["ChannelName"]: self._channel(each) for each in channels})
        self._note_differences(channels)
        for channel in channels:
            source = channel["DataSource"]["S3DataSource"]
            files = inputs.find(self._objects, source["S3DataType"], source["S3Uri"])
            inputs.download(self._objects, files, self.root / "input" / "data" / channel["ChannelName"], link=True)

    def read_log(self, *, to_end: bool = False) -> None:
        """Publish the lines that the program has added to the job's log since the last call.

        Args:
            to_end: Whether to publish a last line without a line feed too.
        """
        with contextlib.suppress(FileNotFoundError), (self.root / "output" / "log.txt").open("rb") as file:
            while added := self._next_lines(file, to_end=to_end):
                lines = added.decode(errors="replace").splitlines()
                self.log.write(lines)
                self._metrics.read(lines)
                if self._listener:
                    self._listener(self.name, self._metrics)

    def _next_lines(self, file: IO[bytes], *, to_end: bool) -> bytes:
        """Return whole lines that have been added. A line that is too long for an event comes in pieces.

        So the begin of a line that is being written is read again only up to this length.
        """
        file.seek(self._read_until)
        added = file.read(LONGEST_LINE + 1)
        too_long = len(added) > LONGEST_LINE
        if too_long or not to_end:
            whole = added[: added.rfind(b"\n") + 1]
            added = split_long(added)[0] if too_long and not whole else whole
        self._read_until += len(added)
        return added

    def program_ended(self, status: int, said: Sequence[str], *, time_limit_exceeded: bool) -> None:
        """Determine the job's outcome after the program has ended. ``upload_model`` returns it.

        Args:
            status: The program's exit status.
            said: The program's own output, in lines.
            time_limit_exceeded: Whether the program was stopped because of its time limit.
        """
        self.log.write(list(said))
        failure = self.root / "output" / "failure"
        if failure.exists():
            self._outcome = failed(failure.read_text(errors="replace"))
        elif time_limit_exceeded:
            self._outcome = JobOutcome("Stopped", time_limit_exceeded=True)
        elif not any((self.root / "model").iterdir()):
            self._outcome = failed(program_failure(status, list(said)))
        else:
            self._outcome = JobOutcome("Completed")

    def upload_model(self) -> JobOutcome | None:
        """Upload the model to S3, unless the job has failed or has no model.

        Returns:
            The job's outcome.
        """
        if self._outcome is not None and self._outcome.status != "Failed" and any((self.root / "model").iterdir()):
            target = self.record["OutputDataConfig"]["S3OutputPath"].rstrip("/")
            artifact = f"{target}/{self.name}/output/model.tar.gz"
            if not self._objects.bucket_exists(artifact):
                bucket = S3Uri.parse(artifact).bucket
                raise JobFailedError(f"ClientError: Artifact upload failed:the bucket {bucket} does not exist")
            packed = self.root / "model.tar.gz"
            pack(self.root / "model", packed)
            self._objects.put(artifact, packed)
            self._artifact = artifact
        return self._outcome

    def write_outcome(self, record: Document) -> None:
        """Write how the job ended into its record."""
        assert self.outcome is not None
        training_record.end(record, self.outcome, self._artifact, self._metrics.final())

    def _channel(self, channel: dict[str, Any]) -> dict[str, str]:
        mode = self.record["AlgorithmSpecification"]["TrainingInputMode"]
        distribution = channel["DataSource"]["S3DataSource"].get("S3DataDistributionType", "FullyReplicated")
        return {
            "ContentType": channel.get("ContentType", ""),
            "TrainingInputMode": channel.get("InputMode", mode),
            "S3DistributionType": distribution,
            "RecordWrapperType": channel.get("RecordWrapperType", "None"),
            "CompressionType": channel.get("CompressionType", "None"),
        }

    def _note_differences(self, channels: list[dict[str, Any]]) -> None:
        count = self.record.get("ResourceConfig", {}).get("InstanceCount", 1)
        if count > 1:
            self.log.note(f"running on one machine instead of {count} instances")
            if any(self._channel(channel)["S3DistributionType"] == "ShardedByS3Key" for channel in channels):
                self.log.note("the machine reads all data instead of one shard (ShardedByS3Key)")
        if self.record.get("CheckpointConfig"):
            self.log.note("no checkpoints are written, because local jobs are not interrupted")


def path(settings: Settings, name: str) -> Path:
    """Return a job's folder, which replaces ``/opt/ml`` in the container."""
    return settings.jobs / "training" / name


def pack(folder: Path, target: Path) -> None:
    """Write the files of a folder to a ``model.tar.gz``. The same files give the same bytes.

    Args:
        folder: The folder of the model.
        target: The archive to write.
    """

    def anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.mtime, member.uid, member.gid, member.uname, member.gname = 0, 0, 0, "", ""
        return member

    with (
        target.open("wb") as file,
        gzip.GzipFile("", "wb", fileobj=file, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as archive,
    ):
        for member in sorted(folder.iterdir()):
            archive.add(member, member.name, filter=anonymous)


def _write(file: Path, content: dict[str, Any]) -> None:
    file.write_text(json.dumps(content))
