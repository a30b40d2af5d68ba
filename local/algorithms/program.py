"""What the algorithms' training programs share: their arguments, their end by SIGTERM, and failures of single jobs."""

import logging
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Protocol, TypeVar

from local.algorithms.errors import AlgorithmError, ClientError

STOPPED = 128 + signal.SIGTERM
"""The exit code after SIGTERM."""


class _Log(Protocol):
    def write(self, *messages: str, level: int = ...) -> None:
        """Write messages, one per line."""

    def close(self) -> None:
        """Close the log."""


class FailingJob(Protocol):
    """A job that can fail."""

    failed: bool

    @property
    def log(self) -> _Log:
        """The job's log."""

    def fail(self, error: Exception) -> None:
        """Write why the job failed."""


Job = TypeVar("Job", bound=FailingJob)


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


def run(
    name: str,
    arguments: Sequence[str],
    make_job: Callable[[Path], Job],
    train: Callable[[list[Job], StopRequest], None],
) -> int:
    """Train the jobs in the given ``/opt/ml`` folders.

    Args:
        name: The program's module, for messages.
        arguments: The folders.
        make_job: Returns the job of a folder.
        train: Trains the jobs. It writes a job's failure to the job's own folder.

    Returns:
        The exit code: 0 if all jobs have a model, 1 if a job failed, 2 if an argument is not a folder, 143 after
        SIGTERM.
    """
    missing = [argument for argument in arguments if not Path(argument).is_dir()]
    if missing or not arguments:
        print(f"usage: python -m {name} ROOT [ROOT ...]", file=sys.stderr)
        for argument in missing:
            print(f"{argument} is not a folder", file=sys.stderr)
        return 2
    stop = StopRequest()
    jobs = [make_job(Path(argument)) for argument in arguments]
    train(jobs, stop)
    for job in jobs:
        job.log.close()
    if stop.received:
        return STOPPED
    return 1 if any(job.failed for job in jobs) else 0


def by_input(jobs: Iterable[Job], input_of: Callable[[Job], object]) -> list[list[Job]]:
    """Divide jobs into groups with the same input.

    Args:
        jobs: The jobs. A job whose input cannot be found fails, and is in no group.
        input_of: Returns a key of a job's input.
    """
    groups: dict[object, list[Job]] = {}
    for job in jobs:
        with failures_reported([job]):
            groups.setdefault(input_of(job), []).append(job)
    return list(groups.values())
