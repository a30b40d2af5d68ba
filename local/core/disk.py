"""What happens when the disk with the service's data is full.

A request fails at once with the error ``InsufficientStorage``. The background threads of jobs, executions and
endpoints have nobody to answer to. They are patient: they keep what they must write in memory until there is room.
"""

from __future__ import annotations

import errno
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from local.core.errors import ServiceError

_ERRNOS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# SQLite reports a full disk as SQLITE_FULL, but a quota, a limit of a file's size and a full disk under its
# shared-memory file as errors of input and output.
_SQLITE_CODES = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE)
_SECONDS_BETWEEN = 0.5
NO_SPACE = "no space is left on the disk that holds the local service's state: free some and try again"

T = TypeVar("T")
_thread = threading.local()


def is_full(error: BaseException) -> bool:
    """Return whether an error says that there is no room on the disk, or that a quota is used up."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", None) in _SQLITE_CODES
    return isinstance(error, OSError) and error.errno in _ERRNOS


def insufficient_storage(message: str = NO_SPACE) -> ServiceError:
    """Return the error for a request that cannot be carried out on a full disk."""
    return ServiceError("InsufficientStorage", message, 507)


def be_patient() -> None:
    """Let this thread wait for room on the disk from now on, instead of failing."""
    _thread.patient = True


def is_patient() -> bool:
    """Return whether this thread waits for room on the disk."""
    return getattr(_thread, "patient", False)


class Disk:
    """The disk with the service's data.

    Args:
        say: tells the user, once each time that the disk becomes full, and once when there is room again.
    """

    def __init__(self, say: Callable[[str], None] = lambda _: None, root: Path | None = None) -> None:
        self._say = say
        self._where = "that holds the local service's state" if root is None else f"that holds {root}"
        self._lock = threading.Lock()
        self._waiting = 0
        self._closing = threading.Event()

    def close(self) -> None:
        """End all waits: the service stops. What waits is lost, as in a crash, and the next start repairs it."""
        self._closing.set()

    def until_written(self, write: Callable[[], T]) -> T:
        """Write something, and return the result. A patient thread tries again until there is room.

        Raises:
            OSError: there is no room, and this thread is not patient or the service stops.
        """
        try:
            return write()
        except OSError as error:
            if not self.may_wait(error):
                raise
        with self.waiting():
            while True:
                stopped = self._closing.wait(_SECONDS_BETWEEN)
                try:
                    return write()
                except OSError as error:
                    if stopped or not is_full(error):
                        raise

    def may_wait(self, error: BaseException) -> bool:
        """Return whether this thread should wait for room after an error."""
        return is_full(error) and is_patient() and not self._closing.is_set()

    @contextmanager
    def waiting(self) -> Iterator[float]:
        """Tell the user about a wait of this thread.

        Yields:
            Seconds between two attempts.
        """
        with self._lock:
            self._waiting += 1
            if self._waiting == 1:
                self._say(
                    f"No space is left on the disk {self._where}. States and logs wait in memory: free some space,"
                    " and the work goes on."
                )
        try:
            yield _SECONDS_BETWEEN
        finally:
            with self._lock:
                self._waiting -= 1
                if not self._waiting and not self._closing.is_set():
                    self._say("There is space on the disk again. What waited is written.")
