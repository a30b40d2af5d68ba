"""Forwarding of a program's output to CloudWatch Logs."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from local.runtime.helper_thread import HelperThread
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
        self._thread = HelperThread(self._read, f"output of {program.process}")

    def finish(self) -> list[str]:
        """Wait for the end of the output, and return its last lines. Raises the error of publishing, if it failed."""
        self._thread.finish()
        return list(self._last)

    def _read(self) -> None:
        # The program waits with its output while the disk is full: no line is lost.
        for lines in read_lines(self._program.read_output()):
            self._last.extend(lines)
            self._publish(lines)
