"""Says what is worth a look in a label with classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipeline.config.column_counts import Column
from pipeline.config.leakage import telling_columns
from pipeline.config.models import Config
from pipeline.config.profile import Profile
from pipeline.config.roles import Role
from pipeline.text import some_of

_FEWEST_ROWS_A_FOLD = 10
_MOST = 0.9
"""The share of the most frequent class from which on accuracy says little; SelectBest warns from there, too."""


def class_findings(label: Column, profile: Profile, roles: Mapping[str, Role], config: Config | None) -> Iterator[str]:
    """Yield a sentence for each finding.

    Args:
        label: the label.
        profile: the file.
        roles: the roles of its columns by name; that of the label has the classes.
        config: the configuration, if there is one.
    """
    classes = roles[label.name].values or ()
    rows = {name: label.counts.get(name, 0) for name in classes}
    if label.is_counted:
        yield from _of_values(label, rows)
        yield from _of_rows(rows, 5 if config is None else config.folds.count)
    if telling := telling_columns(profile, roles):
        yield (
            f"Each of these tells every row's class without an error: {some_of(telling)}. "
            "Is it known before the label is?"
        )


def two_valued(label: Column) -> Iterator[str]:
    """Yield a sentence if a label that is a number has two values only."""
    if label.numbers == label.known and label.distinct == 2:
        yield f"{label.name} has two values only. Are they classes? Then set training.problem to binary."


def _of_values(label: Column, rows: Mapping[str, int]) -> Iterator[str]:
    others = {value: count for value, count in label.counts.items() if value not in rows}
    if others:
        ordered = sorted(others, key=lambda value: -others[value])
        listed = some_of(f"{value!r} ({others[value]})" for value in ordered)
        yield f"Values of {label.name} that dataset.classes does not list, with their rows: {listed}."
    if absent := [name for name, count in rows.items() if not count]:
        yield f"Classes without a row, for which MakeFolds stops: {some_of(map(repr, absent))}."


def _of_rows(rows: Mapping[str, int], folds: int) -> Iterator[str]:
    known = {name: count for name, count in rows.items() if count}
    few = {name: count for name, count in known.items() if count < folds}
    rare = {name: count for name, count in known.items() if folds <= count < _FEWEST_ROWS_A_FOLD * folds}
    if few:
        yield (
            f"Classes with fewer rows than the {folds} folds, of which some then have none: {_counted(few)}. "
            "Merge or drop them, or get more rows."
        )
    if rare:
        yield f"Classes with fewer than ten rows for each of the {folds} folds: {_counted(rare)}."
    total = sum(known.values())
    most = max(known, key=lambda name: known[name], default=None)
    if most is not None and known[most] >= _MOST * total:
        yield (
            f"{known[most] / total:.0%} of the rows have the class {most!r}. Predicting it always has that accuracy: "
            "an objective such as the log loss or AUC says more."
        )


def _counted(rows: Mapping[str, int]) -> str:
    return some_of(f"{name!r} ({count})" for name, count in rows.items())
