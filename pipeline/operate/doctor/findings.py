"""What a check found, and running a check whose requests may fail."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from botocore.exceptions import BotoCoreError, ClientError

from pipeline.errors import UserError
from pipeline.operate.aws_errors import reason


class State(StrEnum):
    """How a check ended; ``FAILED`` is what stops an execution."""

    OK = "ok"
    ATTENTION = "attention"
    FAILED = "failed"
    UNKNOWN = "could not be checked"


@dataclass(frozen=True)
class Finding:
    """One line of the table.

    Attributes:
        subject: what was checked.
        state: how it is.
        found: what was found.
        to_do: what to do about it, or what to know of it; empty when there is nothing.
    """

    subject: str
    state: State
    found: str
    to_do: str = ""


def attempt(subject: str, check: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """Run a check; a request that AWS refuses becomes a finding of its own.

    Args:
        subject: names the check where it cannot name itself.
        check: gives its findings. Those that it gave before a refusal are kept.
    """
    try:
        yield from check()
    except (ClientError, BotoCoreError) as error:
        yield Finding(subject, State.UNKNOWN, reason(error), _remedy(error))
    except UserError as error:
        yield Finding(subject, State.FAILED, str(error))


def _remedy(error: Exception) -> str:
    if isinstance(error, ClientError) and reason(error).startswith("your identity may not"):
        return "docs/first-run-on-aws.md lists the permissions that 'make doctor' uses"
    return ""
