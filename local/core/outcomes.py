"""How a job ends."""

from __future__ import annotations

from dataclasses import dataclass

_LONGEST_REASON = 1024


@dataclass(frozen=True)
class JobOutcome:
    """The outcome of a job.

    Attributes:
        status: ``Completed``, ``Failed`` or ``Stopped``.
        reason: FailureReason, at most 1024 characters.
        message: ExitMessage of a processing job: what its program wrote to ``/opt/ml/output/message``.
        time_limit_exceeded: whether it was stopped because its time was up.
    """

    status: str
    reason: str | None = None
    message: str | None = None
    time_limit_exceeded: bool = False


def failed(reason: str, message: str | None = None) -> JobOutcome:
    """The ending of a job that failed."""
    return JobOutcome("Failed", reason[:_LONGEST_REASON], message)
