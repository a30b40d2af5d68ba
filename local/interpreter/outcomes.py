"""The ways in which a step ends other than by succeeding."""

from __future__ import annotations


class StepFailedError(Exception):
    """A step failed.

    Attributes:
        reason: the step's FailureReason.
        kind: what retry policies call the error; None where no policy is for it.
    """

    def __init__(self, reason: str, kind: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind = kind


class StepStoppedError(Exception):
    """The execution is being stopped, and the step with it."""
