"""The operation Search, over the resources that the service keeps.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Search.html and API_Filter, API_NestedFilters,
API_SearchExpression.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.utils import parse_timestamp

from local.api.sagemaker.listing import page
from local.api.sagemaker.operations import Request, Response
from local.aws.service_models import service_model
from local.core.errors import not_implemented, validation_error
from local.records import described
from local.records import tuning_jobs as tuning_record
from local.records.kinds import (
    ENDPOINT,
    EXECUTION,
    MODEL_PACKAGE,
    MODEL_PACKAGE_GROUP,
    PIPELINE,
    TRAINING_JOB,
    TUNING_JOB,
    Kind,
)
from local.records.tags import tags_of
from local.storage.store import Document, Store

_KINDS = {
    kind.prefix: kind
    for kind in (ENDPOINT, EXECUTION, MODEL_PACKAGE, MODEL_PACKAGE_GROUP, PIPELINE, TRAINING_JOB, TUNING_JOB)
}
_NUMBERS = ("integer", "long", "float", "double")
_ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {
    "GreaterThan": lambda found, wanted: found > wanted,
    "GreaterThanOrEqualTo": lambda found, wanted: found >= wanted,
    "LessThan": lambda found, wanted: found < wanted,
    "LessThanOrEqualTo": lambda found, wanted: found <= wanted,
}
Predicate = Callable[[Document], bool]


@dataclass(frozen=True)
class SearchOperations:
    """The operation Search."""

    store: Store

    def search(self, request: Request) -> Response:
        """Find resources of one kind whose properties satisfy an expression."""
        resource = request["Resource"]
        if resource not in _KINDS:
            raise not_implemented("sagemaker", f"Search for {resource}")
        if request.get("CrossAccountFilterOption") == "CrossAccount" or "VisibilityConditions" in request:
            raise not_implemented("sagemaker", "Search with CrossAccountFilterOption or VisibilityConditions")
        kind, properties = _KINDS[resource], _Properties.of(resource)
        wanted = _expression(properties, request.get("SearchExpression", {}))
        found = [document for document in map(self._document(kind), self.store.list(kind.name)) if wanted(document)]
        sorted_by = _modified() if "SortBy" not in request else properties.property(request["SortBy"])
        asked = {name: request[name] for name in ("MaxResults", "NextToken", "SortOrder") if name in request}
        answer = page(
            asked | {"SortBy": sorted_by.name},
            found,
            "Results",
            resource=resource,
            order="Descending",
            sort_keys={sorted_by.name: lambda document: next(iter(sorted_by.values(document)), None)},
        )
        answer["Results"] = [{resource: document} for document in answer["Results"]]
        return answer | {"TotalHits": {"Value": len(found), "Relation": "EqualTo"}}

    def _document(self, kind: Kind) -> Callable[[Document], Document]:
        def complete(record: Document) -> Document:
            if kind is TRAINING_JOB:
                record = described.training_job(record)
            elif kind is TUNING_JOB:
                record = described.tuning_job(tuning_record.described(self.store, record))
            return (
                {"LastModifiedTime": record["CreationTime"]}
                | record
                | {"Tags": tags_of(self.store, record[kind.arn_member])}
            )

        return complete


@dataclass(frozen=True)
class _Property:
    """A property of a resource.

    Attributes:
        name: as the request has it.
        kind: its shape's type.
        values: returns its values in a document; several if the path goes through a list.
    """

    name: str
    kind: str
    values: Callable[[Any], list[Any]]

    def read(self, text: str) -> Any:
        """Return a filter's value in the property's type.

        Raises:
            ServiceError: ValidationException, the text is not of this type.
        """
        try:
            if self.kind == "timestamp":
                return parse_timestamp(text).timestamp()
            if self.kind in _NUMBERS:
                return float(text)
        except (ValueError, OverflowError):
            raise validation_error(f"The value {text!r} of the property {self.name} is not a {self.kind}") from None
        return text.lower() if self.kind == "boolean" else text


class _Properties:
    """The properties of a kind of resource, by their paths.

    Args:
        shape: the resource's shape in Search's results, or a part of it.
        place: the path of the part, with a dot at its end; empty for the resource.
    """

    def __init__(self, shape: Shape, place: str = "") -> None:
        self._shape = shape
        self._place = place

    @classmethod
    def of(cls, resource: str) -> _Properties:
        results: Any = service_model().operation_model("Search").output_shape
        return cls(results.members["Results"].member.members[resource])

    def property(self, name: str) -> _Property:
        """Return the property of a name.

        Raises:
            ServiceError: ValidationException, the resource has no such property.
        """
        if not name.startswith(self._place):
            raise validation_error(f"Unknown property name: {name}: a nested filter's names begin with {self._place}")
        path = name.removeprefix(self._place)
        first, _, rest = path.partition(".")
        if first == "Tags" and rest and not self._place:
            return _Property(name, "string", lambda document: _pairs(document.get("Tags"), "Key", rest))
        if first == "Metrics" and rest and not self._place:
            return _Property(
                name, "double", lambda document: _pairs(document.get("FinalMetricDataList"), "MetricName", rest)
            )
        return _Property(name, *self._resolved(self._shape, path, name))

    def part(self, name: str) -> tuple[_Properties, _Property]:
        """Return the properties of the items of a list, and the list."""
        found = self.property(name)
        shape = self._shape
        for member in name.removeprefix(self._place).split("."):
            shape = shape.members[member] if isinstance(shape, StructureShape) and member in shape.members else shape
        if not isinstance(shape, ListShape):
            raise validation_error(f"The property {name} is not a list: NestedFilters are for lists")
        return _Properties(shape.member, f"{name}."), found

    def _resolved(self, shape: Shape, path: str, name: str) -> tuple[str, Callable[[Any], list[Any]]]:
        if not path:
            return shape.type_name, lambda value: value if isinstance(value, list) else [value]
        if isinstance(shape, ListShape):
            kind, inner = self._resolved(shape.member, path, name)
            return kind, lambda value: [found for item in value for found in inner(item)]
        if isinstance(shape, MapShape):
            return shape.value.type_name, lambda value: [value[path]] if path in value else []
        first, _, rest = path.partition(".")
        if not isinstance(shape, StructureShape) or first not in shape.members:
            raise validation_error(f"Unknown property name: {name}")
        kind, deeper = self._resolved(shape.members[first], rest, name)
        return kind, lambda value: deeper(value[first]) if value.get(first) is not None else []


def _modified() -> _Property:
    """Return the property by which results are sorted if a request names none. Not every shape has it."""
    return _Property("LastModifiedTime", "timestamp", lambda document: [document["LastModifiedTime"]])


def _pairs(items: list[Document] | None, key: str, wanted: str) -> list[Any]:
    return [item["Value"] for item in items or [] if item[key] == wanted]


def _expression(properties: _Properties, expression: dict[str, Any]) -> Predicate:
    parts = [_filter(properties, each) for each in expression.get("Filters", [])]
    parts += [_nested(properties, each) for each in expression.get("NestedFilters", [])]
    parts += [_expression(properties, each) for each in expression.get("SubExpressions", [])]
    if expression.get("Operator", "And") == "Or" and parts:
        return lambda document: any(part(document) for part in parts)
    return lambda document: all(part(document) for part in parts)


def _nested(properties: _Properties, nested: dict[str, Any]) -> Predicate:
    inner, items = properties.part(nested["NestedPropertyName"])
    filters = [_filter(inner, each) for each in nested["Filters"]]
    return lambda document: any(all(wanted(item) for wanted in filters) for item in items.values(document))


def _filter(properties: _Properties, given: dict[str, str]) -> Predicate:
    found, operator = properties.property(given["Name"]), given.get("Operator", "Equals")
    if operator in ("Exists", "NotExists"):
        if "Value" in given:
            raise validation_error(f"The operator {operator} of the property {found.name} takes no Value")
        return lambda document: bool(found.values(document)) == (operator == "Exists")
    if "Value" not in given:
        raise validation_error(f"The operator {operator} of the property {found.name} needs a Value")
    matches = _comparison(found, operator, given["Value"])
    if operator == "NotEquals":
        return lambda document: not any(matches(value) for value in found.values(document))
    return lambda document: any(matches(value) for value in found.values(document))


def _comparison(found: _Property, operator: str, text: str) -> Callable[[Any], bool]:
    if operator in _ORDERINGS:
        return _ordering(found, operator, text)
    if operator == "Contains":
        return lambda value: text in str(value)
    if operator == "In":
        wanted = [found.read(part.strip()) for part in text.split(",")]
        return lambda value: _plain(value) in wanted
    single = found.read(text)
    return lambda value: _plain(value) == single


def _ordering(found: _Property, operator: str, text: str) -> Callable[[Any], bool]:
    compare = _ORDERINGS[operator]
    if found.kind in (*_NUMBERS, "timestamp"):
        limit = found.read(text)
        return lambda value: compare(value, limit)
    number = _number(text)
    if not found.name.startswith(("HyperParameters.", "Tags.")) or number is None:
        raise validation_error(f"The operator {operator} is for numbers and times, not for the property {found.name}")
    return lambda value: (have := _number(value)) is not None and compare(have, number)


def _plain(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
