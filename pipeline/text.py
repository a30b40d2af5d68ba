"""Text from outside, made safe to look at."""

from __future__ import annotations

from definition_language.text import visible

__all__ = ["visible"]
