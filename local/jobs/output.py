"""A program's output, line by line, on its way to CloudWatch Logs."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from threading import Thread

from local.jobs.supervisor import Program

_LINES_KEPT = 50
_CHUNK = 1 << 16


class OutputReader:
    """Hands a program's output on in whole lines while it runs, and keeps the last of them."""

    def __init__(self, program: Program, publish: Callable[[list[str]], None]) -> None:
        self._program = program
        self._publish = publish
        self._last: deque[str] = deque(maxlen=_LINES_KEPT)
        self._thread = Thread(target=self._read, name=f"output of {program.group}", daemon=True)
        self._thread.start()

    def finish(self) -> list[str]:
        """Wait for the end of the output; return its last lines."""
        self._thread.join()
        return list(self._last)

    def _read(self) -> None:
        rest = b""
        with self._program.output as stream:
            while chunk := os.read(stream.fileno(), _CHUNK):
                *lines, rest = (rest + chunk).split(b"\n")
                self._hand_on(lines)
        if rest:
            self._hand_on([rest])

    def _hand_on(self, lines: list[bytes]) -> None:
        texts = [line.decode(errors="replace").rstrip("\r") for line in lines]
        if texts:
            self._last.extend(texts)
            self._publish(texts)
