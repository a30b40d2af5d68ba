"""The errors whose message is for the user."""

from __future__ import annotations

from pathlib import Path

LONGEST_MESSAGE = 1024
"""SageMaker shows this many bytes of ``/opt/ml/output/message``."""


class StepError(Exception):
    """The job cannot do its work. The message is for the user."""


class SelectionError(StepError):
    """No model can be selected. The message says why."""


class NoRegionError(StepError):
    """The environment names no AWS region."""


def leave_reason(error: Exception, message: Path | None) -> None:
    """Write the reason of the failure to the file that becomes the job's ExitMessage (its first kilobyte).

    The file must be UTF-8, or the job fails with another reason.
    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/byoc-metadata.html

    Args:
        error: the error.
        message: ``/opt/ml/output/message``, or None to write nothing.
    """
    if message is None:
        return
    reason = str(error) if isinstance(error, StepError) else f"{type(error).__name__}: {error}"
    message.parent.mkdir(parents=True, exist_ok=True)
    message.write_bytes(reason.encode(errors="replace")[:LONGEST_MESSAGE].decode(errors="ignore").encode())
