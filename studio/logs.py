"""Reads the logs of jobs and functions in CloudWatch."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from studio.aws import Aws
from studio.jobs import KINDS

_LATE = 10_000
"""How late a line may come after a newer one of another stream, in milliseconds."""


@dataclass(frozen=True)
class Source:
    """Where a log is.

    Attributes:
        group: the log group.
        prefix: how the names of its streams start; empty for all streams of the group.
        start: only lines from this moment on; None for all.
        end: only lines up to this moment; None for all.
    """

    group: str
    prefix: str = ""
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True)
class Line:
    """A line of a log.

    Attributes:
        time: when it was written.
        stream: the stream that it is in: one for each instance.
        message: its text.
    """

    time: datetime
    stream: str
    message: str


def job_log(kind: str, name: str) -> Source | None:
    """Return where the log of a job is, or None if its kind has none."""
    group = KINDS[kind].log_group if kind in KINDS else ""
    return Source(group, f"{name}/") if group else None


def function_log(arn: str, start: datetime | None, end: datetime | None) -> Source:
    """Return where the log of a Lambda function is, while a step called it."""
    name = arn.partition(":function:")[2].partition(":")[0]
    return Source(f"/aws/lambda/{name}", "", start, end)


class Tail:
    """Reads a log from its beginning, and then what is new.

    Args:
        aws: the account.
        source: where the log is.
    """

    def __init__(self, aws: Aws, source: Source) -> None:
        self._aws = aws
        self._source = source
        self._from = 0 if source.start is None else int(source.start.timestamp() * 1000)
        self._newest = 0
        # The next call gets the last lines again.
        self._seen: set[str] = set()
        self._token = ""

    @property
    def at_end(self) -> bool:
        """Whether everything that there was has been read."""
        return not self._token

    def more(self) -> list[Line]:
        """Return the next lines, of one call; empty if there are none yet."""
        request: Any = {"logGroupName": self._source.group, "startTime": self._from}
        if self._source.prefix:
            request["logStreamNamePrefix"] = self._source.prefix
        if self._source.end is not None:
            request["endTime"] = int(self._source.end.timestamp() * 1000) + 1000
        if self._token:
            request["nextToken"] = self._token
        try:
            answer = self._aws.logs.filter_log_events(**request)
        except ClientError as error:
            # A job's group and stream are made with its first line.
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            return []
        self._token = answer.get("nextToken", "")
        fresh = [each for each in answer.get("events", []) if each["eventId"] not in self._seen]
        self._remember(fresh)
        return [
            Line(datetime.fromtimestamp(each["timestamp"] / 1000, UTC), each["logStreamName"], each["message"])
            for each in fresh
        ]

    def _remember(self, events: list[Any]) -> None:
        self._seen |= {each["eventId"] for each in events}
        self._newest = max([self._newest, *(each["timestamp"] for each in events)])
        if not self._token:
            self._from = max(self._from, self._newest - _LATE)


def whole_log(aws: Aws, source: Source) -> Iterator[Line]:
    """Return all lines that a log has now. The first call of AWS is made at once, so that its error is known."""
    tail = Tail(aws, source)
    return itertools.chain(tail.more(), _rest(tail))


def _rest(tail: Tail) -> Iterator[Line]:
    while not tail.at_end:
        yield from tail.more()
