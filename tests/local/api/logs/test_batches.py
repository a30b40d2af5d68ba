"""Which events PutLogEvents stores."""

from __future__ import annotations

import pytest

from local.api.logs.batches import check_batch
from local.core.errors import ServiceError

HOUR = 3600 * 1000
DAY = 24 * HOUR
NOW = 1_800_000_000_000


@pytest.mark.parametrize(
    ("times", "retention", "accepted", "rejected"),
    [
        ([0], None, [0], {}),
        ([-14 * DAY - 1, -14 * DAY, -13 * DAY], None, [-14 * DAY, -13 * DAY], {"tooOldLogEventEndIndex": 1}),
        ([0, 2 * HOUR, 2 * HOUR + 1, DAY * 9], None, [0, 2 * HOUR], {"tooNewLogEventStartIndex": 2}),
        ([-DAY - 1, -DAY, -1], 1, [-DAY, -1], {"expiredLogEventEndIndex": 1}),
        ([-DAY - 1, -2], 3, [-DAY - 1, -2], {}),
        ([-20 * DAY, -4 * DAY], 3, [], {"tooOldLogEventEndIndex": 1, "expiredLogEventEndIndex": 2}),
        ([-20 * DAY], 30, [], {"tooOldLogEventEndIndex": 1}),
        # Rejected events do not count for the 24 hours.
        ([-15 * DAY, 0, 3 * HOUR], None, [0], {"tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 2}),
        ([-DAY, 0], None, [-DAY, 0], {}),
    ],
)
def test_events_are_rejected_by_their_age(times, retention, accepted, rejected) -> None:
    try:
        batch = check_batch([(NOW + time, "message") for time in times], retention, NOW)
    except ServiceError as error:
        pytest.fail(error.message)
    assert ([time - NOW for time, _ in batch.accepted], batch.rejected) == (accepted, rejected)


@pytest.mark.parametrize("times", [[-DAY - 1, 0], [-15 * DAY, -3 * DAY, -2 * DAY + 1], [-DAY + HOUR, 2 * HOUR]])
def test_a_batch_does_not_span_more_than_a_day(times) -> None:
    with pytest.raises(ServiceError, match="cannot span more than 24 hours"):
        check_batch([(NOW + time, "message") for time in times], None, NOW)
