"""A running training job, and its folder, which replaces ``/opt/ml`` in the container."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING

from local.core.outcomes import JobOutcome
from local.core.settings import Settings
from local.records import training_jobs as training_record
from local.runtime.jobs.failures import outcome_of
from local.runtime.jobs.log import JobLog
from local.runtime.jobs.metrics import Definition, MetricReader, Observer
from local.runtime.lines import LONGEST_LINE, split_long

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
        program_outcome: How the job's program ended, or None while it has not.
        outcome: The job's outcome, or None while the job has not ended.
        artifact: The URI of the job's model, or None while it has none.
    """

    def __init__(
        self,
        record: Document,
        root: Path,
        log: JobLog,
        listener: Listener | None,
        observe: Observer,
    ) -> None:
        self.name: str = record["TrainingJobName"]
        self.record = record
        self.root = root
        self.log = log
        self.program_outcome: JobOutcome | None = None
        self.outcome: JobOutcome | None = None
        self.artifact: str | None = None
        self._listener = listener
        self._read_until = 0
        definitions = self.record["AlgorithmSpecification"].get("MetricDefinitions", [])
        self._metrics = MetricReader((Definition.compile(each["Name"], each["Regex"]) for each in definitions), observe)

    def attempt(self, work: Callable[[], JobOutcome | None]) -> None:
        """Run a part of the job's work unless the job has ended. An error ends the job."""
        if self.outcome is None:
            self.outcome = outcome_of(work, self.log.write)

    def take_lines(self, lines: list[str]) -> None:
        """Publish lines of the program, and read the metrics in them."""
        self.log.write(lines)
        self._metrics.read(lines)
        if self._listener:
            self._listener(self.name, self._metrics)

    def read_log(self, *, to_end: bool = False) -> None:
        """Publish the lines that the program has added to the job's log file since the last call.

        Args:
            to_end: Whether to publish a last line without a line feed too.
        """
        with contextlib.suppress(FileNotFoundError), (self.root / "output" / "log.txt").open("rb") as file:
            while added := self._next_lines(file, to_end=to_end):
                self.take_lines(added.decode(errors="replace").splitlines())

    def write_outcome(self, record: Document) -> None:
        """Write how the job ended into its record."""
        assert self.outcome is not None
        training_record.end(record, self.outcome, self.artifact, self._metrics.final())

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


def path(settings: Settings, name: str) -> Path:
    """Return a job's folder, which replaces ``/opt/ml`` in the container."""
    return settings.jobs / "training" / name
