"""Which errors of a step may go away when it is tried again, and when it is.

Source: "Retry policy for pipeline steps", Amazon SageMaker developer guide.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

from local.core.errors import ServiceError
from local.interpreter.definition import RetryPolicy
from local.interpreter.policies import DEFAULT_RETRY_POLICY

_REASONS = {
    "InternalServerError": "SageMaker.JOB_INTERNAL_ERROR",
    "CapacityError": "SageMaker.CAPACITY_ERROR",
    "InsufficientCapacityError": "SageMaker.CAPACITY_ERROR",
    "ResourceLimitExceeded": "SageMaker.RESOURCE_LIMIT",
}
"""What a job's FailureReason begins with."""

_NOT_IMPLEMENTED = 501


def kind_of_call_error(error: ServiceError) -> str | None:
    """What retry policies call the error of an operation."""
    if "Throttl" in error.code or error.code == "TooManyRequestsException":
        return "Step.THROTTLING"
    if error.code == "ResourceLimitExceeded":
        return "SageMaker.RESOURCE_LIMIT"
    if error.status >= 500 and error.status != _NOT_IMPLEMENTED:
        return "Step.SERVICE_FAULT"
    return None


def kind_of_job_failure(reason: str, step_type: str) -> str | None:
    """What retry policies call the failure of a job.

    A tuning job tries its training jobs again by itself: an internal error of it is for no policy.
    """
    kind = _REASONS.get(reason.partition(":")[0].strip())
    return None if step_type == "Tuning" and kind == "SageMaker.JOB_INTERNAL_ERROR" else kind


class Retries:
    """Counts one step's retries against its policies."""

    def __init__(self, policies: Sequence[RetryPolicy]) -> None:
        self._policies = (*policies, DEFAULT_RETRY_POLICY)
        self._started = time.monotonic()
        self._used: Counter[RetryPolicy] = Counter()

    def covers(self, kind: str) -> bool:
        """Whether a policy is for that kind of error."""
        return self._policy(kind) is not None

    def delay(self, kind: str | None) -> float | None:
        """Seconds until the next attempt after an error; None where there is to be none."""
        policy = None if kind is None else self._policy(kind)
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

    def _policy(self, kind: str) -> RetryPolicy | None:
        return next((policy for policy in self._policies if kind in policy.exceptions), None)
