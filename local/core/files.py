"""Files that are whole or absent."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a path to write to, whose file takes the place of another once all is written.

    A reader of ``target`` sees the old file or the new one, never a part. An exception leaves the old one.

    Args:
        target: the file to replace; its folder is there.

    Yields:
        A path in the same folder. Its name is unique: two writers do not meet.
    """
    unfinished = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        yield unfinished
        sync(unfinished)
        unfinished.replace(target)
        sync(target.parent)
    finally:
        unfinished.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Sync a file or a folder to disk. A rename lasts once the folder is synced."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
