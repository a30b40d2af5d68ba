"""Which events of a PutLogEvents request are stored, and which requests are refused.

Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from dataclasses import dataclass

from local.api.logs.errors import invalid

_LARGEST_BATCH, _EVENT_OVERHEAD = 1024 * 1024, 26
"""Maximum bytes of a batch or an event, and the bytes that each event counts beside its message."""
_DAY = 24 * 3600 * 1000
_LONGEST_AGO, _LONGEST_AHEAD = 14 * _DAY, 2 * 3600 * 1000
"""Milliseconds that an event's time may be in the past and in the future."""

Events = list[tuple[int, str]]


@dataclass(frozen=True)
class Batch:
    """The events of a request.

    Attributes:
        accepted: times (milliseconds since the epoch) and messages to store.
        rejected: the response's RejectedLogEventsInfo, empty if all events are accepted.
    """

    accepted: Events
    rejected: dict[str, int]


def check_batch(events: Events, retention: int | None, now: int) -> Batch:
    """Sort out the events that CloudWatch Logs does not store.

    Args:
        events: times (milliseconds since the epoch) and messages, at least one.
        retention: the group's retention in days, or None.
        now: milliseconds since the epoch.

    Raises:
        ServiceError: InvalidParameterException, the events are too large, in disorder, or of more than 24 hours.
    """
    _check_sizes(events)
    times = [timestamp for timestamp, _ in events]
    if any(later < earlier for earlier, later in itertools.pairwise(times)):
        raise invalid("Log events in a single PutLogEvents request must be in chronological order.")
    old, new = bisect_left(times, now - _LONGEST_AGO), bisect_right(times, now + _LONGEST_AHEAD)
    if old < new and times[new - 1] - times[old] > _DAY:
        raise invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
    expired = bisect_left(times, now - retention * _DAY) if retention else 0
    rejected = {
        **({"tooNewLogEventStartIndex": new} if new < len(times) else {}),
        **({"tooOldLogEventEndIndex": old} if old else {}),
        **({"expiredLogEventEndIndex": expired} if expired > old else {}),
    }
    return Batch(events[max(old, expired) : new], rejected)


def _check_sizes(events: Events) -> None:
    sizes = [len(message.encode(errors="replace")) + _EVENT_OVERHEAD for _, message in events]
    for what, size in (("Log event", max(sizes)), ("Upload", sum(sizes))):
        if size > _LARGEST_BATCH:
            raise invalid(f"{what} too large: {size} bytes exceeds limit of {_LARGEST_BATCH}")
