"""Outcomes of jobs."""

from __future__ import annotations

from dataclasses import dataclass

_LONGEST_REASON = 1024


@dataclass(frozen=True)
class JobOutcome:
    """Tells how a job ended and why.

    Attributes:
        status: ``Completed``, ``Failed`` or ``Stopped``.
        reason: The FailureReason, at most 1024 characters.
        message: The ExitMessage of a processing job. Its program writes it to ``/opt/ml/output/message``.
        time_limit_exceeded: Whether the job was stopped because it reached its time limit.
    """

    status: str
    reason: str | None = None
    message: str | None = None
    time_limit_exceeded: bool = False


def failed(reason: str, message: str | None = None) -> JobOutcome:
    """Return the outcome of a job that failed."""
    return JobOutcome("Failed", reason[:_LONGEST_REASON], message)
