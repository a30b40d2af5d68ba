"""How jobs end."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import TypeVar

from local.core.errors import ServiceError
from local.core.outcomes import JobOutcome, failed
from local.runtime.jobs.inputs import InputError
from local.runtime.supervisor import ServiceStoppingError

Result = TypeVar("Result")


class JobFailedError(Exception):
    """A job fails. The text is its FailureReason."""


def outcome_of(work: Callable[[], Result], write: Callable[[list[str]], None]) -> Result | JobOutcome:
    """Run a job's work. Convert any error to a Failed outcome with a reason.

    Args:
        work: the work.
        write: takes lines about what went wrong for the job's log.

    Returns:
        What the work returns, or the Failed outcome.

    Raises:
        ServiceStoppingError: the service is going down.
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
        write(traceback.format_exc().splitlines())
        return failed(f"InternalServerError: the local service could not run the job: {error!r}")


def program_failure(status: int, last_lines: list[str]) -> str:
    """Return the FailureReason for an exit status, with the program's last message.

    SageMaker says ``AlgorithmError: , exit code: 1``; what it leaves empty there tells a user most.
    """
    code = status if status >= 0 else 128 - status
    return f"AlgorithmError: {_last_message(last_lines)[:900]}, exit code: {code}"


def _last_message(lines: list[str]) -> str:
    """Return the last unindented line and the indented lines after it."""
    message: list[str] = []
    for line in reversed(lines):
        if line.strip():
            message.append(line.strip())
            if not line[0].isspace():
                break
    return " ".join(reversed(message))
