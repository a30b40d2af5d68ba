"""The columns that a model was trained on, and how they became features."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from pipeline.config.columns import MISSING_VALUES, DatasetSection, DatesSection, Treatment
from pipeline.errors import UserError
from pipeline.operate.answers import Answer


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class MissingRecord(_Record):
    """How missing values of a column are treated.

    Attributes:
        treatment: ``drop``, ``median`` or ``most_frequent``.
        fill: the text that replaces them; None if the row is dropped.
    """

    treatment: Treatment
    fill: str | None


class Preparation(_Record):
    """How raw columns became features: ``preparation`` in folds.json, which steps/folds/report.py writes.

    Attributes:
        numeric: the columns of numbers.
        decimal: their decimal separator.
        dates: the columns of dates, and the parts that are features.
        missing_values: the texts that stand for missing values.
        missing: the treatment of missing values by column; in all other columns they are errors.
        missing_indicators: the columns with a feature ``<column>_missing``.
        other: the categorical columns with a feature ``<column>_other``.
        label_transform: ``log1p`` if the model predicts log(1 + label).
    """

    numeric: list[str]
    decimal: Literal[".", ","] = "."
    dates: dict[str, DatesSection] = Field(default_factory=dict)
    missing_values: list[str] = Field(default_factory=lambda: list(MISSING_VALUES))
    missing: dict[str, MissingRecord] = Field(default_factory=dict)
    missing_indicators: list[str] = Field(default_factory=list)
    other: list[str] = Field(default_factory=list)
    label_transform: Literal["log1p"] | None = None

    @property
    def copies_numbers(self) -> bool:
        """Whether numbers are features as they are, and there are no other features but categories."""
        return self.decimal == "." and not (self.dates or self.missing or self.other)


class Prediction(NamedTuple):
    """What a model predicts for a row.

    Attributes:
        value: the label, in its own unit (dollars for the insurance dataset); or the class, as the files have it.
        scores: the probability of the second of two classes, or of each of more classes; none if the label is a number.
            If the model gives no probabilities, they are its scores.
    """

    value: float | str
    scores: tuple[float, ...] = ()


@dataclass(frozen=True)
class ModelColumns:
    """The columns that a model was trained on, and their encoding.

    Attributes:
        label: the column that the model predicts.
        categorical: the values of each one-hot encoded column, in the order of the encoding.
        groups: the column whose rows stayed in one fold; None without one.
        source: where this is recorded, for messages: "the model package <ARN>" or "the configuration".
        preparation: the other columns, and what else makes features of raw columns.
        classes: the label's values in the files, in the order of their numbers; empty if the label is a number.
    """

    label: str
    categorical: Mapping[str, Sequence[str]]
    groups: str | None
    source: str
    preparation: Preparation = field(default_factory=lambda: Preparation(numeric=[]))
    classes: tuple[str, ...] = ()

    @classmethod
    def of_dataset(cls, dataset: DatasetSection) -> ModelColumns | None:
        """Return the columns that a configuration declares; None if some of it is learned from the data."""
        learned = [column for column, treatment in dataset.missing.items() if treatment != "drop"]
        if learned or dataset.features is None:
            return None
        preparation = Preparation(
            numeric=dataset.numeric,
            decimal=dataset.decimal,
            dates=dataset.dates,
            missing_values=dataset.missing_values,
            missing={column: MissingRecord(treatment="drop", fill=None) for column in dataset.missing},
            other=[column for column, category in dataset.categorical.items() if category.other],
            label_transform=dataset.label_transform,
        )
        values = {column: category.values for column, category in dataset.categorical.items()}
        classes = tuple(dataset.classes or ())
        return cls(dataset.label, values, dataset.groups, "the configuration", preparation, classes)

    @classmethod
    def of_report(cls, report: Mapping[str, Any], source: str) -> ModelColumns:
        """Return the columns that folds.json records.

        Raises:
            ValueError: it is not such a record, or its features do not follow from its columns.
            KeyError, TypeError: likewise.
        """
        preparation = Preparation.model_validate(report["preparation"])
        label, encoding, classes = report["columns"]["label"], report["encoding"], tuple(report.get("classes") or ())
        columns = cls(label, encoding, report.get("groups"), source, preparation, classes)
        features = report["columns"]["features"]
        if columns.features != features or report["feature_dim"] != len(features):
            raise ValueError("its features do not follow from its columns and their encoding")
        return columns

    @cached_property
    def features(self) -> list[str]:
        """The names of the features, in order: see ``DatasetSection.features``."""
        prepared = self.preparation
        parts = [f"{name}_{part}" for name, dates in prepared.dates.items() for part in dates.parts]
        one_hot = [f"{name}_{value}" for name in self.categorical for value in self.encoded(name)]
        return [*prepared.numeric, *parts, *(f"{name}_missing" for name in prepared.missing_indicators), *one_hot]

    def encoded(self, column: str) -> list[str]:
        """Return the values of a categorical column that are features, the last of which may be ``other``."""
        return [*self.categorical[column], *(["other"] if column in self.preparation.other else [])]

    @cached_property
    def raw(self) -> list[str]:
        """The columns of a raw record that the features are made from."""
        return [*self.preparation.numeric, *self.preparation.dates, *self.categorical]

    @cached_property
    def trained_on(self) -> list[str]:
        """The columns of a training file without a header, from left to right."""
        names = [self.label, *self.raw]
        return names if self.groups in (None, *names) else [*names, str(self.groups)]

    @property
    def scored_classes(self) -> tuple[str, ...]:
        """The classes that a model gives scores for: of two classes, the second; none if the label is a number."""
        return self.classes[1:] if len(self.classes) == 2 else self.classes

    @property
    def answer_length(self) -> int:
        """How many numbers a model answers for a row: see ``Answer``."""
        return len(self.scored_classes) + 1

    def prediction_of(self, answer: Answer) -> Prediction:
        """Return what a model's answer says about the label.

        If the model names no class, it is the most probable one. Of two classes, that is the second one if
        its probability is above one half.

        Args:
            answer: ``answer_length`` numbers.

        Raises:
            UserError: the answer is no number in the label's unit, or there is no such class.
        """
        if not self.classes:
            return Prediction(self.in_label_units(answer[0]))
        *scores, number = answer
        if math.isnan(number):
            number = float(scores[0] > 0.5 if len(scores) == 1 else scores.index(max(scores)))
        if not (number.is_integer() and 0 <= number < len(self.classes)):
            raise UserError(
                f"The model predicts the class {number:g}, and {self.source} has {len(self.classes)} classes"
            )
        return Prediction(self.classes[int(number)], tuple(scores))

    def in_label_units(self, score: float) -> float:
        """Return a model's answer in the label's unit.

        Raises:
            UserError: it is too large for the label's unit.
        """
        if self.preparation.label_transform is None:
            return score
        try:
            return math.expm1(score)
        except OverflowError:
            raise UserError(f"The model predicts {score} as log(1 + {self.label}), which is no finite number") from None
