"""Do work in the background, in a bounded number of threads. Stops of the service do not lose it."""

from __future__ import annotations

import heapq
import logging
import threading
import time
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
        do: does a piece of work. Returns None if that has ended, or the work that is left; its ``Due`` is the time to
            go on, in seconds since the epoch. An exception is logged and ends the work.
    """

    def __init__(
        self,
        store: Store,
        supervisor: Supervisor,
        kind: str,
        threads: int,
        do: Callable[[Document], Document | None],
    ) -> None:
        self._store, self._supervisor, self._kind = store, supervisor, kind
        self._threads, self._do = threads, do
        self._lock = threading.Lock()
        self._ready: deque[str] = deque()
        self._later: list[tuple[float, str]] = []
        self._alarm = float("inf")
        self._running = 0
        self._has_begun = False
        self._found: set[str] = set()

    def put(self, key: str, work: Document) -> None:
        """Record work, and do it as soon as a thread is free. Within a transaction, it is part of that.

        Args:
            key: identifies the work.
            work: a JSON object. If it has a time ``Due``, it is not done before.
        """
        with self._store.transaction():
            self._store.insert(self._kind, key, work)
            is_early = not self._has_begun
            self._store.when_committed(lambda: self._add(key, work, is_early=is_early))

    def begin(self) -> None:
        """Begin to do work, with that of an earlier run of the service. Until then, it is only recorded."""
        with self._lock:
            for key, work in self._store.items(self._kind):
                self._found.add(key)
                self._sort_in(key, work)
            self._has_begun = True
        self._wake()

    def waiting(self) -> int:
        """Return how many pieces of work have not ended."""
        return len(self._store.list(self._kind))

    def _add(self, key: str, work: Document, *, is_early: bool = False) -> None:
        """Do recorded work as soon as a thread is free.

        Args:
            key: identifies the work.
            work: the record.
            is_early: whether it was put before begin() had read the records, which may or may not have found it.
        """
        with self._lock:
            if is_early and (key in self._found or not self._has_begun):
                return
            self._sort_in(key, work)
        self._wake()

    def _sort_in(self, key: str, work: Document) -> None:
        if "Due" in work:
            heapq.heappush(self._later, (work["Due"], key))
        else:
            self._ready.append(key)

    def _wake(self) -> None:
        """Start threads for the work that is due, and a timer for what is due next."""
        with self._lock:
            now = time.time()
            while self._later and self._later[0][0] <= now:
                self._ready.append(heapq.heappop(self._later)[1])
            try:
                for _ in range(min(len(self._ready), self._threads - self._running)):
                    if self._supervisor.run_in_background(self._run, self._kind):
                        self._running += 1
                self._set_alarm(now)
            except RuntimeError:
                # The work is recorded: a running thread, the next work or the next start of the service does it.
                _log.warning("the system starts no more threads, so %s waits", self._kind)

    def _set_alarm(self, now: float) -> None:
        """Start a timer for the work that is due next, unless one runs that is earlier."""
        if self._later and self._later[0][0] < self._alarm:
            timer = threading.Timer(self._later[0][0] - now, self._ring)
            timer.daemon = True
            timer.start()
            self._alarm = self._later[0][0]

    def _ring(self) -> None:
        with self._lock:
            self._alarm = float("inf")
        self._wake()

    def _run(self) -> None:
        while (key := self._next()) is not None:
            try:
                work = self._store.find(self._kind, key)
                if work is not None:
                    self._go_on(key, work)
            except Exception:
                if self._supervisor.is_stopping:
                    raise
                # The store has failed. An immediate retry would probably fail too, and delay other work.
                _log.exception("%s %s stays recorded until the next start", self._kind, key)

    def _next(self) -> str | None:
        """Return the key of work that is ready. If there is none, give up the place of the calling thread."""
        with self._lock:
            if self._ready:
                return self._ready.popleft()
            self._running -= 1
            return None

    def _go_on(self, key: str, work: Document) -> None:
        left = None
        try:
            left = self._do(work)
        except ServiceStoppingError:
            raise
        except Exception as error:
            if self._supervisor.is_stopping:
                raise ServiceStoppingError from error
            _log.exception("%s %s", self._kind, key)
        if left is None:
            self._store.delete(self._kind, key)
        else:
            self._add(key, self._store.update(self._kind, key, lambda document: document.update(left)))
