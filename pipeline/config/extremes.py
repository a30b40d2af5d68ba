"""Finds the few labels that are far from all others: often slips, and they rule a squared error."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np
import pandas as pd

from pipeline.config.choices import without_extremes
from pipeline.config.column_counts import Bools, Column, as_numbers
from pipeline.config.csv_rows import picked
from pipeline.config.profile import Profile
from pipeline.text import number_of, shortened, some_of

_FAR = 5
"""How many times farther from the median than all but a handful a number is that is far from all others."""

_FEWEST_TIMES = 2
_SHOWN, _SHOWN_CHARACTERS = 4, 30


def of_extremes(label: Column, profile: Profile) -> Iterator[str]:
    """Yield a sentence if a handful of the label's numbers are far from all others, with their lines.

    Args:
        label: the label, a column of numbers.
        profile: the file.
    """
    numbers = label.sample.numbers
    usual = without_extremes(numbers)
    if not len(usual) or usual[0] == usual[-1]:
        return
    middle = float(np.median(numbers))
    low, high = (middle + _FAR * (float(end) - middle) for end in (usual[0], usual[-1]))
    # Half of the numbers are the same: of the others, none is far by this measure.
    low, high = (-np.inf if low == middle else low), (np.inf if high == middle else high)
    if low <= label.lowest and label.highest <= high:
        return

    def are_far(texts: pd.Series[str]) -> Bools:
        found = as_numbers(texts, profile.form.decimal)
        return np.asarray((found < low) | (found > high))

    place = [column.name for column in profile.columns].index(label.name)
    most = len(numbers) - len(usual)
    far = list(islice(picked(profile.path, profile.form, len(profile.columns), place, are_far), most + 1))
    # More than a handful are a tail, not slips.
    if 0 < len(far) <= most:
        values = as_numbers(pd.Series([text for _, text in far], dtype="str"), profile.form.decimal)
        yield _sentence(far, float(values.min()) / middle if middle > 0 else 0.0)


def _sentence(far: list[tuple[int, str]], times: float) -> str:
    listed = some_of((f"{shortened(text, _SHOWN_CHARACTERS)} in line {line}" for line, text in far), _SHOWN)
    labels = number_of(len(far), "label is", "labels are")
    if times < _FEWEST_TIMES:
        return f"{labels} far from all others: {listed}. Right?"
    least = "" if len(far) == 1 else "at least "
    return f"{labels} {least}{times:,.0f} times the median: {listed}. Right?"
