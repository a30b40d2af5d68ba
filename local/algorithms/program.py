"""What the algorithms' training programs share: their end by SIGTERM, and failures that end one job only."""

import logging
import signal
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

from local.algorithms.errors import AlgorithmError, ClientError

STOPPED = 128 + signal.SIGTERM
"""The exit code after SIGTERM."""


class _Log(Protocol):
    def write(self, *messages: str, level: int = ...) -> None:
        """Write messages, one per line."""


class FailingJob(Protocol):
    """A job that can fail."""

    @property
    def log(self) -> _Log:
        """The job's log."""

    def fail(self, error: Exception) -> None:
        """Write why the job failed."""


class StopRequest:
    """Tells whether the process has received SIGTERM."""

    def __init__(self) -> None:
        self.received = False
        signal.signal(signal.SIGTERM, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.received = True

    def __call__(self) -> bool:
        """Return whether SIGTERM has been received."""
        return self.received


@contextmanager
def failures_reported(jobs: Sequence[FailingJob]) -> Iterator[None]:
    """Turn an error into the failure of the given jobs. The caller continues with other jobs."""
    try:
        yield
    except Exception as error:  # bugs included, so that no job ends without a reason
        for job in jobs:
            if not isinstance(error, ClientError | AlgorithmError):
                job.log.write(*traceback.format_exc().splitlines(), level=logging.ERROR)
            job.fail(error)
