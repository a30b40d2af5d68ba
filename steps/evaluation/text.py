"""Text for messages: numbers with their words."""

from __future__ import annotations


def number_of(count: int, one: str, many: str = "", *, form: str = "") -> str:
    """Return a number with its word, for example "1 row" or "2 rows".

    Args:
        count: the number.
        one: the word for one.
        many: the word for other numbers; by default, the first one with an s.
        form: how the number is written, as in a format string.
    """
    return f"{count:{form}} {one if count == 1 else many or f'{one}s'}"
