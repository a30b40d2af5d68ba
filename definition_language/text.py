"""Text for people: text from outside made safe to look at, and lines that fit a terminal."""

from __future__ import annotations

import re
import textwrap

_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ud800-\udfff\ufff9-\ufffb]"
)


def visible(text: str) -> str:
    """Escape what a terminal or a browser would obey, and lone surrogates, which cannot be printed.

    These are control characters, except tabs and line feeds, and characters that change the writing direction.
    """
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


# A person may copy a command, which must not end in the middle.
_COMMAND = re.compile(r"\b(?:make|python -m|aws|export|eval) \S+(?: -\S+(?: [^-\s]\S*)?| \[?\w+=\S+)*")
_GAP = re.compile(r" *\S.*?  +(?=\S)| +")
# No text has it: a character for private use
_UNBROKEN = "\ue000"


def broken(text: str, width: int) -> str:
    """Break lines that are too long for a terminal between words, where it would break them within words.

    Long words stay whole, such as paths and ARNs, and so do commands. Broken lines go on under the text that follows
    a gap, as in the second column of a list.

    Args:
        text: One or more lines.
        width: The terminal's width in characters.
    """
    return "\n".join(line if len(line) <= width else _broken_line(line, width) for line in text.split("\n"))


def _broken_line(line: str, width: int) -> str:
    whole = _COMMAND.sub(lambda command: command[0].replace(" ", _UNBROKEN), line)
    lines = textwrap.wrap(
        whole,
        width,
        subsequent_indent=" " * _indent(whole, width),
        expand_tabs=False,
        replace_whitespace=False,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines).replace(_UNBROKEN, " ")


def _indent(line: str, width: int) -> int:
    """Return where a broken line goes on: under the text after a gap, unless there is too little room for it."""
    gap = _GAP.match(line)
    if gap is None or gap.end() > width // 2:
        return 0
    longest = max(map(len, line[gap.end() :].split()), default=0)
    return gap.end() if gap.end() + longest <= width else 0


def number_of(count: int, one: str, many: str = "", *, form: str = "") -> str:
    """Return a number with its word, for example "1 row" or "2 rows".

    Args:
        count: the number.
        one: the word for one.
        many: the word for other numbers; by default, the first one with an s.
        form: how the number is written, as in a format string.
    """
    return f"{count:{form}} {one if count == 1 else many or f'{one}s'}"
