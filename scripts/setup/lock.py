"""Lets one process at a time set up a folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.setup.messages import say


@contextmanager
def exclusive(folder: Path) -> Iterator[int]:
    """Hold the folder's lock, and yield its file descriptor.

    A program that inherits the descriptor holds the lock too: uv goes on when its parent is killed.
    The lock is on the folder itself, because each file in it may be deleted meanwhile.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another command is setting up this folder: waiting for it.")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)
