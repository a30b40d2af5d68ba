"""Shows the start of an object: a table of CSV, JSON with indentation, or text."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass

from studio.text import pretty

START = 64 << 10
"""The bytes of an object that are shown."""

LARGEST_JSON = 1 << 20
"""The size in bytes up to which JSON is shown whole, with indentation."""

_ROWS, _COLUMNS = 50, 40
_DELIMITERS = ",;\t|"


@dataclass(frozen=True)
class Preview:
    """The start of an object.

    Attributes:
        text: its text; empty if it is shown as a table, or not at all.
        header: the names of the columns of a table; empty if its first line has none.
        rows: the rows of a table.
        remark: what is left out, or why nothing is shown.
    """

    text: str = ""
    header: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    remark: str = ""


def bytes_wanted(key: str, size: int) -> int:
    """Return how many of an object's bytes its preview needs."""
    return min(size, LARGEST_JSON if _ending(key) == "json" and size <= LARGEST_JSON else START)


def preview(key: str, content: bytes, size: int) -> Preview:
    """Return the preview of an object.

    Args:
        key: the object's key; its ending decides how it is shown.
        content: its first bytes.
        size: its size in bytes.
    """
    whole = len(content) >= size
    text = _text(content, whole=whole)
    if text is None:
        return Preview(remark="The content is not text in UTF-8. Download it to look at it.")
    ending = _ending(key)
    if ending in ("csv", "tsv"):
        return _table(text, whole=whole)
    if ending == "json" and whole:
        return _json(text)
    # Of Windows line breaks, a page would show the first character.
    text = text.replace("\r\n", "\n")
    return Preview(text, remark="" if whole else f"These are the first {START >> 10} kB.")


def _ending(key: str) -> str:
    return key.rpartition("/")[2].rpartition(".")[2].lower()


def _text(content: bytes, *, whole: bool) -> str | None:
    """Return the text, or None if it is none. A part of a text may end in the middle of a character."""
    if b"\0" in content:
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        cut = not whole and error.start >= len(content) - 3
        return content[: error.start].decode("utf-8-sig") if cut else None


def _json(text: str) -> Preview:
    try:
        return Preview(pretty(json.loads(text)))
    except (ValueError, RecursionError):
        return Preview(text, remark="This is not JSON that Studio can read, so it is shown as text.")


def _table(text: str, *, whole: bool) -> Preview:
    first = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        return Preview(text, remark=f"This cannot be read as CSV ({error}), so it is shown as text.")
    if not whole and len(lines) > 1:
        lines.pop()  # It may have been cut.
    lines = [line for line in lines if line]
    header = lines[0] if lines and not any(map(_is_number, lines[0])) else []
    rows = lines[1:] if header else lines
    remarks = []
    if not whole or len(rows) > _ROWS:
        count = min(len(rows), _ROWS)
        remarks.append("This is the first row." if count == 1 else f"These are the first {count} rows.")
    widest = max(map(len, lines), default=0)
    if widest > _COLUMNS:
        remarks.append(f"Of {widest} columns, the first {_COLUMNS} are shown.")
    shown = [row[:_COLUMNS] for row in rows[:_ROWS]]
    return Preview(header=header[:_COLUMNS], rows=shown, remark=" ".join(remarks))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
