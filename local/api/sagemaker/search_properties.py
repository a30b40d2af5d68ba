"""The properties of resources that Search finds, by their names in filters and in SortBy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.utils import parse_timestamp

from local.aws.service_models import service_model
from local.core.errors import validation_error
from local.storage.store import Document

NUMBERS = ("integer", "long", "float", "double")
"""The types of numeric properties."""


@dataclass(frozen=True)
class Property:
    """A property of a resource.

    Attributes:
        name: as the request has it.
        kind: its shape's type; of a list of values, theirs.
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
            if self.kind in NUMBERS:
                return float(text)
        except (ValueError, OverflowError):
            raise validation_error(f"The value {text!r} of the property {self.name} is not a {self.kind}") from None
        return text.lower() if self.kind == "boolean" else text


class Properties:
    """The properties of a kind of resource, by their paths.

    Args:
        shape: the resource's shape in Search's results, or a part of it.
        place: the path of the part, with a dot at its end; empty for the resource.
    """

    def __init__(self, shape: Shape, place: str = "") -> None:
        self._shape = shape
        self._place = place

    @classmethod
    def of(cls, resource: str) -> Properties:
        """Return the properties of a kind of resource."""
        results: Any = service_model().operation_model("Search").output_shape
        return cls(results.members["Results"].member.members[resource])

    def property(self, name: str) -> Property:
        """Return the property of a name.

        Raises:
            ServiceError: ValidationException, the resource has no such property.
        """
        if not name.startswith(self._place):
            raise validation_error(f"Unknown property name: {name}: a nested filter's names begin with {self._place}")
        path = name.removeprefix(self._place)
        first, _, rest = path.partition(".")
        if first == "Tags" and rest and not self._place:
            return Property(name, "string", lambda document: _pairs(document.get("Tags"), "Key", rest))
        if first == "Metrics" and rest and not self._place:
            return Property(
                name, "double", lambda document: _pairs(document.get("FinalMetricDataList"), "MetricName", rest)
            )
        return Property(name, *self._resolved(self._shape, path, name))

    def part(self, name: str) -> tuple[Properties, Property]:
        """Return the properties of the items of a list, and the list."""
        found = self.property(name)
        shape = self._shape
        for member in name.removeprefix(self._place).split("."):
            shape = shape.members[member] if isinstance(shape, StructureShape) and member in shape.members else shape
        if not isinstance(shape, ListShape):
            raise validation_error(f"The property {name} is not a list: NestedFilters are for lists")
        return Properties(shape.member, f"{name}."), found

    def _resolved(self, shape: Shape, path: str, name: str) -> tuple[str, Callable[[Any], list[Any]]]:
        if not path:
            kind = shape.member.type_name if isinstance(shape, ListShape) else shape.type_name
            return kind, lambda value: value if isinstance(value, list) else [value]
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


def _pairs(items: list[Document] | None, key: str, wanted: str) -> list[Any]:
    return [item["Value"] for item in items or [] if item[key] == wanted]
