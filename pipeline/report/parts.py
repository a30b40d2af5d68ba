"""What an execution left, or the reason why it is not there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from botocore.exceptions import ClientError

from pipeline.operate.aws_errors import reason
from pipeline.operate.results import ResultsDeletedError

T = TypeVar("T")


class MissingError(Exception):
    """Something that the page would show is not there. The message is a sentence for the page's reader."""


@dataclass(frozen=True)
class Part(Generic[T]):
    """Something that an execution left.

    Attributes:
        value: the content; None if it is missing.
        missing: why it is missing, as a sentence; empty if it is there.
    """

    value: T | None
    missing: str = ""

    @classmethod
    def of(cls, read: Callable[[], T]) -> Part[T]:
        """Return what a function reads. If it is missing or AWS refuses it, the part says so."""
        try:
            return cls(read())
        except (MissingError, ResultsDeletedError) as error:
            return cls(None, str(error))
        except ClientError as error:
            return cls(None, f"It cannot be read: {reason(error)}.")
