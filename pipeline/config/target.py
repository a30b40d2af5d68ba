"""Reads the label of a file that nobody has described: whether it is a number or has classes, and in which order."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import pandas as pd

from definition_language.objectives import Problem, problem_of
from pipeline.config.choices import named
from pipeline.config.column_counts import MOST_VALUES, Column, as_numbers
from pipeline.config.columns import MISSING_VALUES
from pipeline.config.extremes import of_extremes
from pipeline.config.missing_marks import is_mark, taken_as_missing
from pipeline.config.number_texts import formatted_number_advice
from pipeline.config.profile import Profile, read_chunks
from pipeline.config.roles import Role
from pipeline.errors import UserError
from pipeline.text import number_of

_MOST_TEXTS = 0.2
"""The share of texts up to which the label is still a column of numbers."""

_FEWEST_ROWS_A_CLASS = 5
"""The rows that a text needs on average to be a class, rather than a remark."""

_MOST_NUMBERED, _MOST_DOUBTFUL = 6, 20
"""How many different integers are read as classes, and how many might be."""

_POSITIVE = frozenset({"yes", "y", "true", "t", "positive", "pos", "+", "ja", "oui", "si", "sí", "1"})
_NEGATIVE = frozenset({"no", "n", "false", "f", "negative", "neg", "-", "nein", "non", "none", "0"})


@dataclass(frozen=True)
class Target:
    """The column to predict.

    Attributes:
        column: the column.
        problem: the kind of label.
        classes: the values that are classes, with their rows, in the order of ``dataset.classes``; none for a number.
        remarks: why it is read so, and how to change that.
    """

    column: Column
    problem: Problem
    classes: dict[str, int]
    remarks: tuple[str, ...]

    @property
    def role(self) -> Role:
        """The column's use."""
        return Role("label", values=tuple(self.classes) or None)

    @property
    def known(self) -> int:
        """How many rows have a class; for a number, how many have any value."""
        return sum(self.classes.values()) if self.classes else self.column.known

    @property
    def log_loss(self) -> float:
        """The log loss of always predicting the classes' shares: their entropy in nats; 0 for a number."""
        return sum(-count / self.known * math.log(count / self.known) for count in self.classes.values())


def target_of(profile: Profile, label: str) -> Target:
    """Read the label of a file.

    Raises:
        UserError: there are no rows, there is no such column, or it cannot be predicted.
    """
    if not profile.rows:
        raise UserError(f"{profile.path}: {_no_rows(profile)}")
    column = _with_known_marks(named(profile, label), profile)
    numeric = column.numbers > 0 and column.numbers >= column.known * (1 - _MOST_TEXTS)
    if not numeric:
        column = _as_texts(column, profile)
    elif column.variance == 0:
        raise _constant(label)
    numbers = _numbers_of(column, profile.form.decimal) if numeric else {}
    counts = {text: column.counts[text] for text in numbers} if numeric else column.counts
    if not numeric and len(counts) == 1:
        raise _constant(label)
    if not numeric and not _are_classes(column):
        if column.is_formatted:
            raise UserError(f"LABEL: {label} holds {formatted_number_advice(column.first_formatted)}")
        raise UserError(
            f"LABEL: {label} holds text with {column.distinct} values ({', '.join(list(counts)[:5])} ...): "
            "the pipeline predicts numbers, or classes of several rows each. Choose another column"
        )
    # Two texts of the same number, as 1 and 1.0, would be two classes.
    if not numeric or (len(set(numbers.values())) == len(numbers) and _are_few(column, len(numbers))):
        target = _of_classes(column, counts, numbers)
    else:
        target = Target(column, "regression", {}, (*_doubts(column, len(counts)), *of_extremes(column, profile)))
    if not (taken := column.taken_as_missing):
        return target
    remark = f"{label}: {taken_as_missing('numbers', column.known, taken)}."
    return replace(target, remarks=(*target.remarks, remark))


def _no_rows(profile: Profile) -> str:
    if (first := profile.first_misfit) is None:
        return "has a header and no rows: add rows, or choose another file"
    return (
        f"no row has {number_of(len(profile.columns), 'field')}, as the header has. Line {first.line}, for example, "
        f"has {len(first.fields)}: does each row end with a delimiter?"
    )


def _constant(label: str) -> UserError:
    return UserError(f"LABEL: {label} has the same value in every row: there is nothing to predict")


def _as_texts(column: Column, profile: Profile) -> Column:
    """Count a column again, because a label's text is a value even if it may stand for a missing one, such as none."""
    missing = frozenset(text for text in column.missing_texts if text.lower() != "none") | frozenset(MISSING_VALUES)
    return _counted(column.name, Role("label", values=(), missing_values=missing), profile)


def _with_known_marks(column: Column, profile: Profile) -> Column:
    """Count a column again if it has unknown texts: rows with such a label are set aside, not dropped in silence."""
    if all(map(is_mark, column.taken_as_missing)):
        return column
    marks = frozenset(filter(is_mark, column.role.also_missing))
    return _counted(column.name, replace(column.role, also_missing=marks), profile)


def _counted(name: str, role: Role, profile: Profile) -> Column:
    counted = Column(name, role)
    for frame in read_chunks(profile.path, profile.form, [each.name for each in profile.columns]):
        counted.add(frame[name])
    return counted


def _numbers_of(column: Column, decimal: str) -> dict[str, float]:
    """Return the texts that are numbers, and these; of a column with too many, those that were counted."""
    numbers = as_numbers(pd.Series(list(column.counts), dtype="str"), decimal).tolist()
    return {text: number for text, number in zip(column.counts, numbers, strict=True) if not math.isnan(number)}


def _are_few(column: Column, distinct: int) -> bool:
    return distinct == 2 or (distinct <= _MOST_NUMBERED and column.is_integer)


def _are_classes(column: Column) -> bool:
    return column.is_counted and len(column.counts) <= min(MOST_VALUES, column.known / _FEWEST_ROWS_A_CLASS)


def _of_classes(column: Column, counts: dict[str, int], numbers: dict[str, float]) -> Target:
    """Return the target of classes, which are texts or, if ``numbers`` has them all, numbers."""
    problem = problem_of(counts)
    if numbers:
        ordered = sorted(numbers, key=lambda text: numbers[text])
    else:
        ordered = _two_in_order(counts) if problem == "binary" else sorted(counts)
    found = "numbers" if numbers else "texts"
    remarks = [f"{column.name} has {len(counts)} different {found}, which are read as classes: training.problem."]
    if column.is_formatted:
        remarks.append(f"They look like {formatted_number_advice(column.first_formatted)}, if they are amounts.")
    if numbers:
        remarks.append("If they are amounts: remove training.problem, dataset.classes and tuning.objective.")
    if problem == "binary":
        remarks.append(
            f"The second is the positive class, whose probability is predicted: {ordered[1]}. "
            "For the other one, exchange them."
        )
    return Target(column, problem, {name: counts[name] for name in ordered}, tuple(remarks))


def _two_in_order(counts: dict[str, int]) -> list[str]:
    """Return two classes with the positive one last: by its meaning, or else the rarer one."""
    names = sorted(counts, key=lambda name: (-counts[name], name))
    positive = [name for name in names if name.casefold() in _POSITIVE]
    negative = [name for name in names if name.casefold() in _NEGATIVE]
    if len(positive) == 1:
        return [*(name for name in names if name not in positive), *positive]
    if len(negative) == 1:
        return [*negative, *(name for name in names if name not in negative)]
    return names


def _doubts(column: Column, distinct: int) -> Iterable[str]:
    if column.is_integer and column.is_counted and distinct <= _MOST_DOUBTFUL:
        yield (
            f"{column.name} has {distinct} different integers, which are read as amounts. If they are classes: set "
            "training.problem to multiclass, and list them in dataset.classes."
        )
