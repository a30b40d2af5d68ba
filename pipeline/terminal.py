"""Text from elsewhere, made safe to print."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return the text with control characters escaped.

    Failure reasons and log lines come from jobs. An ANSI sequence in them could move the cursor or rename the window.
    """
    return "".join(
        character if character.isprintable() or character in "\n\t" else character.encode("unicode_escape").decode()
        for character in text
    )
