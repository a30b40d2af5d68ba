"""Chooses the use of each column of a file whose columns nobody has declared, and says why."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from pipeline.config.column_counts import Column
from pipeline.config.columns import DatePart
from pipeline.config.delimited import numbers_among
from pipeline.config.missing_marks import taken_as_missing
from pipeline.config.month_names import is_date_with_month, month_advice
from pipeline.config.number_texts import formatted_number_advice
from pipeline.config.profile import Profile
from pipeline.config.roles import IGNORED, Role
from pipeline.errors import UserError
from pipeline.text import number_of, some_of

LEFT_OUT = "left out"

_MOST_MISSING = 0.5
"""The share of missing values above which a column is left out."""

_OFTEN_MISSING = 0.05
"""The share of missing values from which on it may tell something that a value is missing."""

MIN_FREQUENCY, MAX_CATEGORIES = 10, 50
_FREQUENT = 0.5
"""The share of rows with frequent values from which on a column of many texts is a category."""

_HANDFUL = 5
_SKEWED = 1.0
"""The skewness above which a distribution is called skewed."""

_COUNTER_NAME = re.compile(r"(^|[ _.-])(id|uuid|index|key|nr|no|number|row|rownames)$|^unnamed|^x$", re.I)
_DATE_FORMATS = (
    None,
    *("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y/%m/%d", "%d.%m.%y", "%m/%d/%y"),
    *("%d %B %Y", "%d %b %Y", "%B %d, %Y", "%b %d, %Y", "%d-%b-%Y"),
    *("%d.%m.%Y %H:%M", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%b %d %Y", "%d-%b-%y"),
)
"""Formats of dates that are usual; None is ISO 8601."""


@dataclass(frozen=True)
class Choice:
    """The use of a column.

    Attributes:
        column: the column.
        use: ``numeric``, ``date``, ``categorical`` or ``left out``.
        remark: the reason, or what is uncertain; may be empty.
        has_rare_values: whether only frequent values of a category get a feature of their own.
        date_format: the format of dates; None for ISO 8601.
        parts: the parts of dates that differ.
    """

    column: Column
    use: str
    remark: str = ""
    has_rare_values: bool = False
    date_format: str | None = None
    parts: tuple[DatePart, ...] = ()

    @property
    def treatment(self) -> str | None:
        """The treatment of missing values, if there are any."""
        if self.use == LEFT_OUT or not self.column.missing:
            return None
        return "median" if self.use == "numeric" else "most_frequent"

    @property
    def has_indicator(self) -> bool:
        """Whether values are missing so often that a feature says where."""
        return self.treatment is not None and self.column.missing >= _OFTEN_MISSING * self.column.rows


def choice_of(column: Column, profile: Profile) -> Choice:
    """Return the use of a column that is not the label."""
    if not column.name:
        return Choice(column, LEFT_OUT, "has no name")
    if column.missing > _MOST_MISSING * column.rows:
        return Choice(column, LEFT_OUT, f"{column.missing / column.rows:.0%} of its values are missing")
    if column.distinct == 1:
        return Choice(column, LEFT_OUT, "constant" if not column.missing else "has one value, and missing ones")
    if column.numbers == column.known:
        return _of_numbers(column)
    if column.has_dates or (column.has_month_names and _formats_of(column)):
        return _of_dates(column)
    return _of_texts(column, profile)


def drafted_roles(profile: Profile) -> dict[str, Role]:
    """Return the roles that a draft gives the columns that are not the label."""
    roles = {}
    for column in profile.columns:
        choice = choice_of(column, profile)
        role = replace(
            column.role,
            name=choice.use,
            date_format=choice.date_format,
            may_be_missing=True,
            decimal=profile.form.decimal,
        )
        roles[column.name] = IGNORED if choice.use == LEFT_OUT else role
    return roles


def named(profile: Profile, label: str) -> Column:
    """Return the column to predict.

    Raises:
        UserError: the file has no such column.
    """
    columns = {column.name: column for column in profile.columns}
    if label not in columns:
        doubt = ". Is its first line a row? Then add a header that names the columns" if numbers_among(columns) else ""
        raise UserError(f"LABEL: {profile.path} has no column {label!r}. It has: {some_of(columns)}{doubt}")
    return columns[label]


def counts_rows(column: Column) -> bool:
    """Return whether the numbers grow from row to row, and the steps or the column's name say that they count."""
    return column.is_counter and (has_name_of_identifier(column) or _steps_of_one(column))


def has_name_of_identifier(column: Column) -> bool:
    """Return whether a column's name is usual for identifiers and row numbers."""
    return _COUNTER_NAME.search(column.name) is not None


def skewness(numbers: np.ndarray) -> float:
    """Return the skewness of numbers: above 0 if the long tail is on the right. It is 0 if all are equal."""
    spread = float(numbers.std())
    return float((((numbers - numbers.mean()) / spread) ** 3).mean()) if spread else 0.0


def without_extremes(numbers: np.ndarray) -> np.ndarray:
    """Return numbers in order, without a handful at each end: 1 %, or up to five if these are at most 5 %."""
    few = max(min(_HANDFUL, len(numbers) // 20), len(numbers) // 100)
    return np.sort(numbers)[few : len(numbers) - few]


def log_may_help(label: Column) -> bool:
    """Return whether the numbers are not negative and skewed to the right, and the logarithms of 1 + x are less so.

    A handful of extreme numbers does not count: they skew any distribution, and logarithms make it worse.
    """
    if label.lowest < 0 or not label.numbers:
        return False
    numbers = without_extremes(label.sample.numbers)
    return skewness(numbers) > max(_SKEWED, abs(skewness(np.log1p(numbers))))


def _of_numbers(column: Column) -> Choice:
    if counts_rows(column):
        return Choice(column, LEFT_OUT, "a number of the rows")
    remarks = [f"only {number_of(column.distinct, 'value')}: a category?"] if 2 < column.distinct <= 6 else []
    return Choice(column, "numeric", "; ".join([*_strays(column, "numbers"), *remarks]))


def _strays(column: Column, kind: str) -> list[str]:
    taken = column.taken_as_missing
    return [taken_as_missing(kind, column.known, taken)] if taken else []


def _of_dates(column: Column) -> Choice:
    formats = _formats_of(column)
    if not formats:
        return Choice(column, LEFT_OUT, f"dates such as {next(iter(column.counts))!r}: give dataset.dates their format")
    dates = _parsed(column.counts, formats[0]) or []
    swapped = len(formats) > 1 and any("%d/%m" in str(form) for form in formats)
    remarks = [*_strays(column, "dates"), *(["day or month first? No date tells"] if swapped else [])]
    return Choice(column, "date", "; ".join(remarks), date_format=formats[0], parts=_parts_of(dates))


def _formats_of(column: Column) -> list[str | None]:
    """Return the usual formats that all of a column's dates have."""
    return [form for form in _DATE_FORMATS if _parsed(column.counts, form) is not None]


def _parsed(texts: Iterable[str], form: str | None) -> list[datetime] | None:
    """Return the dates of texts, or None if they are not in the format."""
    try:
        return [datetime.fromisoformat(text) if form is None else datetime.strptime(text, form) for text in texts]
    except ValueError:
        return None


def _parts_of(dates: list[datetime]) -> tuple[DatePart, ...]:
    values: dict[DatePart, set[int]] = {
        "year": {date.year for date in dates},
        "month": {date.month for date in dates},
        "weekday": {date.weekday() for date in dates},
        "hour": {date.hour for date in dates},
    }
    return tuple(part for part, found in values.items() if len(found) > 1) or ("days",)


def _of_texts(column: Column, profile: Profile) -> Choice:
    doubt = _doubt(column)
    if column.has_decimal_commas:
        return Choice(column, LEFT_OUT, "numbers with a decimal comma, and other columns have decimal points")
    if column.has_few_values:
        return Choice(column, "categorical", doubt)
    # If there are too many values to count, the counts are those of a part of the rows.
    counted = sum(column.counts.values())
    frequent = sum(sorted((n for n in column.counts.values() if n >= MIN_FREQUENCY), reverse=True)[:MAX_CATEGORIES])
    if frequent < _FREQUENT * counted:
        known = f"text with {column.distinct} values in {number_of(profile.rows, 'row')}"
        return Choice(column, LEFT_OUT, doubt or known)
    return Choice(column, "categorical", doubt or number_of(column.distinct, "value"), has_rare_values=True)


def _doubt(column: Column) -> str:
    """Return what makes a column of texts doubtful, without a stop; may be empty."""
    if column.has_month_names:
        return month_advice(next(filter(is_date_with_month, column.counts)))
    if column.is_formatted:
        return formatted_number_advice(column.first_formatted)
    if column.numbers > column.known / 2:
        return f"{column.numbers} of {column.known} are numbers, others are texts such as {column.other!r}: right?"
    return ""


def _steps_of_one(column: Column) -> bool:
    """Return whether a strictly increasing column has no gaps: its variance is then that of 1 to n."""
    return math.isclose(column.variance, (column.rows**2 - 1) / 12, rel_tol=1e-6)
