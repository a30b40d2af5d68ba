"""Exceptions that end a step without success."""

from __future__ import annotations


class StepFailedError(Exception):
    """A step failed.

    Attributes:
        reason: The step's FailureReason.
        exception_type: The error's ExceptionType in retry policies; None if no policy can cover the error.
    """

    def __init__(self, reason: str, exception_type: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.exception_type = exception_type


class StepStoppedError(Exception):
    """The step stopped because its execution is stopping."""
