r"""Match the patterns of AWS's service models as AWS does: in Java's syntax, against the whole text.

AWS's services check a request with ``java.util.regex``: the error of a refused value is Java's "must satisfy regular
expression pattern". The differences to Python's syntax that matter are these.

* ``.`` matches no line terminator; there are five: ``\n``, ``\r``, ``\u0085``, ``\u2028`` and ``\u2029``. Where
  SageMaker admits line breaks, its pattern says so.
* ``$`` matches at the end, and before a line terminator that ends the text.
* ``\d``, ``\s``, ``\w`` and the POSIX classes, ``\p{Alnum}`` for one, are of ASCII; ``\p{L}`` and its like of Unicode.
* Two escapes of surrogates, ``\uD800\uDC00``, are one character.

Source: https://docs.oracle.com/en/java/javase/17/docs/api/java.base/java/util/regex/Pattern.html . The tests compare
this module with a Java runtime.
"""

from __future__ import annotations

from functools import lru_cache

import regex

_TERMINATORS = r"\n\r\x85\u2028\u2029"
_DOT = f"[^{_TERMINATORS}]"
_DOLLAR = r"(?:(?=(?:\r\n|(?<!\r)\n|[\r\x85\u2028\u2029])?\Z))"

_POSIX_CLASSES = {
    "Lower": "a-z",
    "Upper": "A-Z",
    "ASCII": r"\x00-\x7F",
    "Alpha": "a-zA-Z",
    "Digit": "0-9",
    "Alnum": "a-zA-Z0-9",
    "Punct": r"!-/:-@\[-`{-~",
    "Graph": "!-~",
    "Print": " -~",
    "Blank": r" \t",
    "Cntrl": r"\x00-\x1F\x7F",
    "XDigit": "0-9a-fA-F",
    "Space": r" \t\n\x0B\f\r",
}
"""Java's POSIX classes, which contain ASCII only, as the inside of a bracket."""

_WORD = "a-zA-Z0-9_"

_LETTER_CLASSES = {
    "d": "0-9",
    "D": r"\x00-/:-\U0010FFFF",
    "s": r" \t\n\x0B\f\r",
    "S": r"\x00-\x08\x0E-\x1F!-\U0010FFFF",
    "w": _WORD,
    "W": r"\x00-/:-@\[-^`{-\U0010FFFF",
}
"""Java's one-letter classes, as the inside of a bracket."""

_WORD_BOUNDARY = f"(?:(?<=[{_WORD}])(?![{_WORD}])|(?<![{_WORD}])(?=[{_WORD}]))"
_SAME_ESCAPES = frozenset("tnrfAx")
"""Letters whose escape means the same in Java's syntax and in regex's."""

_EQUAL_TEXT = {
    r".*(?:[ \r\n\t].*)*": r"[^\x85\u2028\u2029]*",
    r".*(?:[ \r\n\t].*)*.*": r"[^\x85\u2028\u2029]*",
}
"""Patterns for which a mismatch takes exponential time, and equivalent ones that do not."""

_SECONDS = 2.0
"""The time limit of one match; SageMaker's patterns take microseconds."""


class UnsupportedPatternError(ValueError):
    """A pattern is not supported, or its match takes too long."""


def matches(pattern: str, text: str) -> bool:
    """Return whether the whole text matches a pattern of a service model.

    Args:
        pattern: in Java's syntax.
        text: the text.

    Raises:
        UnsupportedPatternError: the pattern is not supported, or the match takes too long.
    """
    try:
        return _compiled(pattern).fullmatch(text, timeout=_SECONDS) is not None
    except TimeoutError:
        raise UnsupportedPatternError(f"{pattern}: the match takes longer than {_SECONDS:g} s") from None


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> regex.Pattern[str]:
    try:
        return regex.compile(_EQUAL_TEXT.get(pattern) or _Translation(pattern).read(), regex.VERSION0)
    except regex.error as error:
        raise UnsupportedPatternError(f"{pattern}: {error}") from None


class _Translation:
    """Translates a pattern from Java's syntax into regex's, from left to right."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._in_brackets = False
        self._bracket_is_empty = False

    def read(self) -> str:
        parts = []
        while self._at < len(self._pattern):
            parts.append(self._bracket_item() if self._in_brackets else self._item())
        return "".join(parts)

    def _take(self, count: int = 1) -> str:
        taken = self._pattern[self._at : self._at + count]
        self._at += count
        return taken

    def _item(self) -> str:
        character = self._take()
        if character == "\\":
            return self._escape()
        if character == "[":
            self._in_brackets, self._bracket_is_empty = True, True
            return "[" + ("^" if self._pattern[self._at : self._at + 1] == "^" and self._take() else "")
        if self._pattern.startswith("?", self._at) and character == "(":
            self._refuse_flags()
        return {".": _DOT, "$": _DOLLAR}.get(character, character)

    def _bracket_item(self) -> str:
        first, self._bracket_is_empty = self._bracket_is_empty, False
        character = self._take()
        if character == "\\":
            return self._escape()
        if character == "[" or (character == "&" and self._pattern.startswith("&", self._at)):
            raise UnsupportedPatternError(f"{self._pattern}: sets of sets are not supported")
        if character == "]" and first:
            raise UnsupportedPatternError(f"{self._pattern}: a bracket is empty")
        self._in_brackets = character != "]"
        return character

    def _refuse_flags(self) -> None:
        if self._pattern[self._at + 1 : self._at + 2] not in (":", "=", "!", "<", ">"):
            raise UnsupportedPatternError(f"{self._pattern}: flags within a pattern are not supported")

    def _escape(self) -> str:
        character = self._take()
        if character in "pP":
            return self._property(character)
        if character == "u":
            return self._code_point()
        if character in _LETTER_CLASSES:
            return self._set(_LETTER_CLASSES[character])
        if character == "b" and not self._in_brackets:
            return _WORD_BOUNDARY
        if character == "z":
            return r"\Z"
        if character in _SAME_ESCAPES or not character.isalnum():
            return "\\" + character
        raise UnsupportedPatternError(f"{self._pattern}: the escape \\{character} is not supported")

    def _code_point(self) -> str:
        high = self._take(4)
        low = self._pattern[self._at + 2 : self._at + 6] if self._pattern.startswith("\\u", self._at) else ""
        if "D800" <= high.upper() <= "DBFF" and "DC00" <= low.upper() <= "DFFF":
            self._take(6)
            code = 0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00
            return f"\\U{code:08X}"
        return f"\\u{high}"

    def _property(self, letter: str) -> str:
        if not self._pattern.startswith("{", self._at):
            return f"\\{letter}{{{self._take()}}}"
        end = self._pattern.find("}", self._at)
        name = self._take(end - self._at + 1)[1:-1]
        if name in _POSIX_CLASSES and letter == "p":
            return self._set(_POSIX_CLASSES[name])
        if name in _POSIX_CLASSES:
            raise UnsupportedPatternError(f"{self._pattern}: \\P{{{name}}} is not supported")
        # Java prefixes the names of scripts and of binary properties with "Is"; regex does not.
        return f"\\{letter}{{{name.removeprefix('Is')}}}"

    def _set(self, inside: str) -> str:
        if not self._in_brackets:
            return f"[{inside}]"
        # A class is no end of a range: the hyphen in [\\w-_] is one.
        return inside + ("\\" if self._pattern.startswith("-", self._at) else "")
