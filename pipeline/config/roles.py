"""What the configuration does with each column of a file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.config.columns import DatasetSection


@dataclass(frozen=True)
class Role:
    """The use of a column.

    Attributes:
        name: ``label``, ``numeric``, ``date``, ``categorical``, ``group`` or ``ignored``.
        values: the values of a category that are declared, or the label's classes; None if they are found in the data,
            or the label is a number.
        has_other: whether the values that are not declared have a feature together.
        decimal: the decimal separator of numbers.
        above: the number above which numbers must be; None if there is none.
        date_format: the format for ``datetime.strptime``; None for ISO 8601.
        missing_values: the texts that stand for a missing value; None for the usual ones, in any case.
        also_missing: the texts that stand for a missing value beside the usual ones.
        may_be_missing: whether a row without a value is not refused.
        drops_missing: whether a row without a value is left out.
    """

    name: str
    values: tuple[str, ...] | None = None
    has_other: bool = False
    decimal: str = "."
    above: float | None = None
    date_format: str | None = None
    missing_values: frozenset[str] | None = None
    also_missing: frozenset[str] = frozenset()
    may_be_missing: bool = False
    drops_missing: bool = False

    @property
    def needs_numbers(self) -> bool:
        """Whether each value must be a number."""
        return self.name == "numeric" or (self.name == "label" and self.values is None)

    @property
    def holds_texts(self) -> bool:
        """Whether values are texts, even if they look like numbers."""
        return self.name in ("date", "categorical", "group") or (self.name == "label" and self.values is not None)

    def is_date(self, text: str) -> bool:
        """Return whether a text is a date in the column's format."""
        try:
            if self.date_format is None:
                datetime.fromisoformat(text)
            else:
                datetime.strptime(text, self.date_format)
        except ValueError:
            return False
        return True


IGNORED = Role("ignored", may_be_missing=True)


def roles_of(dataset: DatasetSection) -> dict[str, Role]:
    """Return the roles of the declared columns, in the order that they have in a file without a header.

    All other columns are ignored. A column of groups that is also declared as a feature has the feature's role.
    """
    usual = Role("", decimal=dataset.decimal, missing_values=frozenset(dataset.missing_values))
    above = -1.0 if dataset.label_transform == "log1p" else None
    classes = None if dataset.classes is None else tuple(dataset.classes)
    roles = {dataset.label: replace(usual, name="label", above=above, values=classes)}
    roles |= {name: replace(usual, name="numeric") for name in dataset.numeric}
    roles |= {name: replace(usual, name="date", date_format=dates.format) for name, dates in dataset.dates.items()}
    for name, category in dataset.categorical.items():
        values = tuple(category.values) or None
        roles[name] = replace(usual, name="categorical", values=values, has_other=category.other)
    for name, treatment in dataset.missing.items():
        roles[name] = replace(roles[name], may_be_missing=True, drops_missing=treatment == "drop")
    if dataset.groups is not None:
        roles.setdefault(dataset.groups, Role("group", missing_values=frozenset({""})))
    return roles
