"""Makes features of raw values, as the model package behind an endpoint records."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.config.columns import DatasetSection
from pipeline.errors import UserError
from pipeline.operate.encoding import RowEncoder, layout_of
from pipeline.operate.features import RowError, column_encoders
from pipeline.operate.model_columns import ModelColumns
from pipeline.operate.served_columns import EndpointModel, recorded_columns
from studio.aws import Aws

MOST_ROWS = 1000
"""Rows of one request: an answer of this size is still readable."""

_EXAMPLE = datetime(2026, 1, 31, 14, 30)


@dataclass(frozen=True)
class Served:
    """What an endpoint serves.

    Attributes:
        package: the ARN of the model package; empty without one.
        columns: the columns that it records; None if there are none to be had.
        note: why there are no columns; empty if there are.
    """

    package: str
    columns: ModelColumns | None
    note: str = ""


@dataclass(frozen=True)
class Field:
    """A field of the form: a raw column.

    Attributes:
        name: the column.
        kind: number, date or category.
        placeholder: an example.
        choices: a category's values.
        is_open: whether other values are accepted as well.
        blank: what stands for a missing value; None if it may not be missing.
    """

    name: str
    kind: str
    placeholder: str
    choices: tuple[str, ...] = ()
    is_open: bool = False
    blank: str | None = None


@dataclass(frozen=True)
class Row:
    """A row to score.

    Attributes:
        line: its line in the box.
        features: its features, separated by commas; empty if it is wrong.
        fault: what is wrong; empty if nothing is.
    """

    line: int
    features: str
    fault: str = ""


def served_by(aws: Aws, endpoint: str) -> Served:
    """Return what an endpoint serves, and the columns that its model package records."""
    try:
        model = EndpointModel(aws.sagemaker, endpoint)
    except UserError as error:
        return Served("", None, str(error))
    package = model.model_package or ""
    try:
        columns = recorded_columns(model, aws.client("s3"))
    except UserError as error:
        return Served(package, None, str(error))
    return Served(package, columns, "" if columns else "The endpoint's model does not record its columns.")


def fields_of(columns: ModelColumns) -> list[Field]:
    """Return the fields of the form, one for each raw column."""
    prepared = columns.preparation
    example = f"0{prepared.decimal}5"
    numbers = [Field(name, "number", f"for example {example}") for name in prepared.numeric]
    dates = [Field(name, "date", _EXAMPLE.strftime(each.format or "%Y-%m-%d")) for name, each in prepared.dates.items()]
    categories = [
        Field(name, "category", "", tuple(values), is_open=name in prepared.other)
        for name, values in columns.categorical.items()
    ]
    return [_with_blank(field, columns) for field in (*numbers, *dates, *categories)]


def encode_record(columns: ModelColumns, values: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Return a record's features, and what is wrong by column; the features are for nothing if something is."""
    features, faults = [], {}
    for name, encode in column_encoders(columns):
        try:
            features.append(encode(values.get(name, "")))
        except RowError as error:
            faults[name] = str(error)
    return ",".join(features), faults


def encode_rows(columns: ModelColumns, text: str) -> list[Row]:
    """Return the rows of CSV text, which has a header or encoded features.

    Raises:
        UserError: the text has no rows, too many, or not the model's columns.
    """
    first = next((line for line in text.splitlines() if line.strip()), "")
    if not first:
        raise UserError("There are no rows.")
    layout = layout_of("The rows", first, columns, DatasetSection(input="rows", label=columns.label))
    encoder = RowEncoder(layout, columns)
    records = list(_records(text, layout.delimiter))[1 if layout.header else 0 :]
    if not 0 < len(records) <= MOST_ROWS:
        raise UserError(f"There are {len(records)} rows: 1 to {MOST_ROWS} are expected. 'make predict' takes more.")
    return [_row(encoder, line, fields) for line, fields in records]


def _with_blank(field: Field, columns: ModelColumns) -> Field:
    prepared = columns.preparation
    treatment = prepared.missing.get(field.name)
    texts = [each for each in prepared.missing_values if each not in field.choices]
    if treatment is None or treatment.fill is None or not texts:
        return field
    return Field(
        field.name, field.kind, field.placeholder, field.choices, field.is_open, "" if "" in texts else texts[0]
    )


def _records(text: str, delimiter: str) -> Iterator[tuple[int, Sequence[str]]]:
    """Yield the line and the fields of each row that is not blank.

    Raises:
        UserError: the text is not CSV.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    line = 1
    try:
        for fields in reader:
            if any(field.strip() for field in fields):
                yield line, fields
            line = reader.line_num + 1
    except csv.Error as error:
        raise UserError(f"Line {line} is not CSV: {error}") from None


def _row(encoder: RowEncoder, line: int, fields: Sequence[str]) -> Row:
    try:
        return Row(line, encoder.encode(fields))
    except RowError as error:
        return Row(line, "", str(error))
