"""The typed model of the dataset: its file, its columns, and how these become features."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, GetJsonSchemaHandler, field_serializer, field_validator, model_validator
from pydantic_core import CoreSchema

from pipeline.config.section import DEFAULT_IN_WORDS, VALUES_IN_WORDS, Section
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

    values: list[str] = Field(default_factory=list, json_schema_extra={DEFAULT_IN_WORDS: "``auto``"})
    """The values, each with a feature of its own, in this order. ``auto`` finds them in the data."""

    other: bool = False
    """Adds a feature for all values without one of their own."""

    min_frequency: int = Field(default=1, ge=1)
    """For ``auto``: values with fewer rows have no feature of their own."""

    max_categories: int | None = Field(default=None, ge=1)
    """For ``auto``: only so many values, the most frequent ones, have a feature of their own."""

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

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = super().__get_pydantic_json_schema__(core_schema, handler)
        values: dict[str, Any] = {
            "anyOf": [{"const": AUTO}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]
        }
        listed = schema["properties"]["values"]
        schema["properties"]["values"] = {key: listed[key] for key in ("description", DEFAULT_IN_WORDS)} | values
        return {"anyOf": [*values["anyOf"], schema]}

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
    """The parts. ``weekday`` is 0 on Monday, ``day_of_year`` is 1 on 1 January, and ``days`` counts from 1970-01-01."""

    format: str | None = Field(default=None, json_schema_extra={DEFAULT_IN_WORDS: "ISO 8601"})
    """The format of the column's dates, in the codes of Python's ``strptime``: ``"%d.%m.%Y"``."""

    @model_validator(mode="before")
    @classmethod
    def _from_parts(cls, given: Any) -> Any:
        return {"parts": given} if isinstance(given, list) else given

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = super().__get_pydantic_json_schema__(core_schema, handler)
        return {"anyOf": [schema["properties"]["parts"], schema]}


class DatasetSection(Section):
    """The input file and its columns."""

    input: str = Field(min_length=1)
    """A local file, or the ``s3://`` URI of a file or a prefix. Publishing uploads a local file under the hash of its
    content."""

    header: bool = True
    """The first line names the columns. With ``false``, the columns are the label, the numeric columns, the dates and
    the categorical columns, in the declared order."""

    delimiter: str = Field(default=",", min_length=1, max_length=1)
    """A character that is not in a number, a word or a quote, for example ``;``, ``|`` or a tab."""

    encoding: str = Field(default="UTF-8", json_schema_extra={VALUES_IN_WORDS: "an encoding that Python knows"})
    """ASCII characters must be one byte in it, as in ``ISO-8859-1``. Others are refused."""

    decimal: Literal[".", ","] = "."
    """Decimal separator of all numbers. Beside a comma, a point (``1.234,5``) is an error: it would separate
    thousands."""

    label: ColumnName
    """The column to predict."""

    label_transform: Literal["log1p"] | None = None
    """``log1p``: the models learn log(1 + label), for labels that grow by factors, such as prices. Labels must be above
    -1. See [Columns that are not plain numbers](configuration.md#columns-that-are-not-plain-numbers)."""

    classes: list[str] | None = Field(default=None, json_schema_extra={DEFAULT_IN_WORDS: "none; required for classes"})
    """The label's values as the file has them, for example ``["no", "yes"]``. Their places in this list, 0, 1, ..., are
    the labels in the folds. ``binary`` needs two, of which the second is the positive one, and ``multiclass`` three or
    more."""

    numeric: list[ColumnName] = Field(default_factory=list)
    """Columns that are numbers already. Thousands of columns are fine: they reach the job as a file, not as
    arguments."""

    dates: dict[ColumnName, DatesSection] = Field(default_factory=dict)
    """Columns of dates, each with the parts that become features: ``sold: [year, month]``. The long form is for other
    formats: ``sold: {parts: [year], format: "%d.%m.%Y"}``."""

    categorical: dict[ColumnName, CategorySection] = Field(default_factory=dict)
    """Columns with their values. Each value becomes a feature of 0 or 1, in this order. ``auto`` finds the values in
    the data: ``city: auto``. The long form treats rare values:
    ``city: {values: auto, other: true, min_frequency: 10, max_categories: 50}``."""

    missing: dict[ColumnName, Treatment] = Field(default_factory=dict)
    """Treatment of missing values by column: ``drop`` leaves the row out; ``median`` (of numbers) and
    ``most_frequent`` replace the value. In all other columns a missing value is a bad row."""

    missing_values: list[str] = Field(default=list(MISSING_VALUES), min_length=1)
    """Texts that stand for missing values. A text that is a listed value of a category is that value."""

    missing_indicators: list[ColumnName] = Field(default_factory=list)
    """Columns with a feature ``<column>_missing`` of 0 or 1, beside ``median`` or ``most_frequent``."""

    groups: ColumnName | None = None
    """Rows with the same value of this column stay in the same fold. Takes 8 bytes of the job's memory for each row,
    as ``folds.stratify`` does."""

    ignored: list[ColumnName] | None = None
    """If given, it must name all other columns of the file: a column that is neither used nor ignored is then an
    error."""

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
