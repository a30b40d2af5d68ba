"""Filters and joins of records in batch transform: InputFilter, JoinSource and OutputFilter.

A filter is a JSONPath of six operators. A CSV record is an array of its fields.
Source: "Associate Prediction Results with Input Records",
https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html
"""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass
from typing import Any

from definition_language.text import number_of

CSV, JSON, JSON_LINES = "text/csv", "application/json", "application/jsonlines"
FORMATS = (CSV, JSON, JSON_LINES)

_OPERATOR = re.compile(
    r"\.(?P<child>[A-Za-z_][\w-]*)"
    r"|(?P<any>\.\*|\[\*\])"
    r"|\.?\[\s*(?P<names>'[^']*'(?:\s*,\s*'[^']*')*)\s*\]"
    r"|\[\s*(?P<indices>-?\d+(?:\s*,\s*-?\d+)*)\s*\]"
    r"|\[\s*(?P<start>-?\d*)\s*:\s*(?P<end>-?\d*)\s*\]"
)
_NAME = re.compile(r"'([^']*)'")


class RecordError(ValueError):
    """A record is malformed, or has no part that a filter names."""


def record_format(content_type: str) -> str:
    """Return a content type without its parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()


@dataclass(frozen=True)
class RecordFilter:
    """A filter's operators, without the ``$``.

    Attributes:
        expression: the filter.
        operators: names, indices, a slice, or None for ``*``.
    """

    expression: str
    operators: tuple[tuple[str, ...] | tuple[int, ...] | slice | None, ...]

    @classmethod
    def parse(cls, expression: str) -> RecordFilter:
        """Parse a filter.

        Raises:
            RecordError: the filter is not an expression of the supported operators.
        """
        rest, operators = expression.strip(), []
        if not rest.startswith("$"):
            raise RecordError(f"the filter {expression!r} does not begin with $")
        position = 1
        while position < len(rest):
            match = _OPERATOR.match(rest, position)
            if match is None:
                raise RecordError(
                    f"the filter {expression!r} is not a JSONPath with the operators . * ['name'] [n] [a:b]"
                )
            operators.append(_operator(match))
            position = match.end()
        return cls(expression, tuple(operators))

    @property
    def takes_everything(self) -> bool:
        """Whether the filter is ``$``."""
        return not self.operators

    def apply(self, value: Any) -> Any:
        """Return the parts of a JSON value that the filter names.

        Several names give an object, several indices and slices an array.

        Raises:
            RecordError: the value has no such part.
        """
        for operator in self.operators:
            value = self._step(operator, value)
        return value

    def apply_to_row(self, row: list[str]) -> list[str]:
        """Return the fields of a CSV record that the filter names.

        Raises:
            RecordError: the record has no such field.
        """
        found = self.apply(row)
        return found if isinstance(found, list) else [str(found)]

    def _step(self, operator: tuple[str, ...] | tuple[int, ...] | slice | None, value: Any) -> Any:
        names = isinstance(operator, tuple) and isinstance(operator[0], str)
        if operator is None and isinstance(value, dict):
            return list(value.values())
        missing = RecordError(f"the filter {self.expression} names a part that a record does not have")
        if not isinstance(value, dict if names else list):
            raise missing
        if not isinstance(operator, tuple):
            return value[operator or slice(None)]
        try:
            found: dict[Any, Any] = {key: value[key] for key in operator}  # type: ignore[index]
        except LookupError:
            raise missing from None
        if len(operator) == 1:
            return found[operator[0]]
        return found if names else list(found.values())


@dataclass(frozen=True)
class RecordProcessing:
    """The filters and the join of one job.

    Attributes:
        input_filter: is applied to records before the model gets them.
        output_filter: is applied to the model's answers, after the join.
        joins: whether the answers are joined to the records.
        content_type: the format of records, one of ``FORMATS`` if they are filtered or joined.
        accept: the format of answers, likewise.
        by_line: whether each line is one record.
    """

    input_filter: RecordFilter
    output_filter: RecordFilter
    joins: bool
    content_type: str
    accept: str
    by_line: bool

    @classmethod
    def of(cls, request: dict[str, Any]) -> RecordProcessing:
        """Return the processing of a CreateTransformJob request.

        Raises:
            RecordError: a filter is malformed, or it cannot be applied to the data's format.
        """
        given: dict[str, str] = request.get("DataProcessing", {})
        processing = cls(
            RecordFilter.parse(given.get("InputFilter") or "$"),
            RecordFilter.parse(given.get("OutputFilter") or "$"),
            given.get("JoinSource", "None") == "Input",
            record_format(request["TransformInput"].get("ContentType", "")),
            record_format(request["TransformOutput"].get("Accept", "")),
            request["TransformInput"].get("SplitType", "None") == "Line",
        )
        processing._check()
        return processing

    def _check(self) -> None:
        if self.joins and (self.content_type != self.accept or self.accept not in FORMATS):
            raise RecordError(
                f"JoinSource Input needs ContentType and Accept of the same format, one of {', '.join(FORMATS)}, "
                f"not {self.content_type!r} and {self.accept!r}"
            )
        for name, chosen, form in (
            ("InputFilter", self.input_filter, self.content_type),
            ("OutputFilter", self.output_filter, self.accept),
        ):
            if not chosen.takes_everything and form not in FORMATS:
                raise RecordError(f"{name} {chosen.expression} is for data in {', '.join(FORMATS)}, not {form!r}")
            if form == CSV and (len(chosen.operators) > 1 or any(map(_names_children, chosen.operators))):
                raise RecordError(f"{name} {chosen.expression}: a CSV record has numbered fields only")

    def model_input(self, records: bytes) -> bytes:
        """Return what the model gets.

        Raises:
            RecordError: a record is malformed or lacks a part.
        """
        if self.input_filter.takes_everything:
            return records
        if self.content_type == CSV:
            return _csv_text([self.input_filter.apply_to_row(row) for row in self._rows(records)])
        return self._json_text([self.input_filter.apply(value) for value in self._values(records, self.content_type)])

    def output(self, records: bytes, answer: bytes) -> bytes:
        """Return what is stored for records and the model's answer to them.

        Raises:
            RecordError: a record or an answer is malformed or lacks a part, or the model did not answer every record.
        """
        if not self.joins and self.output_filter.takes_everything:
            return answer
        if self.accept == CSV:
            rows = self._rows(answer)
            if self.joins:
                pairs = _paired(self._rows(records), rows)
                rows = [record + result for record, result in pairs]
            return _csv_text([self.output_filter.apply_to_row(row) for row in rows])
        values = self._values(answer, self.accept)
        if self.joins:
            pairs = _paired(self._values(records, self.content_type), values)
            values = [_joined(record, result) for record, result in pairs]
        return self._json_text([self.output_filter.apply(value) for value in values])

    def _rows(self, text: bytes) -> list[list[str]]:
        """Parse CSV. If each line is a record, quotes hold no line break: batch transform does not support that."""
        try:
            decoded = text.decode()
            if not self.by_line:
                return [row for row in csv.reader(io.StringIO(decoded, newline=""), strict=True) if row]
            return [row for line in decoded.split("\n") for row in csv.reader([line.rstrip("\r")], strict=True) if row]
        except (csv.Error, UnicodeDecodeError) as error:
            raise RecordError(f"a record is not CSV in UTF-8 without line breaks in its fields: {error}") from None

    def _values(self, text: bytes, form: str) -> list[Any]:
        try:
            if form == JSON and not self.by_line:
                return [json.loads(text)]
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        except (ValueError, RecursionError) as error:
            raise RecordError(f"a record is not JSON: {error}") from None

    def _json_text(self, values: list[Any]) -> bytes:
        return b"\n".join(json.dumps(value).encode() for value in values)


def _operator(match: re.Match[str]) -> tuple[str, ...] | tuple[int, ...] | slice | None:
    if match["any"]:
        return None
    if match["child"]:
        return (match["child"],)
    if match["names"]:
        return tuple(_NAME.findall(match["names"]))
    if match["indices"]:
        return tuple(int(number) for number in match["indices"].split(","))
    return slice(*(int(end) if end else None for end in (match["start"], match["end"])))


def _names_children(operator: object) -> bool:
    return isinstance(operator, tuple) and isinstance(operator[0], str)


def _joined(record: Any, result: Any) -> Any:
    if isinstance(record, dict):
        return record | {"SageMakerOutput": result}
    return {"SageMakerInput": record, "SageMakerOutput": result}


def _paired(records: list[Any], results: list[Any]) -> list[tuple[Any, Any]]:
    if len(records) != len(results):
        raise RecordError(
            f"the model answered {number_of(len(records), 'record')} with {number_of(len(results), 'result')}"
        )
    return list(zip(records, results, strict=True))


def _csv_text(rows: list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
