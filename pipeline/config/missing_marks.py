"""Texts that stand for missing values: those that mean nothing else, and those that do so among numbers and dates."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.text import number_of, shortened, some_of

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?", "-"})
"""Texts, in lower case, that stand for a missing value in many files."""

_MARKS = frozenset(
    {
        *("n/d", "n.d.", "nd", "s/d", "s.d.", "sd", "n.a.", "n/k", "k.a.", "<na>", "(null)", "(none)", "\\n"),
        *("sin dato", "sin datos", "sin información", "no disponible", "no aplica", "desconocido"),
        *("unknown", "missing", "not available", "not applicable"),
        *(".", "..", "...", "--", "---", "*", "**"),
    }
)
"""Texts, in lower case, that stand for a missing value among numbers and dates. Elsewhere ND may be North Dakota."""

_SPREADSHEET_ERRORS = frozenset(
    {
        *("#n/a", "#n/d", "#div/0!", "#¡div/0!", "#ref!", "#¡ref!", "#value!", "#¡valor!", "#num!", "#¡num!"),
        *("#name?", "#¿nombre?", "#null!", "#¡nulo!", "#spill!", "#calc!"),
    }
)
"""What spreadsheets write for a formula without a value, in English and Spanish, in lower case."""

MOST_STRAYS = 10
"""The number of different texts up to which the texts among numbers are taken as missing."""

_SHOWN_TEXTS, _SHOWN_CHARACTERS = 4, 30


def is_mark(text: str) -> bool:
    """Return whether a text among numbers or dates is known to stand for a missing value."""
    return text.lower() in _MARKS or text.lower() in _SPREADSHEET_ERRORS


def _may_be_number(text: str) -> bool:
    return any(map(str.isdecimal, text)) and not any(map(str.isalpha, text))


def nearly_all(kind: str, known: int, strays: Mapping[str, int]) -> str:
    """Return a sentence without a stop: ``599 of 600 are numbers; 'n/d' (1 row)``.

    Args:
        kind: what nearly all values are.
        known: how many are.
        strays: the other texts, with their rows.
    """
    ordered = sorted(strays.items(), key=lambda each: -each[1])
    listed = some_of(
        (f"{shortened(text, _SHOWN_CHARACTERS)!r} ({number_of(count, 'row')})" for text, count in ordered), _SHOWN_TEXTS
    )
    return f"{known} of {known + sum(strays.values())} are {kind}; {listed}"


def taken_as_missing(kind: str, known: int, strays: Mapping[str, int]) -> str:
    """Return the sentence of ``nearly_all`` that also says that the other texts are taken as missing values."""
    are = "is" if len(strays) == 1 else "are"
    doubt = "check that" if all(map(is_mark, strays)) else "right?"
    if any(map(_may_be_number, strays)):
        doubt += " Numbers must be written alike"
    return f"{nearly_all(kind, known, strays)} {are} taken as missing: {doubt}"
