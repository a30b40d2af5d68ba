"""Threads that work for another thread."""

from __future__ import annotations

import threading
from collections.abc import Callable

from local.core.disk import be_patient


class HelperThread(threading.Thread):
    """A thread that works for another one, which gets its error. It starts at once, and waits for room on the disk."""

    def __init__(self, work: Callable[[], None], name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._work = work
        self._error: Exception | None = None
        self.start()

    def run(self) -> None:
        """Do the work."""
        be_patient()
        try:
            self._work()
        except Exception as error:
            self._error = error

    def finish(self) -> None:
        """Wait for the end of the work, and raise its error if it failed."""
        self.join()
        if self._error is not None:
            raise self._error
