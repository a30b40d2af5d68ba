"""Turn names from requests and jobs into paths that stay within their folder.

Every untrusted name becomes a path here: an object's key, a log stream, a file of a job's input.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

LONGEST_SEGMENT = 255
"""Longest name of a file or folder, in bytes: NAME_MAX of Linux and macOS."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SEPARATOR = re.compile(r"[/\\]")


class UnsafeNameError(ValueError):
    """A name cannot be a path below a folder.

    The message completes a sentence about the name, for example "has a control character".
    """


class SegmentTooLongError(UnsafeNameError):
    """A segment of the name is longer than a file's name may be."""


def below(folder: Path, name: str) -> Path:
    """Return the path of a name below a folder.

    Args:
        folder: The folder.
        name: Segments, separated by slashes. Each becomes a folder or file of exactly that name, so two different
            names never share a path.

    Raises:
        UnsafeNameError: The name is not UTF-8 text, has a control character, or has a segment that is empty, ``.``
            or ``..``. For ``.`` and ``..``, a backslash separates segments too.
        SegmentTooLongError: A segment is longer than 255 bytes.
    """
    try:
        encoded = name.encode()
    except UnicodeEncodeError:
        raise UnsafeNameError("is not UTF-8 text") from None
    if _CONTROL.search(name):
        raise UnsafeNameError("has a control character")
    if not all(name.split("/")):
        raise UnsafeNameError("is empty, begins or ends with a slash, or has two slashes in a row")
    if not {".", ".."}.isdisjoint(_SEPARATOR.split(name)):
        raise UnsafeNameError("has the segment '.' or '..'")
    if len(max(encoded.split(b"/"), key=len)) > LONGEST_SEGMENT:
        raise SegmentTooLongError(f"has a segment of more than {LONGEST_SEGMENT} bytes")
    return folder / name


def passes_link(path: Path, folder: Path) -> bool:
    """Return whether a path, or a folder between it and ``folder``, is a symbolic link."""
    prefix = str(folder)
    for part in str(path)[len(prefix) + 1 :].split(os.sep):  # noqa: PTH206 - faster than Path
        prefix = f"{prefix}{os.sep}{part}"
        if os.path.islink(prefix):  # noqa: PTH114 - faster than Path, and called for every object
            return True
    return False
