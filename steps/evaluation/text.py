"""Text for messages: numbers with their words, long lists cut short, and numbers for people."""

from __future__ import annotations

from collections.abc import Iterable

_MANY, _TOO_MANY = 1e5, 1e18
"""Between these, a number is written in full: six digits would not show by how little two errors differ."""


def some_of(names: Iterable[str], most: int = 5) -> str:
    """Return the first names and the number of the others."""
    listed = list(names)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more


def number_of(count: int, one: str, many: str = "", *, form: str = "") -> str:
    """Return a number with its word, for example "1 row" or "2 rows".

    Args:
        count: the number.
        one: the word for one.
        many: the word for other numbers; by default, the first one with an s.
        form: how the number is written, as in a format string.
    """
    return f"{count:{form}} {one if count == 1 else many or f'{one}s'}"


def readable(value: float) -> str:
    """Return a number for people: ``16,644,923,844,198``, ``36.7412`` or ``1.5e-07``."""
    return f"{value:,.0f}" if _MANY <= abs(value) < _TOO_MANY else f"{value:.6g}"
