"""Text for messages: numbers with their words, and long lists cut short."""

from __future__ import annotations

from collections.abc import Iterable


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
