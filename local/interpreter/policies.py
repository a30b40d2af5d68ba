"""A step's policies: how long a run of it may be used again, and when it is tried again.

Sources: "Caching pipeline steps" and "Retry policy for pipeline steps", Amazon SageMaker developer guide.
"""

from __future__ import annotations

import re
from datetime import timedelta

from local.interpreter.definition import Json, MalformedError, RetryPolicy

EXCEPTION_TYPES = (
    "Step.SERVICE_FAULT",
    "Step.THROTTLING",
    "SageMaker.JOB_INTERNAL_ERROR",
    "SageMaker.CAPACITY_ERROR",
    "SageMaker.RESOURCE_LIMIT",
)

DEFAULT_RETRY_POLICY = RetryPolicy(("Step.SERVICE_FAULT", "Step.THROTTLING"), 1.0, 2.0, 2, None)
"""What SageMaker does where a step has no policy for errors of a call; how often is not documented."""

_DEFAULT_MAX_ATTEMPTS = 5
_MEMBERS = {"ExceptionType", "IntervalSeconds", "BackoffRate", "MaxAttempts", "ExpireAfterMin"}

_ISO_8601 = re.compile(
    r"P(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?"
)
_SHORT = re.compile(r"(?P<number>\d+)(?P<unit>[dhms])")
_DAYS = {"years": 365, "months": 30, "weeks": 7, "days": 1}
_SHORT_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


def parse_cache_config(document: Json) -> timedelta | None:
    """How old a run may be to be used again; None where caching is off.

    Raises:
        MalformedError: the CacheConfig is malformed.
    """
    if document is None:
        return None
    if not isinstance(document, dict) or not isinstance(document.get("Enabled"), bool):
        raise MalformedError("CacheConfig has Enabled, true or false, and ExpireAfter")
    if not document["Enabled"]:
        return None
    if not isinstance(document.get("ExpireAfter"), str):
        raise MalformedError("CacheConfig: ExpireAfter is missing; it says how old a run may be, for example 'P30D'")
    return parse_duration(document["ExpireAfter"])


def parse_duration(text: str) -> timedelta:
    """An ISO 8601 duration (``P30D``, ``PT1H30M``), or the short form (``30d``) of the service's own samples.

    A month counts 30 days, a year 365.

    Raises:
        MalformedError: the text is neither.
    """
    short = _SHORT.fullmatch(text)
    if short:
        return timedelta(**{_SHORT_UNITS[short.group("unit")]: int(short.group("number"))})
    match = _ISO_8601.fullmatch(text)
    numbers = {unit: int(number) for unit, number in match.groupdict().items() if number} if match else {}
    if not numbers:
        raise MalformedError(f"{text!r} is not an ISO 8601 duration such as 'P30D' or 'PT1H'")
    days = sum(numbers.pop(unit, 0) * length for unit, length in _DAYS.items())
    return timedelta(days=days, **numbers)


def parse_retry_policy(document: Json) -> RetryPolicy:
    """One item of RetryPolicies.

    Raises:
        MalformedError: it is malformed.
    """
    if not isinstance(document, dict) or set(document) - _MEMBERS:
        raise MalformedError(f"a retry policy has {', '.join(sorted(_MEMBERS))}, not {document!r}")
    exceptions = document.get("ExceptionType")
    if not isinstance(exceptions, list) or not exceptions or any(kind not in EXCEPTION_TYPES for kind in exceptions):
        raise MalformedError(f"ExceptionType is a list out of {', '.join(EXCEPTION_TYPES)}, not {exceptions!r}")
    interval = _number(document, "IntervalSeconds", 1, least=0, most=None)
    backoff = _number(document, "BackoffRate", 2.0, least=0, most=None)
    expire = _number(document, "ExpireAfterMin", None, least=0, most=14_400)
    default_attempts = _DEFAULT_MAX_ATTEMPTS if expire is None else None
    attempts = _number(document, "MaxAttempts", default_attempts, least=0, most=20)
    return RetryPolicy(
        exceptions=tuple(exceptions),
        interval=interval or 0.0,
        backoff_rate=backoff or 0.0,
        max_attempts=None if attempts is None else int(attempts),
        expire_after=None if expire is None else timedelta(minutes=expire),
    )


def _number(
    document: dict[str, Json], member: str, default: float | None, least: float, most: float | None
) -> float | None:
    value = document.get(member)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or value < least:
        raise MalformedError(f"{member} is a number of at least {least}, not {value!r}")
    if most is not None and value > most:
        raise MalformedError(f"{member} is at most {most}, not {value!r}")
    return value
