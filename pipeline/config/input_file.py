"""Opens a local input, which may be compressed."""

from __future__ import annotations

import bz2
import codecs
import gzip
import zlib
from pathlib import Path
from typing import Any, BinaryIO, cast

UNREADABLE = (OSError, EOFError, zlib.error)
"""What opening and reading raise if a file is not there, not readable, or not the archive that its name says."""

_OPENERS: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open}


def opened(path: Path) -> BinaryIO:
    """Open a file for reading its bytes; those of ``.gz`` and ``.bz2`` files are decompressed."""
    return cast("BinaryIO", _OPENERS.get(path.suffix, open)(path, "rb"))


def reason(error: BaseException) -> str:
    """Return why a file cannot be read, in the words of the system or of the archive's library."""
    return getattr(error, "strerror", None) or str(error)


def is_utf16(start: bytes) -> bool:
    """Return whether a file that starts so is UTF-16: by its mark, or because about every other byte is NUL."""
    return start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or 3 * start.count(0) > len(start)


EMPTY = "is empty: is it the right file? It needs a header and rows"
UTF16 = "is UTF-16, which is not supported: save it as UTF-8"
