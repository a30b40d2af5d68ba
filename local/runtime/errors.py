"""The error that fails a job."""

from __future__ import annotations


class JobFailedError(Exception):
    """The job failed. The message is its FailureReason."""
