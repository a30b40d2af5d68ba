"""Text from outside, made safe to look at."""

from __future__ import annotations

import re

_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ud800-\udfff\ufff9-\ufffb]"
)


def visible(text: str) -> str:
    """Escape what a terminal or a browser would obey, and lone surrogates, which cannot be printed.

    These are control characters, except tabs and line feeds, and characters that change the writing direction.
    """
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
