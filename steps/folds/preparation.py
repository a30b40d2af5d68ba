"""How columns are prepared: decimal commas, missing values, dates, rare categories, and the label."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

DROP, MEDIAN, MOST_FREQUENT = "drop", "median", "most_frequent"
LOG1P = "log1p"
MISSING_VALUES = ("", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "?")

_EPOCH = datetime(1970, 1, 1).toordinal()

PARTS: Mapping[str, Callable[[datetime], int]] = {
    "year": lambda date: date.year,
    "month": lambda date: date.month,
    "day": lambda date: date.day,
    "weekday": lambda date: date.weekday(),
    "day_of_year": lambda date: date.timetuple().tm_yday,
    "hour": lambda date: date.hour,
    "days": lambda date: date.toordinal() - _EPOCH,
}
"""The features that can be made from a date. Weekdays count from Monday, which is 0; ``days`` from 1970-01-01."""


@dataclass(frozen=True)
class Dates:
    """How a column of dates becomes numbers.

    Attributes:
        parts: keys of ``PARTS``, one feature each.
        format: the format for ``datetime.strptime``; None for ISO 8601.
    """

    parts: Sequence[str]
    format: str | None = None

    def features_of(self, text: str) -> tuple[str, ...]:
        """Return the parts of a date as text; empty texts if it is not a date."""
        try:
            date = datetime.fromisoformat(text) if self.format is None else datetime.strptime(text, self.format)
        except ValueError:
            return ("",) * len(self.parts)
        return tuple(str(PARTS[part](date)) for part in self.parts)


@dataclass(frozen=True)
class Limits:
    """Which values of a column get a feature of their own, if they are found in the data.

    Attributes:
        min_frequency: the fewest rows that a value must have.
        max_categories: the largest number of values; None for no limit.
    """

    min_frequency: int = 1
    max_categories: int | None = None


@dataclass(frozen=True)
class Preparation:
    """How columns are prepared.

    Attributes:
        decimal: the decimal separator of numbers.
        label_transform: ``log1p`` or None.
        dates: the columns of dates.
        missing: the treatment of missing values by column: ``drop``, ``median`` or ``most_frequent``.
        missing_values: the texts that stand for missing values.
        indicators: the columns with a feature ``<column>_missing``.
        other: the categorical columns with a feature ``<column>_other`` for all values that are not listed.
        found: the categorical columns whose values are found in the data.
        fills: what replaces missing values by column, once it is learned.
        classes: the label's texts in the order of the classes, whose numbers replace them; none if it is a number.
    """

    decimal: str = "."
    label_transform: str | None = None
    dates: Mapping[str, Dates] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    missing_values: Sequence[str] = MISSING_VALUES
    indicators: Sequence[str] = ()
    other: Collection[str] = ()
    found: Mapping[str, Limits] = field(default_factory=dict)
    fills: Mapping[str, str] = field(default_factory=dict)
    classes: Sequence[str] = ()

    @property
    def filled(self) -> dict[str, str]:
        """The columns whose missing values are replaced, with how the replacement is chosen."""
        return {column: how for column, how in self.missing.items() if how != DROP}

    @property
    def is_needed(self) -> bool:
        """Whether any column differs from its text in the file, or the label has classes."""
        return self.changes_rows or bool(self.classes)

    @property
    def changes_rows(self) -> bool:
        """Whether any column differs from its text in the file."""
        has_other_classes = list(self.classes) != [str(number) for number in range(len(self.classes))]
        return self.decimal != "." or bool(
            self.label_transform or self.dates or self.missing or self.other or self.found or has_other_classes
        )
