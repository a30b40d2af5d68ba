"""Do work in the background, in a bounded number of threads. Stops of the service do not lose it."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

from local.runtime.supervisor import ServiceStoppingError, Supervisor
from local.storage.store import Document, Store

_log = logging.getLogger(__name__)


class WorkQueue:
    """Does work in the order in which it was given, at most ``threads`` pieces at once.

    A piece of work is a record until it has ended. If the service stops before, even by ``kill -9``, the next start
    does it again. So work may be done twice, but is never lost.

    Args:
        store: keeps the work.
        supervisor: runs the threads. A thread ends when there is no more work.
        kind: the kind of the records.
        threads: maximum number of threads.
        do: does a piece of work. Its error is only logged.
    """

    def __init__(
        self, store: Store, supervisor: Supervisor, kind: str, threads: int, do: Callable[[Document], object]
    ) -> None:
        self._store, self._supervisor, self._kind = store, supervisor, kind
        self._threads, self._do = threads, do
        self._lock = threading.Lock()
        self._waiting: deque[str] = deque()
        self._running = 0
        self._has_begun = False

    def put(self, key: str, work: Document) -> None:
        """Record work, and do it as soon as a thread is free. Within a transaction, it is part of that.

        Args:
            key: identifies the work.
            work: a JSON object.
        """
        with self._store.transaction():
            self._store.insert(self._kind, key, work)
            self._store.when_committed(lambda: self._add(key))

    def begin(self) -> None:
        """Begin to do work, with that of an earlier run of the service. Until then, it is only recorded."""
        with self._lock:
            self._has_begun = True
            self._waiting.extend(key for key, _ in self._store.items(self._kind))
        self._start_threads()

    def _add(self, key: str) -> None:
        with self._lock:
            if not self._has_begun:
                return
            self._waiting.append(key)
        self._start_threads()

    def _start_threads(self) -> None:
        with self._lock:
            wanted = min(len(self._waiting), self._threads - self._running)
            try:
                for _ in range(wanted):
                    if self._supervisor.run_in_background(self._run, self._kind):
                        self._running += 1
            except RuntimeError:
                # The work is recorded: a running thread, the next work or the next start of the service does it.
                _log.warning("the system starts no more threads, so %s waits", self._kind)

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._running -= 1
                    return
                key = self._waiting.popleft()
            work = self._store.find(self._kind, key)
            if work is not None:
                self._finish(key, work)

    def _finish(self, key: str, work: Document) -> None:
        try:
            self._do(work)
        except ServiceStoppingError:
            raise
        except Exception as error:
            if self._supervisor.is_stopping:
                raise ServiceStoppingError from error
            _log.exception("%s %s", self._kind, key)
        self._store.delete(self._kind, key)
