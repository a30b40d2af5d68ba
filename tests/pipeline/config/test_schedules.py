"""Schedules that EventBridge takes, and the field that is wrong in those that it refuses."""

from __future__ import annotations

import re

import pytest

from pipeline.config.schedules import SCHEDULE, check_schedule


@pytest.mark.parametrize(
    "schedule",
    [
        "rate(1 minute)",
        "rate(5 minutes)",
        "rate(1 hour)",
        "rate(21 days)",
        # AWS's own examples.
        "cron(0 10 * * ? *)",
        "cron(0 18 ? * MON-FRI *)",
        "cron(0 8 1 * ? *)",
        "cron(0/10 * ? * MON-FRI *)",
        "cron(0/30 20-2 ? * MON-FRI *)",
        "cron(0 9 ? * 2#1 *)",
        "cron(0 0 3W * ? *)",
        "cron(0,30 */6 L JAN,jul ? 2030-2199)",
        "cron(5 11-23/2 LW * ? *)",
        "cron(5 0 L-3 1-12/3 ? 1970/2)",
        "cron(0 3 ? * 6L *)",
        "cron(0 3 ? * friL *)",
        "cron(0 3 ? * Mon#5 *)",
        "cron(0  3  *  *  ?  *)",
    ],
)
def test_a_schedule_that_eventbridge_takes_is_good(schedule) -> None:
    assert check_schedule(schedule) == schedule
    assert re.fullmatch(SCHEDULE, schedule)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("every day", "'every day' is not cron(...) or rate(...)"),
        ("cron(0 3 * * ? *) ", "is not cron(...) or rate(...)"),
        ("cron(x)", "cron has 6 fields, not 1: minutes hours day-of-month month day-of-week year"),
        ("cron(0 3 * * ?)", "cron has 6 fields, not 5"),
        ("cron()", "cron has 6 fields, not 0"),
        ("cron(0 3 * * * *)", "one of day-of-month and day-of-week must be ? and the other not; they are * and *"),
        ("cron(0 3 ? * ? *)", "one of day-of-month and day-of-week must be ? and the other not; they are ? and ?"),
        ("cron(0 3 1 * MON *)", "one of day-of-month and day-of-week must be ? and the other not; they are 1 and MON"),
        ("cron(99 3 * * ? *)", "minutes takes 0-59, with , - * /, not 99"),
        ("cron(? 3 * * ? *)", "minutes takes 0-59, with , - * /, not ?"),
        ("cron(-1 3 * * ? *)", "minutes takes"),
        ("cron(1-2-3 3 * * ? *)", "minutes takes"),
        ("cron(0/0 3 * * ? *)", "minutes takes"),
        ("cron(0/ 3 * * ? *)", "minutes takes"),
        ("cron(1, 3 * * ? *)", "minutes takes"),
        ("cron(0 24 * * ? *)", "hours takes 0-23, with , - * /, not 24"),
        ("cron(0 20-25 * * ? *)", "hours takes"),
        ("cron(0 3pm * * ? *)", "hours takes"),
        ("cron(0 3 0 * ? *)", "day-of-month takes 1-31, with , - * / ? L W, not 0"),
        ("cron(0 3 32W * ? *)", "day-of-month takes"),
        ("cron(0 3 ?,1 * ? *)", "day-of-month takes"),
        ("cron(0 3 1 13 ? *)", "month takes 1-12 or JAN-DEC, with , - * /, not 13"),
        ("cron(0 3 1 L ? *)", "month takes"),
        ("cron(0 3 1 MON ? *)", "month takes"),
        ("cron(0 3 ? * 0 *)", "day-of-week takes 1-7 or SUN-SAT, with , - * / ? L #, not 0"),
        ("cron(0 3 ? * 2#6 *)", "day-of-week takes"),
        ("cron(0 3 ? * 3#1,6#3 *)", "day-of-week takes"),
        ("cron(0 3 ? * 8L *)", "day-of-week takes"),
        ("cron(0 3 * * ? 1969)", "year takes 1970-2199, with , - * /, not 1969"),
        ("cron(0 3 * * ? ?)", "year takes"),
        ("rate(7)", "rate has 2 fields, not 1: value unit"),
        ("rate(0 days)", "value takes a whole number of at least 1, not 0"),
        ("rate(-1 minutes)", "value takes a whole number of at least 1, not -1"),
        ("rate(1.5 hours)", "value takes a whole number of at least 1, not 1.5"),
        ("rate(7 day)", "unit takes minutes, hours or days for 7, not day"),
        ("rate(1 days)", "unit takes minute, hour or day for 1, not days"),
        ("rate(5 weeks)", "unit takes minutes, hours or days for 5, not weeks"),
    ],
)
def test_a_schedule_that_eventbridge_refuses_names_the_wrong_field(schedule, expected) -> None:
    with pytest.raises(ValueError, match=re.escape(expected)):
        check_schedule(schedule)


def test_all_wrong_fields_are_named_at_once() -> None:
    with pytest.raises(ValueError, match=r"minutes takes .*; hours takes .*; one of day-of-month"):
        check_schedule("cron(60 24 * * * *)")
