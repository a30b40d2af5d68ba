"""Text for people: text from outside made safe to look at, and lines that fit a terminal."""

from __future__ import annotations

from definition_language.text import broken, number_of, visible

__all__ = ["broken", "number_of", "visible"]
