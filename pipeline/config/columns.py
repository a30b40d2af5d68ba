"""The typed model of the dataset: its file, its columns, and how these become features."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_serializer, field_validator, model_validator

from pipeline.config.section import Section
from pipeline.config.types import ColumnName

MISSING_VALUES = ("", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "?")
DatePart = Literal["year", "month", "day", "weekday", "day_of_year", "hour", "days"]
Treatment = Literal["drop", "median", "most_frequent"]
AUTO = "auto"
"""Instead of a category's values: they are found in the data."""


class CategorySection(Section):
    """The values of a categorical column that become a feature each. A list, or ``auto``, stands for ``values`` alone.

    ``values`` is empty for ``auto``: the values are found in the data.
    """

    values: list[str] = Field(default_factory=list)
    other: bool = False
    min_frequency: int = Field(default=1, ge=1)
    max_categories: int | None = Field(default=None, ge=1)

    @model_validator(mode="before")
    @classmethod
    def _from_values(cls, given: Any) -> Any:
        return {"values": given} if isinstance(given, list | str) else given

    @field_validator("values", mode="before")
    @classmethod
    def _from_auto(cls, given: Any) -> Any:
        if given == []:
            raise ValueError("list at least one value, or write auto")
        return [] if given == AUTO else given

    @field_serializer("values")
    def _to_auto(self, values: list[str]) -> list[str] | str:
        return values or AUTO

    @property
    def encoded(self) -> list[str]:
        """The values and ``other``, in the order of the features; empty if the values are found in the data."""
        return [*self.values, *(["other"] if self.other and self.values else [])]


class DatesSection(Section):
    """The parts of a date that become features. A list stands for ``parts`` alone."""

    parts: list[DatePart] = Field(min_length=1)
    format: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_parts(cls, given: Any) -> Any:
        return {"parts": given} if isinstance(given, list) else given


class DatasetSection(Section):
    """The input file and its columns."""

    input: str = Field(min_length=1)
    header: bool = True
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: str = "UTF-8"
    decimal: Literal[".", ","] = "."
    label: ColumnName
    label_transform: Literal["log1p"] | None = None
    classes: list[str] | None = None
    numeric: list[ColumnName] = Field(default_factory=list)
    dates: dict[ColumnName, DatesSection] = Field(default_factory=dict)
    categorical: dict[ColumnName, CategorySection] = Field(default_factory=dict)
    missing: dict[ColumnName, Treatment] = Field(default_factory=dict)
    missing_values: list[str] = Field(default_factory=lambda: list(MISSING_VALUES), min_length=1)
    missing_indicators: list[ColumnName] = Field(default_factory=list)
    groups: ColumnName | None = None
    ignored: list[ColumnName] | None = None

    @property
    def sources(self) -> list[str]:
        """The columns that features are made from."""
        return [*self.numeric, *self.dates, *self.categorical]

    @property
    def features(self) -> list[str] | None:
        """The names of the features, in order; None if the values of a category are found in the data.

        They are the numeric columns, ``<column>_<part>`` for dates, ``<column>_missing`` for indicators, and
        ``<column>_<value>`` for categories.
        """
        if any(not category.values for category in self.categorical.values()):
            return None
        parts = [f"{column}_{part}" for column, dates in self.dates.items() for part in dates.parts]
        one_hot = [f"{column}_{value}" for column, category in self.categorical.items() for value in category.encoded]
        return [*self.numeric, *parts, *(f"{column}_missing" for column in self.missing_indicators), *one_hot]
