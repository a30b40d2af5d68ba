"""Parse a step's policies for caching and retries.

Sources: "Caching pipeline steps" and "Retry policy for pipeline steps", Amazon SageMaker developer guide.
"""

from __future__ import annotations

from datetime import timedelta

from definition_language.durations import DurationError, parse_duration
from local.interpreter.definition import Json, MalformedError, RetryPolicy

EXCEPTION_TYPES = (
    "Step.SERVICE_FAULT",
    "Step.THROTTLING",
    "SageMaker.JOB_INTERNAL_ERROR",
    "SageMaker.CAPACITY_ERROR",
    "SageMaker.RESOURCE_LIMIT",
)

DEFAULT_RETRY_POLICY = RetryPolicy(("Step.SERVICE_FAULT", "Step.THROTTLING"), 1.0, 2.0, 2, None)
"""SageMaker's policy for failed calls if the step has none. The number of retries is not documented."""

_DEFAULT_MAX_ATTEMPTS = 5
_MEMBERS = {"ExceptionType", "IntervalSeconds", "BackoffRate", "MaxAttempts", "ExpireAfterMin"}


def parse_cache_config(document: Json) -> timedelta | None:
    """Return the greatest age of a run that can be reused, or None if caching is off.

    Raises:
        MalformedError: The CacheConfig is malformed.
    """
    if document is None:
        return None
    if not isinstance(document, dict) or not isinstance(document.get("Enabled"), bool):
        raise MalformedError("CacheConfig needs Enabled (true or false) and ExpireAfter")
    if not document["Enabled"]:
        return None
    if not isinstance(document.get("ExpireAfter"), str):
        raise MalformedError("CacheConfig: ExpireAfter is missing; set the greatest age of a reused run, as in 'P30D'")
    try:
        return parse_duration(document["ExpireAfter"])
    except DurationError as error:
        raise MalformedError(f"CacheConfig: ExpireAfter: {error}") from None


def parse_retry_policy(document: Json) -> RetryPolicy:
    """Parse one item of RetryPolicies.

    Raises:
        MalformedError: The item is malformed.
    """
    if not isinstance(document, dict) or set(document) - _MEMBERS:
        raise MalformedError(f"a retry policy has the members {', '.join(sorted(_MEMBERS))}, not {document!r}")
    exceptions = document.get("ExceptionType")
    if not isinstance(exceptions, list) or not exceptions or any(kind not in EXCEPTION_TYPES for kind in exceptions):
        raise MalformedError(f"ExceptionType must be a list of {', '.join(EXCEPTION_TYPES)}, not {exceptions!r}")
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
        raise MalformedError(f"{member} must be a number of at least {least}, not {value!r}")
    if most is not None and value > most:
        raise MalformedError(f"{member} must be at most {most}, not {value!r}")
    return value
