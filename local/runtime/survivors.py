"""Find and kill the processes of programs by a mark in their environment variables.

Every program gets the mark, and every process that it starts inherits it. So a process is found wherever it has moved:
to another session, to another parent.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator

import psutil

VARIABLE = "SAGEMAKER_LOCAL_PROGRAM"
"""The environment variable with the mark."""

_ROUNDS = 200
_SECONDS_BETWEEN = 0.01


def kill_marked(beginning: str) -> set[str]:
    """Kill all processes whose mark begins with a text, and return their marks.

    Neither this process nor one of its ancestors is killed.

    Args:
        beginning: the begin of the marks.
    """
    spared = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    killed: set[str] = set()
    for _ in range(_ROUNDS):
        found = [(process, mark) for process, mark in _marked(beginning) if process.pid not in spared]
        if not found:
            break
        for process, mark in found:
            killed.add(mark)
            with contextlib.suppress(psutil.Error):
                process.kill()
        # A process may fork while the others are killed.
        time.sleep(_SECONDS_BETWEEN)
    return killed


def _marked(beginning: str) -> Iterator[tuple[psutil.Process, str]]:
    for process in psutil.process_iter():
        # Processes of other users, and processes that end.
        with contextlib.suppress(psutil.Error, OSError):
            mark = process.environ().get(VARIABLE, "")
            if mark.startswith(beginning):
                yield process, mark
