"""Checks blocks of plain numbers with numpy.

A block consists of whole lines, each with its line break. All of its bytes are processed at once.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.int64]

_DELIMITER, _SIGN, _POINT, _EXPONENT = 1, 2, 4, 8
_ANY = _DELIMITER | _SIGN | _POINT | _EXPONENT
_CLASSES = (
    # characters, what they are, what must not follow them
    (b",\n", _DELIMITER, _DELIMITER | _EXPONENT),
    (b"+-", _SIGN, _DELIMITER | _SIGN | _EXPONENT),
    (b".", _POINT, _ANY),
    (b"eE", _EXPONENT, _DELIMITER | _POINT | _EXPONENT),
    (b"0123456789", 0, _SIGN),
)
_DIGITS = 200
"""Consecutive digits that a number may have: as many as ``judge`` lets stand before the point."""

_AS_ZEROS = bytes.maketrans(b"123456789", b"0" * 9)
_LARGE_EXPONENT = re.compile(rb"[eE](?:\+?[0-9]{3}|-[0-9]{4})")


def _codes() -> bytes:
    """Return a table with the class of each byte and, four bits higher, the classes that must not follow it.

    A byte without a class gets all of them, so that it is never valid.
    """
    codes = bytearray([_ANY | _ANY << 4] * 256)
    for characters, own, excluded in _CLASSES:
        for character in characters:
            codes[character] = own | excluded << 4
    return bytes(codes)


_CODES = _codes()


def line_ends(block: bytes) -> Places:
    """Return the positions of the line breaks."""
    return np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n"))


def are_rows(block: bytes, ends: Places, columns: int) -> bool:
    """Return whether each line is a row: as many numbers as there are columns, separated by commas.

    Every line that this accepts is also a row to ``judge``. ``judge`` accepts more: numbers like ``5.`` and ``1e005``,
    blanks around numbers, and very many digits after the point.

    Args:
        block: the lines.
        ends: the positions of their line breaks.
        columns: the number of numbers in a row.
    """
    code = np.frombuffer((b"\n" + block).translate(_CODES), np.uint8)
    if (code[:-1] >> 4 & code[1:]).any():
        return False
    # Without digits and signs, a number consists of its point and exponent: "", ".", "e" or ".e".
    skeleton = block.translate(None, b"0123456789+-").lower()
    character = np.frombuffer(skeleton, np.uint8)
    if ((character[1:] == ord(".")) & (character[:-1] > ord(","))).any():
        return False
    if b"e" in skeleton and (b"ee" in skeleton or _LARGE_EXPONENT.search(block)):
        return False
    if skeleton.translate(None, b".e") != (b"," * (columns - 1) + b"\n") * len(ends):
        return False
    return int(lengths(ends).max(initial=0)) <= _DIGITS or b"0" * (_DIGITS + 1) not in block.translate(_AS_ZEROS)


def leading_classes(block: bytes, ends: Places, classes: int) -> npt.NDArray[np.uint16] | None:
    """Return the class with which each row begins, or None if a row begins otherwise.

    Args:
        block: rows.
        ends: the positions of their line breaks.
        classes: the number of classes; numbers of several digits are never found.
    """
    text = np.frombuffer(block, np.uint8)
    starts = ends - lengths(ends) + 1
    # The difference of unsigned bytes is large for what comes before the digits.
    found = text[starts] - np.uint8(ord("0"))
    are_classes = (found < min(classes, 10)).all() and (text[starts + 1] == ord(",")).all()
    return found.astype(np.uint16) if are_classes else None


def lengths(ends: Places) -> Places:
    """Return the size of each line in bytes, including its line break."""
    return np.diff(ends, prepend=-1)
