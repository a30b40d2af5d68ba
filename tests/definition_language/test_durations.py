"""Durations in the forms of AWS's documentation and of the SDK's docstrings."""

from __future__ import annotations

from datetime import timedelta

import pytest

from definition_language.durations import DurationError, parse_duration


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("P30D", timedelta(days=30)),
        ("P1Y2M3W4D", timedelta(days=365 + 60 + 21 + 4)),
        ("PT1H30M5S", timedelta(hours=1, minutes=30, seconds=5)),
        ("P30M", timedelta(days=900)),
        ("PT30M", timedelta(minutes=30)),
        # From the developer guide, "Turn on step caching".
        ("30d", timedelta(days=30)),
        ("5y", timedelta(days=5 * 365)),
        ("T16m", timedelta(minutes=16)),
        ("30dT5h", timedelta(days=30, hours=5)),
        ("30DT5h", timedelta(days=30, hours=5)),
        # From the docstring of the SDK's CacheConfig.
        ("p30d", timedelta(days=30)),
        ("P4DT12H", timedelta(days=4, hours=12)),
        ("T12H", timedelta(hours=12)),
        ("P7d", timedelta(days=7)),
        ("2w", timedelta(days=14)),
        ("30m", timedelta(days=900)),
    ],
)
def test_durations(text, expected) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "T",
        "PT",
        "30dT",
        "30",
        "P30",
        "D30",
        "12h",
        "P12H",
        "P1.5D",
        "1 day",
        "-P1D",
        "P1D2M",
        "T1D",
        "P٣D",
        "P30D\n",
    ],
)
def test_what_is_no_duration_is_refused(text) -> None:
    with pytest.raises(DurationError, match="is not an ISO 8601 duration"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["P99999999999D", f"P{'9' * 5000}D"])
def test_a_duration_without_end_is_refused(text) -> None:
    with pytest.raises(DurationError, match="is too long"):
        parse_duration(text)
