"""Recognizes dates with the names of months, in English and Spanish. MakeFolds knows the English names only."""

from __future__ import annotations

import re

_MONTHS = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    "nov(?:ember)?|dec(?:ember)?|ene(?:ro)?|febrero|marzo|abr(?:il)?|mayo|junio|julio|ago(?:sto)?|sep(?:tiembre)?|"
    "set(?:iembre)?|octubre|noviembre|dic(?:iembre)?"
)
_DAY = r"\d{1,2}(?:st|nd|rd|th|[.ºª])?"
_GAP = r"(?:\s+del?\s+|[ \-/.,]+)"
_DATE = re.compile(
    rf"(?:[^\W\d]+,?\s+)?(?:{_DAY}{_GAP}(?:{_MONTHS})\.?{_GAP}(?:\d{{4}}|\d{{2}})|"
    rf"(?:{_MONTHS})\.?\s+{_DAY},?\s+\d{{4}}|(?:{_MONTHS})\.?(?:{_GAP}\d{{4}}|[-/]\d{{2}}))(?:[ ,T].*)?",
    re.IGNORECASE,
)


def is_date_with_month(text: str) -> bool:
    """Return whether a text is such a date: ``28 de marzo de 2022``, ``Mon, 3 Jan 2022``, ``ene-22``."""
    return _DATE.fullmatch(text) is not None


def month_advice(example: str) -> str:
    """Return what such texts are and what to do, without a stop."""
    return f"dates with names of months, such as {example!r}: write them as 2022-03-28 in the file"
