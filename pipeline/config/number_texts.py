"""Patterns of texts that people read as numbers, and programs do not."""

from __future__ import annotations

DECIMAL_COMMA = r"[+-]?\d+,\d+"

WITH_POINT = str.maketrans({",": ".", ".": "?"})
"""For ``str.translate``: writes numbers that have decimal commas with a decimal point.

A point beside decimal commas separates thousands: as a number it would be wrong by a factor of 1000. What replaces it
is in no number.
"""

THOUSANDS = r"[+-]?[1-9]\d{0,2}(?:,\d{3})+"
"""Integers with commas between thousands; some of them could as well have a decimal comma."""

_SPACE = "[ \u00a0\u202f]"
_GROUPED = r"[1-9]\d{0,2}(?:(?:,\d{3})+(?:\.\d+)?|(?:\.\d{3})+(?:,\d+)?|(?:['\u2019 \u00a0\u202f]\d{3})+(?:[.,]\d+)?)"
_AMOUNT = rf"(?:{_GROUPED}|\d+(?:[.,]\d+)?)"
_CURRENCY = r"(?:[$\u20ac\u00a3\u00a5\u20b9]|US\$|USD|EUR|GBP|CHF)"

FORMATTED_NUMBER = rf"[+-]?\(?(?:{_GROUPED}|{_CURRENCY}{_SPACE}?[+-]?{_AMOUNT}|{_AMOUNT}{_SPACE}?(?:{_CURRENCY}|%))\)?"
"""Numbers with thousands separators, or with a currency or percent sign."""

FORMATTED_IN_WORDS = "numbers with a thousands separator, or with a currency or percent sign"
WITHOUT_FORMAT = "write them without it in the file"
"""What such texts are, and what to do about them."""


def formatted_number_advice(example: str) -> str:
    """Return a sentence about a column of such numbers, without a stop."""
    return f"{FORMATTED_IN_WORDS}, such as {example!r}: {WITHOUT_FORMAT}"
