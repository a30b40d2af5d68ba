"""Text and numbers of the page about a file."""

from __future__ import annotations

import numpy as np
from rich.padding import Padding
from rich.text import Text

from pipeline.text import number_of, shortened, visible

_SHOWN_CHARACTERS = 40


def item(sentence: str) -> Padding:
    """Return an indented sentence."""
    return Padding(line(sentence), (0, 0, 0, 2))


def line(text: str) -> Text:
    """Return text that is escaped before it is laid out: afterwards, lines would become too long."""
    return Text(visible(text), overflow="fold")


def short(text: str) -> str:
    """Return a value of the file, cut if it is long."""
    return shortened(text, _SHOWN_CHARACTERS)


def percent(count: int, rows: int) -> str:
    """Return a share of rows."""
    return "<1%" if 0 < 100 * count < rows else f"{count / rows:.0%}" if rows else "0%"


def counted(number: int) -> str:
    """Return a whole number."""
    return f"{number:{_form_of(number)}}"


def numbered(number: int, noun: str) -> str:
    """Return a number of things, as ``1 column`` or ``2 columns``."""
    return number_of(number, noun, form=_form_of(number))


def _form_of(number: int) -> str:
    return "" if abs(number) < 10_000 else ","


def amount(number: float) -> str:
    """Return a number with at most four digits, or a whole one."""
    if not np.isfinite(number):
        return "too large"
    is_long = abs(number) >= 1000 or number == round(number)
    return counted(round(number)) if is_long and abs(number) < 1e9 else f"{number:.4g}"
