"""Files that are whole or absent."""

from __future__ import annotations

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
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
