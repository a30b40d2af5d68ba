"""Checks schedules as EventBridge does, which refuses them only when a rule is put.

Sources: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cron-expressions.html and
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rate-expressions.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_POSITIVE = "0*[1-9][0-9]*"

SCHEDULE = rf"cron\(\s*\S+(\s+\S+){{5}}\s*\)|rate\(\s*{_POSITIVE}\s+(minute|hour|day)s?\s*\)"
"""The form of a schedule, for editors: the fields of cron are counted, not read."""

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_DAYS = ("day-of-month", "day-of-week")


@dataclass(frozen=True)
class _Field:
    """A field of a cron expression.

    Attributes:
        name: its name in AWS's documentation, in lower case.
        first: its smallest number.
        last: its largest number.
        names: the names of its numbers, from the first on; EventBridge takes any case.
        special: a pattern of the items that only this field has.
        words: these items, for messages.
    """

    name: str
    first: int
    last: int
    names: tuple[str, ...] = ()
    special: str = ""
    words: str = ""

    def takes(self, value: str) -> bool:
        """Return whether the field takes a value: items between commas."""
        if value == "?":
            return self.name in _DAYS
        items = value.upper().split(",")
        # AWS reads 3#1,6#3 as two expressions, and refuses it.
        return all(map(self._is_item, items)) and (len(items) == 1 or "#" not in value)

    def __str__(self) -> str:
        names = f" or {self.names[0]}-{self.names[-1]}" if self.names else ""
        return f"{self.first}-{self.last}{names}, with , - * /{self.words}"

    def _is_item(self, item: str) -> bool:
        """Return whether a text is a value, a range or a special item, with or without an increment.

        A range may end before it begins: 20-2 are hours over midnight, in AWS's own example.
        """
        if self.special and re.fullmatch(self.special, item):
            return self._has_numbers(item)
        start, slash, increment = item.partition("/")
        if slash and not re.fullmatch(_POSITIVE, increment):
            return False
        return start == "*" or (start.count("-") < 2 and all(map(self._is_value, start.split("-"))))

    def _has_numbers(self, special: str) -> bool:
        """Return whether the number with which a special item begins, if there is one, is the field's."""
        number = re.match("[0-9]+", special)
        return number is None or self._is_value(number[0])

    def _is_value(self, text: str) -> bool:
        return text in self.names or (bool(re.fullmatch("[0-9]{1,4}", text)) and self.first <= int(text) <= self.last)


_CRON = (
    _Field("minutes", 0, 59),
    _Field("hours", 0, 23),
    _Field("day-of-month", 1, 31, special=r"L|L-[0-9]{1,2}|LW|[0-9]{1,2}W", words=" ? L W"),
    _Field("month", 1, 12, _MONTHS),
    _Field("day-of-week", 1, 7, _WEEKDAYS, rf"L|([0-9]|{'|'.join(_WEEKDAYS)})(L|#[1-5])", " ? L #"),
    _Field("year", 1970, 2199),
)


def check_schedule(value: str) -> str:
    """Return a schedule that EventBridge takes.

    Args:
        value: ``cron(...)`` with six fields or ``rate(...)`` with two, separated by white space.

    Raises:
        ValueError: EventBridge would refuse the schedule; the message names the field.
    """
    form = re.fullmatch(r"(cron|rate)\((.*)\)", value, re.DOTALL)
    if not form:
        raise ValueError(f"{value!r} is not cron(...) or rate(...)")
    fields = form[2].split()
    found = list(_cron_faults(fields) if form[1] == "cron" else _rate_faults(fields))
    if found:
        raise ValueError(f"EventBridge would refuse {value!r}: {'; '.join(found)}")
    return value


def _cron_faults(values: list[str]) -> Iterator[str]:
    if len(values) != len(_CRON):
        names = " ".join(field.name for field in _CRON)
        yield f"cron has {len(_CRON)} fields, not {len(values)}: {names}"
        return
    given = {field.name: value for field, value in zip(_CRON, values, strict=True)}
    for field in _CRON:
        if not field.takes(given[field.name]):
            yield f"{field.name} takes {field}, not {given[field.name]}"
    days = [given[name] for name in _DAYS]
    if days.count("?") != 1:
        yield f"one of {' and '.join(_DAYS)} must be ? and the other not; they are {' and '.join(days)}"


def _rate_faults(fields: list[str]) -> Iterator[str]:
    if len(fields) != 2:
        yield f"rate has 2 fields, not {len(fields)}: value unit"
        return
    value, unit = fields
    if not re.fullmatch(_POSITIVE, value):
        yield f"value takes a whole number of at least 1, not {value}"
        return
    units = ("minute", "hour", "day") if int(value) == 1 else ("minutes", "hours", "days")
    if unit not in units:
        yield f"unit takes {', '.join(units[:-1])} or {units[-1]} for {value}, not {unit}"
