"""Names that come from requests and jobs, made into paths that stay within their folder.

Every name that somebody else chose (a key, a log stream, an object's place in an input) becomes a path here.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

LONGEST_SEGMENT = 255
"""Bytes of a file's or a folder's name: NAME_MAX of Linux and macOS."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SEPARATOR = re.compile(r"[/\\]")


class UnsafeNameError(ValueError):
    """A name that is no path below a folder; the text says why, as in "it ``has an empty segment``"."""


class SegmentTooLongError(UnsafeNameError):
    """A name of which a segment is longer than a file's name may be."""


def below(folder: Path, name: str) -> Path:
    """Return the path that a name has below a folder.

    Args:
        folder: the folder.
        name: segments with slashes between them; each becomes a folder or file of that very name, so that two names
            never give one path.

    Raises:
        UnsafeNameError: the name is not UTF-8 text, or has a control character or a segment that is empty, ``.``
            or ``..`` (between backslashes too).
        SegmentTooLongError: a segment is longer than 255 bytes.
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
    """Whether a path, or a folder on the way to it from ``folder``, is a symbolic link."""
    step = str(folder)
    for part in path.relative_to(folder).parts:
        step = f"{step}{os.sep}{part}"
        if os.path.islink(step):  # noqa: PTH114 - asked of every object
            return True
    return False
