"""Decide whether and when a failed step is retried.

Source: "Retry policy for pipeline steps", Amazon SageMaker developer guide.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

from local.core.errors import ServiceError
from local.interpreter.definition import RetryPolicy
from local.interpreter.policies import DEFAULT_RETRY_POLICY

_JOB_EXCEPTION_TYPES = {
    "InternalServerError": "SageMaker.JOB_INTERNAL_ERROR",
    "CapacityError": "SageMaker.CAPACITY_ERROR",
    "InsufficientCapacityError": "SageMaker.CAPACITY_ERROR",
    "ResourceLimitExceeded": "SageMaker.RESOURCE_LIMIT",
}
"""Exception types by the first word of a job's FailureReason."""

_NOT_IMPLEMENTED = 501


def call_exception_type(error: ServiceError) -> str | None:
    """Return the ExceptionType for a failed operation, or None if no retry policy can cover it."""
    if "Throttl" in error.code or error.code == "TooManyRequestsException":
        return "Step.THROTTLING"
    if error.code == "ResourceLimitExceeded":
        return "SageMaker.RESOURCE_LIMIT"
    if error.status >= 500 and error.status != _NOT_IMPLEMENTED:
        return "Step.SERVICE_FAULT"
    return None


def is_retryable(reason: str) -> bool:
    """Return whether a policy may cover a job's FailureReason."""
    return _first_word(reason) in _JOB_EXCEPTION_TYPES


def job_exception_type(reason: str, step_type: str) -> str | None:
    """Return the ExceptionType for a failed job, or None if no retry policy can cover it.

    No policy covers an internal error of a tuning job, because a tuning job retries its training jobs itself.

    Args:
        reason: The job's FailureReason.
        step_type: The type of the step that created the job.
    """
    found = _JOB_EXCEPTION_TYPES.get(_first_word(reason))
    return None if step_type == "Tuning" and found == "SageMaker.JOB_INTERNAL_ERROR" else found


def _first_word(reason: str) -> str:
    return reason.partition(":")[0].strip()


class Retries:
    """Counts a step's retries and applies the limits of its policies."""

    def __init__(self, policies: Sequence[RetryPolicy]) -> None:
        self._policies = (*policies, DEFAULT_RETRY_POLICY)
        self._started = time.monotonic()
        self._used: Counter[RetryPolicy] = Counter()

    def covers(self, exception_type: str) -> bool:
        """Return whether a policy covers an exception type."""
        return self._policy(exception_type) is not None

    def delay(self, exception_type: str | None) -> float | None:
        """Count one more retry, and return its delay.

        Returns:
            Seconds until the retry, or None if the step is not retried.
        """
        policy = None if exception_type is None else self._policy(exception_type)
        if policy is None:
            return None
        used = self._used[policy]
        seconds = policy.interval * policy.backoff_rate**used
        if policy.max_attempts is not None and used >= policy.max_attempts:
            return None
        if policy.expire_after is not None:
            elapsed = time.monotonic() - self._started
            if elapsed + seconds > policy.expire_after.total_seconds():
                return None
        self._used[policy] += 1
        return seconds

    def _policy(self, exception_type: str) -> RetryPolicy | None:
        return next((policy for policy in self._policies if exception_type in policy.exceptions), None)
