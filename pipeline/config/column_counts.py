"""Counts the values of a column, chunk by chunk and in bounded memory."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.config.missing_marks import MISSING, MOST_STRAYS, is_mark
from pipeline.config.month_names import is_date_with_month
from pipeline.config.number_texts import DECIMAL_COMMA, FORMATTED_NUMBER, WITH_POINT
from pipeline.config.roles import IGNORED, Role

MOST_VALUES = 50
"""The number of values up to which a column of text is a category."""

_FEWEST_ROWS_A_VALUE = 5
"""The rows that a text needs on average to be such a value, rather than a remark."""

_NEARLY_ALL = 0.95
"""The share of numbers, or of dates, from which on the other texts of a column are strays."""

MOST_COUNTED = 1000
"""The number of values up to which it is counted how often each occurs."""

_MOST_HASHES = 4096
"""The number of values up to which distinct values are counted. Of more, the number is estimated, within 5 %."""

_MOST_SAMPLED = 50_000
"""The number of numbers up to which all are kept for quantiles. Of more, random ones are."""

_DATE = r"\d{4}-\d{1,2}-\d{1,2}.*|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}.*"

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Hashes = npt.NDArray[np.uint64]


def _add_counts(counts: dict[str, int], texts: pd.Series[str], times: npt.NDArray[np.int64], most: int = 0) -> None:
    """Add how often texts occur, until there are more than ``most`` of them; 0 has no end."""
    if not most or len(counts) <= most:
        for text, count in zip(texts[: most + 1] if most else texts, times.tolist(), strict=False):
            counts[text] = counts.get(text, 0) + count


def as_numbers(texts: pd.Series[str], decimal: str) -> Floats:
    """Return texts as numbers; NaN for those that are no finite numbers.

    Args:
        texts: the texts, without blanks around them.
        decimal: the decimal separator.
    """
    plain = texts.str.translate(WITH_POINT) if decimal == "," else texts
    numbers = pd.to_numeric(plain, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    return np.where(np.isfinite(numbers), numbers, np.nan)


class Sample:
    """A random sample of numbers; all of them, as long as there are few."""

    def __init__(self) -> None:
        self._random = np.random.default_rng(0)
        self._pieces: list[Floats] = []
        self._size = 0
        self._share = 1.0

    @property
    def is_complete(self) -> bool:
        """Whether these are all numbers."""
        return self._share == 1

    @property
    def numbers(self) -> Floats:
        """The numbers of the sample."""
        return np.concatenate(self._pieces) if self._pieces else np.empty(0)

    def add(self, numbers: Floats) -> None:
        """Add numbers to choose from. Each number so far has the same chance to be in the sample."""
        self._keep([*self._pieces, self._some(numbers, self._share)])
        while self._size > _MOST_SAMPLED:
            self._share /= 2
            self._keep([self._some(self.numbers, 0.5)])

    def _keep(self, pieces: list[Floats]) -> None:
        self._pieces = pieces
        self._size = sum(map(len, pieces))

    def _some(self, numbers: Floats, share: float) -> Floats:
        return numbers if share == 1 else numbers[self._random.random(len(numbers)) < share]


class _Distinct:
    """The number of distinct values: exact if there are few, and else estimated from their smallest hashes.

    Hashes are evenly spread. Scaled to 0 to 1, the k-th smallest of n is about k / n, which gives n.
    """

    def __init__(self) -> None:
        self._least: Hashes = np.empty(0, np.uint64)

    @property
    def is_exact(self) -> bool:
        return len(self._least) < _MOST_HASHES

    def count(self) -> int:
        if self.is_exact:
            return len(self._least)
        return round((_MOST_HASHES - 1) / (float(self._least[-1]) / 2**64))

    def add(self, hashes: Hashes) -> None:
        if not self.is_exact:
            hashes = hashes[hashes < self._least[-1]]
        if len(hashes):
            self._least = np.unique(np.concatenate([self._least, hashes]))[:_MOST_HASHES]


class Added(NamedTuple):
    """What is known of each value that was added.

    Attributes:
        hashes: a hash of each. As hashes, numbers are equal if their values are: 1 and 1.0.
        are_refused: which of them the column's role does not allow.
        are_dropped: which of them are missing, so that their rows are left out.
    """

    hashes: Hashes
    are_refused: Bools
    are_dropped: Bools


class _Values(NamedTuple):
    """The distinct texts of a chunk.

    Attributes:
        texts: each text, once.
        counts: how often each occurs.
        places: the position in ``texts`` of each row's text.
        numbers: the texts as numbers; NaN if they are none.
        are_missing: which texts stand for a missing value.
    """

    texts: pd.Series[str]
    counts: npt.NDArray[np.int64]
    places: npt.NDArray[np.int64]
    numbers: Floats
    are_missing: Bools


@dataclass
class Column:
    """The counts and values of a column.

    Attributes:
        name: its name in the header.
        role: its use.
        rows: the number of rows so far.
        missing: how many values are missing.
        numbers: how many are numbers.
        decimal_commas: how many are numbers with a decimal comma.
        formatted: how many are numbers with thousands separators, or with a currency or percent sign.
        first_formatted: the first of them; may be empty.
        dates: how many look like dates.
        counts: how often each value occurs that is not missing, in the order of their first appearance. Incomplete
            unless ``is_counted``.
        missing_texts: the texts that stand for missing values in it, with their rows.
        others: how often each text occurs that is neither missing nor a number. Incomplete above ``MOST_STRAYS``.
        undated: those of them that do not look like dates either. Incomplete above ``MOST_STRAYS``.
        other: the first value that is neither missing nor a number; may be empty.
        wrong: how many values are not missing, and not what the role needs.
        first_wrong: the first of them; may be empty.
        is_counter: whether all numbers are integers, each larger than the one before.
        is_integer: whether all numbers are integers.
        lowest: the least number.
        highest: the largest.
        sample: a random sample of the numbers.
        total: the sum of the numbers, each less ``shift``.
        squares: the sum of their squares, each less ``shift``.
        shift: the first number.
    """

    name: str
    role: Role = IGNORED
    rows: int = 0
    missing: int = 0
    numbers: int = 0
    decimal_commas: int = 0
    formatted: int = 0
    first_formatted: str = ""
    dates: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    missing_texts: dict[str, int] = field(default_factory=dict)
    others: dict[str, int] = field(default_factory=dict)
    undated: dict[str, int] = field(default_factory=dict)
    other: str = ""
    wrong: int = 0
    first_wrong: str = ""
    is_counter: bool = True
    is_integer: bool = True
    lowest: float = math.inf
    highest: float = -math.inf
    sample: Sample = field(default_factory=Sample)
    total: float = 0.0
    squares: float = 0.0
    shift: float = 0.0
    _last: float = -math.inf
    _distinct: _Distinct = field(default_factory=_Distinct)

    def add(self, texts: pd.Series[str]) -> Added:
        """Add the values of more rows."""
        values = self._values(texts)
        known = values.texts[~values.are_missing]
        times = values.counts[~values.are_missing]
        others = values.texts[np.isnan(values.numbers) & ~values.are_missing]
        other_times = values.counts[others.index]
        hashes = self._hashes(values)
        are_wrong = self._are_wrong(values) & ~values.are_missing
        are_refused = are_wrong | (values.are_missing & (not self.role.may_be_missing))
        self.wrong += int(values.counts[are_wrong].sum())
        self.first_wrong = self.first_wrong or next(iter(values.texts[are_wrong]), "")
        self.rows += len(texts)
        _add_counts(self.missing_texts, values.texts[values.are_missing], values.counts[values.are_missing])
        self.missing += int(values.counts[values.are_missing].sum())
        self.decimal_commas += int(other_times[others.str.fullmatch(DECIMAL_COMMA)].sum())
        are_formatted = others.str.fullmatch(FORMATTED_NUMBER)
        self.formatted += int(other_times[are_formatted].sum())
        self.first_formatted = self.first_formatted or next(iter(others[are_formatted]), "")
        are_dates = others.str.fullmatch(_DATE).to_numpy(bool)
        self.dates += int(other_times[are_dates].sum())
        _add_counts(self.others, others, other_times, MOST_STRAYS)
        _add_counts(self.undated, others[~are_dates], other_times[~are_dates], MOST_STRAYS)
        self.other = self.other or next(iter(others), "")
        self._count(known, times)
        self._distinct.add(hashes[~values.are_missing])
        self._add_numbers(values.numbers[values.places])
        are_dropped = values.are_missing & self.role.drops_missing
        return Added(hashes[values.places], are_refused[values.places], are_dropped[values.places])

    def _values(self, texts: pd.Series[str]) -> _Values:
        # Most columns have few values in a chunk, so all that is costly is done once for each.
        places, found = pd.factorize(texts)
        distinct = pd.Series(found, dtype="str")
        numbers = as_numbers(distinct, self.role.decimal)
        others = distinct[np.isnan(numbers) | (self.role.missing_values is not None)]
        are_missing = np.zeros(len(distinct), bool)
        are_missing[others.index] = self._stand_for_missing(others) & ~others.isin(self.role.values or ())
        numbers[are_missing] = np.nan
        return _Values(distinct, np.bincount(places, minlength=len(distinct)), places, numbers, are_missing)

    def _stand_for_missing(self, texts: pd.Series[str]) -> pd.Series[bool]:
        if self.role.missing_values is None:
            return texts.str.lower().isin(MISSING) | texts.isin(self.role.also_missing)
        return texts.isin(self.role.missing_values)

    def _hashes(self, values: _Values) -> Hashes:
        texts = values.texts.to_numpy(object)
        if self.role.holds_texts:
            return np.asarray(pd.util.hash_array(texts, categorize=False))
        # Zero is added, because -0.0 and 0.0 have different bits.
        hashes: Hashes = pd.util.hash_array(values.numbers + 0.0, categorize=False)
        are_texts = np.isnan(values.numbers)
        hashes[are_texts] = pd.util.hash_array(texts[are_texts], categorize=False)
        return hashes

    def _are_wrong(self, values: _Values) -> Bools:
        role = self.role
        if role.needs_numbers:
            return np.isnan(values.numbers) | (values.numbers <= (-np.inf if role.above is None else role.above))
        if role.name == "date":
            return np.array([not role.is_date(text) for text in values.texts], bool)
        if role.values is not None and not role.has_other:
            return np.asarray(~values.texts.isin(role.values))
        return np.zeros(len(values.texts), bool)

    def _count(self, known: pd.Series[str], times: npt.NDArray[np.int64]) -> None:
        _add_counts(self.counts, known, times, MOST_COUNTED)

    def _add_numbers(self, numbers: Floats) -> None:
        finite = numbers[~np.isnan(numbers)]
        if not len(finite):
            return
        if not self.numbers:
            self.shift = float(finite[0])
        self.numbers += len(finite)
        self.is_integer = self.is_integer and bool((finite == np.rint(finite)).all())
        steps = np.diff(finite, prepend=self._last)
        self.is_counter = self.is_counter and self.is_integer and bool((steps > 0).all())
        self._last = float(finite[-1])
        self.lowest, self.highest = min(self.lowest, float(finite.min())), max(self.highest, float(finite.max()))
        self.sample.add(finite)
        self.total += float((finite - self.shift).sum())
        self.squares += float(((finite - self.shift) ** 2).sum())

    @property
    def known(self) -> int:
        """How many values are not missing."""
        return self.rows - self.missing

    @property
    def distinct(self) -> int:
        """How many values differ from each other; an estimate unless ``is_distinct_exact``."""
        return min(self._distinct.count(), self.known)

    @property
    def is_distinct_exact(self) -> bool:
        """Whether the distinct values were counted."""
        return self._distinct.is_exact

    @property
    def has_few_values(self) -> bool:
        """Whether it has few distinct values, of several rows each."""
        return self.distinct <= MOST_VALUES and self.known >= _FEWEST_ROWS_A_VALUE * self.distinct

    @property
    def strays(self) -> dict[str, int]:
        """The texts that are not numbers, with their rows, if nearly all values are numbers; the same of dates.

        Nearly all are if the others are few, or are known to stand for missing values. It is empty if there are none,
        or too many different ones, or dates among numbers: these texts may be values of another column.
        """
        texts, fitting = (self.undated, self.dates) if self.dates else (self.others, self.numbers)
        unknown = sum(count for text, count in texts.items() if not is_mark(text))
        # One number and some texts are a category.
        has_some = fitting and self.distinct - len(texts) > 1
        is_complete = len(texts) <= MOST_STRAYS and sum(texts.values()) == self.known - fitting
        return texts if has_some and is_complete and fitting >= _NEARLY_ALL * (fitting + unknown) else {}

    @property
    def taken_as_missing(self) -> dict[str, int]:
        """The texts that stand for missing values beside the usual ones, with their rows."""
        return {text: count for text, count in self.missing_texts.items() if text in self.role.also_missing}

    @property
    def is_counted(self) -> bool:
        """Whether ``counts`` has all values."""
        return len(self.counts) <= MOST_COUNTED

    @property
    def mean(self) -> float:
        """The mean of the numbers."""
        return self.shift + self.total / self.numbers if self.numbers else math.nan

    @property
    def variance(self) -> float:
        """The variance of the numbers."""
        return max(0.0, self.squares / self.numbers - (self.total / self.numbers) ** 2) if self.numbers else 0.0

    @property
    def has_dates(self) -> bool:
        """Whether most values look like dates."""
        return self.dates > self.known / 2

    @property
    def has_month_names(self) -> bool:
        """Whether most of the counted values are dates with the names of months."""
        dates = sum(count for text, count in self.counts.items() if is_date_with_month(text))
        return dates > sum(self.counts.values()) / 2

    @property
    def is_formatted(self) -> bool:
        """Whether most texts are numbers with thousands separators, or with a currency or percent sign."""
        return self.formatted > (self.known - self.numbers) / 2 and self.formatted >= self.decimal_commas

    @property
    def has_decimal_commas(self) -> bool:
        """Whether most values are numbers with a decimal comma."""
        return self.decimal_commas > self.known / 2 and not self.is_formatted
