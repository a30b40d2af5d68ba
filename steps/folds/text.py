"""Text for messages: numbers with their words, and lists and long values cut short."""

from __future__ import annotations

from collections.abc import Sequence


def shortened(value: object, longest: int = 120) -> str:
    """Return a value quoted for an error message."""
    if isinstance(value, str):
        return repr(value if len(value) <= longest else value[:longest] + "…")
    text = repr(value)
    return text if len(text) <= longest else text[:longest] + "…"


def some_of(names: Sequence[str], most: int = 20) -> str:
    """Return the first names and the number of the others, for an error message."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(shortened(name, 40) for name in names[:most]) + more


def number_of(count: int, one: str, many: str = "", *, form: str = "") -> str:
    """Return a number with its word, for example "1 row" or "2 rows".

    Args:
        count: the number.
        one: the word for one.
        many: the word for other numbers; by default, the first one with an s.
        form: how the number is written, as in a format string.
    """
    return f"{count:{form}} {one if count == 1 else many or f'{one}s'}"
