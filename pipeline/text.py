"""Text for people: numbers with their words, lists and long values cut short, and lines that fit a terminal."""

from __future__ import annotations

from collections.abc import Iterable

from definition_language.text import broken, number_of, visible

__all__ = ["broken", "number_of", "shortened", "some_of", "visible"]


def some_of(names: Iterable[str], most: int = 20, *, between: str = ", ") -> str:
    """Return the first names and the number of the others, for a message."""
    listed = list(names)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return between.join(listed[:most]) + more


def shortened(text: str, most: int = 60) -> str:
    """Return the start of a long text, for a message."""
    return text if len(text) <= most else f"{text[:most]}..."
