"""Findings of the checks, and running a check whose requests may fail."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from botocore.exceptions import BotoCoreError, ClientError

from pipeline.errors import UserError
from pipeline.operate.aws_errors import reason


class State(StrEnum):
    """The result of a check; ``FAILED`` means that an execution would fail."""

    OK = "ok"
    ATTENTION = "attention"
    FAILED = "failed"
    UNKNOWN = "could not be checked"


@dataclass(frozen=True)
class Finding:
    """One line of the table.

    Attributes:
        subject: what was checked.
        state: the result.
        found: what was found.
        to_do: what to do or to know; empty if there is nothing.
    """

    subject: str
    state: State
    found: str
    to_do: str = ""


def attempt(subject: str, check: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """Run a check, and turn an error of AWS into a finding.

    Args:
        subject: subject of the finding about an error.
        check: returns findings. Those before an error are kept.
    """
    try:
        yield from check()
    except (ClientError, BotoCoreError) as error:
        yield Finding(subject, State.UNKNOWN, reason(error), _remedy(error))
    except UserError as error:
        yield Finding(subject, State.FAILED, str(error))


def _remedy(error: Exception) -> str:
    if isinstance(error, ClientError) and reason(error).startswith("your identity may not"):
        return "docs/operations.md, 'Your own permissions', lists what 'make doctor' needs"
    return ""
