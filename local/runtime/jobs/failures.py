"""Conversion of errors to failed job outcomes."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import TypeVar

from local.core.disk import NO_SPACE, is_full
from local.core.errors import ServiceError
from local.core.outcomes import JobOutcome, failed
from local.runtime.errors import JobFailedError
from local.runtime.jobs.inputs import InputError
from local.runtime.supervisor import ServiceStoppingError

Result = TypeVar("Result")


def outcome_of(work: Callable[[], Result], write: Callable[[list[str]], None]) -> Result | JobOutcome:
    """Run a job's work. Convert any error to a Failed outcome with a reason.

    Args:
        work: The function to run.
        write: Appends lines about the error to the job's log.

    Returns:
        The return value of ``work``, or the Failed outcome.

    Raises:
        ServiceStoppingError: The service is shutting down.
    """
    try:
        return work()
    except ServiceStoppingError:
        raise
    except (InputError, JobFailedError) as error:
        write([str(error)])
        return failed(str(error))
    except ServiceError as error:
        write([error.message])
        return failed(f"ClientError: {error.message}")
    except Exception as error:
        if is_full(error):
            reason = f"InternalServerError: {NO_SPACE}"
            write([reason])
            return failed(reason)
        write(traceback.format_exc().splitlines())
        return failed(f"InternalServerError: the local service could not run the job: {error!r}")


def program_failure(status: int, last_lines: list[str]) -> str:
    """Return the FailureReason of a job whose program failed.

    SageMaker's reason is ``AlgorithmError: , exit code: 1``. This one adds the program's last message, because the
    exit code alone does not explain the failure.

    Args:
        status: The exit status. A negative status is the number of the signal that ended the program.
        last_lines: The last lines of the program's output.
    """
    return f"AlgorithmError: {_last_message(last_lines)[:900]}, exit code: {exit_code(status)}"


def exit_code(status: int) -> int:
    """Return a container's exit code for its program's exit status, as Docker does."""
    return status if status >= 0 else 128 - status


def _last_message(lines: list[str]) -> str:
    """Return the last unindented line and the indented lines after it, joined by spaces."""
    message: list[str] = []
    for line in reversed(lines):
        if line.strip():
            message.append(line.strip())
            if not line[0].isspace():
                break
    return " ".join(reversed(message))
