"""Blocks of lines that hold numbers only: checked, sampled and dealt to folds as bytes, by numpy.

A block is whole lines, each with its line break. Everything is done to all of its bytes or lines at once.
"""

from __future__ import annotations

import hashlib
import re

import numpy as np
import numpy.typing as npt
from fold_hash import Numbers, finished

Places = npt.NDArray[np.int64]
Folds = npt.NDArray[np.uint8]

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
"""Consecutive digits that a number may have: as many as ``fold_grammar`` lets stand before the point."""

_AS_ZEROS = bytes.maketrans(b"123456789", b"0" * 9)
_LARGE_EXPONENT = re.compile(rb"[eE](?:\+?[0-9]{3}|-[0-9]{4})")
_WORD = 8
_LONG = 512
"""Bytes up to which lines are hashed all at once, word by word; longer ones are few in a block."""

_ODD = np.uint64(0x9E3779B97F4A7C15)


def _codes() -> bytes:
    """For each byte, its class and, four bits higher, the classes that must not follow.

    A byte of no class gets all of them, so that it fits nowhere.
    """
    codes = bytearray([_ANY | _ANY << 4] * 256)
    for characters, own, excluded in _CLASSES:
        for character in characters:
            codes[character] = own | excluded << 4
    return bytes(codes)


_CODES = _codes()


def line_ends(block: bytes) -> Places:
    """Where the line breaks are."""
    return np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n"))


def are_rows(block: bytes, ends: Places, columns: int) -> bool:
    """Whether each line is a row: as many numbers as there are columns, separated by commas.

    What it takes for a row, ``Grammar.row`` takes for one. Not all that the grammar does: numbers like ``5.`` and
    ``1e005``, with blanks around them or with very many digits after the point are not looked into here.

    Args:
        block: lines.
        ends: where they end.
        columns: how many numbers a row has.
    """
    code = np.frombuffer((b"\n" + block).translate(_CODES), np.uint8)
    if (code[:-1] >> 4 & code[1:]).any():
        return False
    # Without digits and signs, numbers are their points and exponents: "", ".", "e" or ".e".
    skeleton = block.translate(None, b"0123456789+-").lower()
    character = np.frombuffer(skeleton, np.uint8)
    if ((character[1:] == ord(".")) & (character[:-1] > ord(","))).any():
        return False
    if b"e" in skeleton and (b"ee" in skeleton or _LARGE_EXPONENT.search(block)):
        return False
    if skeleton.translate(None, b".e") != (b"," * (columns - 1) + b"\n") * len(ends):
        return False
    return int(_lengths(ends).max(initial=0)) <= _DIGITS or b"0" * (_DIGITS + 1) not in block.translate(_AS_ZEROS)


def sample(block: bytes, ends: Places, one_in: int) -> list[bytes]:
    """About one in so many of the lines, the same of equal lines in any block.

    Args:
        block: lines, none of them empty.
        ends: where they end.
        one_in: a power of two.
    """
    starts = ends - _lengths(ends) + 1
    chosen = np.flatnonzero(_hashes(block, starts, ends) & np.uint64(one_in - 1) == 0) if one_in > 1 else slice(None)
    return [block[start:end] for start, end in zip(starts[chosen].tolist(), ends[chosen].tolist(), strict=True)]


def deal(block: bytes, ends: Places, fold: Folds, folds: int) -> list[bytes]:
    """The lines of each fold, in order.

    Args:
        block: lines.
        ends: where they end.
        fold: the fold of each, from 1.
        folds: how many there are.
    """
    fold_of_byte = np.repeat(fold, _lengths(ends))
    text = np.frombuffer(block, np.uint8)
    return [text[fold_of_byte == number].tobytes() for number in range(1, folds + 1)]


def _lengths(ends: Places) -> Places:
    """Bytes of each line, its line break among them."""
    return np.diff(ends, prepend=-1)


def hash_of_line(line: bytes) -> int:
    """A hash of 64 bits."""
    return int.from_bytes(hashlib.blake2b(line, digest_size=8).digest())


def _hashes(block: bytes, starts: Places, ends: Places) -> Numbers:
    """A hash of each line, which depends on nothing else: from its words of eight bytes, the last of which ends it."""
    padded = b"\0" * _WORD + block
    words = np.ndarray((len(block) + 1,), "<u8", padded, strides=(1,))
    lengths = ends - starts
    short = lengths <= _LONG
    # Of a line shorter than a word, what stands before it must not count: it is the lowest bytes of the word.
    unwanted = (8 * np.maximum(_WORD - lengths, 0)).astype(np.uint64)
    hashes = lengths.astype(np.uint64)
    for offset in range(0, int(lengths[short].max(initial=0)), _WORD):
        word = words[np.minimum(starts + offset + _WORD, ends)] >> unwanted
        mixed = (hashes ^ word) * _ODD
        hashes = np.where(offset < lengths, mixed ^ mixed >> np.uint64(32), hashes)
    for place in np.flatnonzero(~short).tolist():
        hashes[place] = hash_of_line(block[starts[place] : ends[place]])
    return finished(hashes)
