"""Durations in a definition: ``ExpireAfter`` of a step's CacheConfig.

Sources: "Turn on step caching" in the Amazon SageMaker AI Developer Guide, which writes ISO 8601 durations without P
and in either case (``30d``, ``5y``, ``T16m``, ``30dT5h``),
https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-caching-enabling.html; and the docstring of the SDK's
CacheConfig (``p30d``, ``P4DT12H``, ``T12H``).
"""

from __future__ import annotations

import re
from datetime import timedelta

_FORM = re.compile(
    r"P?(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?",
    re.IGNORECASE | re.ASCII,
)
_DAYS = {"years": 365, "months": 30, "weeks": 7, "days": 1}


class DurationError(ValueError):
    """A text is not a duration."""


def parse_duration(text: str) -> timedelta:
    """Return the length of a duration. A month has 30 days, a year 365.

    Hours, minutes and seconds follow a T: ``30m`` is 30 months, ``T30m`` 30 minutes.

    Raises:
        DurationError: the text is not a duration, or is longer than Python can count.
    """
    match = _FORM.fullmatch(text)
    given = {unit: number for unit, number in match.groupdict().items() if number} if match else {}
    if not given or text[-1] in "Tt":
        raise DurationError(
            f"{text!r} is not an ISO 8601 duration; write for example 'P30D' or 'PT1H'. Hours and minutes follow a T"
        )
    try:
        numbers = {unit: int(number) for unit, number in given.items()}
        days = sum(numbers.pop(unit, 0) * length for unit, length in _DAYS.items())
        return timedelta(days=days, **numbers)
    except (OverflowError, ValueError):
        raise DurationError(f"the duration {text[:40]!r} is too long") from None
