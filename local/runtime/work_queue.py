"""Run work in the background, in a bounded number of threads."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

from local.runtime.supervisor import ServiceStoppingError, Supervisor

_log = logging.getLogger(__name__)


class WorkQueue:
    """Runs work in the order in which it was given, at most ``threads`` at once.

    A thread ends when there is no more work. Work that has not started when the service stops is lost.
    """

    def __init__(self, supervisor: Supervisor, name: str, threads: int) -> None:
        self._supervisor = supervisor
        self._name = name
        self._threads = threads
        self._lock = threading.Lock()
        self._waiting: deque[Callable[[], object]] = deque()
        self._running = 0

    def put(self, work: Callable[[], object]) -> None:
        """Run work as soon as a thread is free. Its error is only logged.

        Raises:
            RuntimeError: the system starts no more threads.
        """
        with self._lock:
            if self._running < self._threads and self._supervisor.run_in_background(self._run, self._name):
                self._running += 1
            self._waiting.append(work)

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._running -= 1
                    return
                work = self._waiting.popleft()
            try:
                work()
            except ServiceStoppingError:
                return
            except Exception:
                _log.exception("%s", self._name)
