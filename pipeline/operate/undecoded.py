"""Bytes of a file that are no text in its encoding: readers keep each as a surrogate."""

from __future__ import annotations

import re

_UNDECODED = re.compile("[\udc80-\udcff]")


def has_undecoded(text: str) -> bool:
    """Return whether a text has bytes that were not decoded."""
    return _UNDECODED.search(text) is not None


def as_cp1252(text: str) -> str:
    """Return a text with its undecoded bytes as in cp1252, the usual encoding of files that are no UTF-8."""
    return _UNDECODED.sub(lambda found: _of_byte(found[0]), text)


def _of_byte(surrogate: str) -> str:
    try:
        return bytes([ord(surrogate) - 0xDC00]).decode("cp1252")
    except UnicodeDecodeError:  # five bytes have no character
        return surrogate
