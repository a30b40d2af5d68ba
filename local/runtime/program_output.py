"""Forwarding of a program's output to CloudWatch Logs."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Thread

from local.core.disk import be_patient
from local.runtime.lines import read_lines
from local.runtime.supervisor import Program

_LINES_KEPT = 200
"""Enough for a Java stack trace, and the Python traceback before it."""


class OutputReader:
    """Forwards a program's output as whole lines while it runs, and keeps the last lines."""

    def __init__(self, program: Program, publish: Callable[[list[str]], None]) -> None:
        self._program = program
        self._publish = publish
        self._last: deque[str] = deque(maxlen=_LINES_KEPT)
        self._thread = Thread(target=self._read, name=f"output of {program.process}", daemon=True)
        self._thread.start()

    def finish(self) -> list[str]:
        """Wait for the end of the output, and return its last lines."""
        self._thread.join()
        return list(self._last)

    def _read(self) -> None:
        # The program waits with its output while the disk is full: no line is lost.
        be_patient()
        for lines in read_lines(self._program.read_output()):
            self._last.extend(lines)
            self._publish(lines)
