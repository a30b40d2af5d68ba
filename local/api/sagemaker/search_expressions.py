"""The expressions of Search: filters, nested filters and sub-expressions.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_SearchExpression.html , API_Filter,
API_NestedFilters and API_Search.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from local.api.sagemaker.search_properties import NUMBERS, Properties, Property
from local.core.errors import validation_error
from local.storage.store import Document

_ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {
    "GreaterThan": lambda found, wanted: found > wanted,
    "GreaterThanOrEqualTo": lambda found, wanted: found >= wanted,
    "LessThan": lambda found, wanted: found < wanted,
    "LessThanOrEqualTo": lambda found, wanted: found <= wanted,
}
_MOST_ELEMENTS = 50
Predicate = Callable[[Document], bool]


def predicate(properties: Properties, expression: dict[str, Any] | None) -> Predicate:
    """Return whether a document satisfies an expression, as a function. Without an expression, each does.

    Raises:
        ServiceError: ValidationException, SageMaker does not take the expression.
    """
    if expression is None:
        return lambda document: True
    _check_elements(expression)
    return _expression(properties, expression)


def _check_elements(expression: dict[str, Any]) -> None:
    elements = list(_elements(expression))
    if len(elements) > _MOST_ELEMENTS:
        raise validation_error(
            "The maximum number of recursive SubExpressions, NestedFilters, and Filters that can be included in a "
            f"SearchExpression object is {_MOST_ELEMENTS}."
        )
    expressions = [expression, *(element for kind, element in elements if kind == "SubExpressions")]
    if any(not list(_elements(each)) for each in expressions):
        raise validation_error("You must provide at least one subexpression, filter, or nested filter.")
    if sum(element.get("Operator") == "Contains" for kind, element in elements if kind == "Filters") > 1:
        # More are allowed for experiments, trials and their components, which are not here.
        raise validation_error("'CONTAINS' operator usage limit of 1 exceeded.")


def _elements(expression: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield all filters, nested filters with their filters, and sub-expressions with their elements."""
    for kind in ("Filters", "NestedFilters", "SubExpressions"):
        for element in expression.get(kind, []):
            yield kind, element
            yield from _elements(element)


def _expression(properties: Properties, expression: dict[str, Any]) -> Predicate:
    parts = [_filter(properties, each) for each in expression.get("Filters", [])]
    parts += [_nested(properties, each) for each in expression.get("NestedFilters", [])]
    parts += [_expression(properties, each) for each in expression.get("SubExpressions", [])]
    if expression.get("Operator", "And") == "Or":
        return lambda document: any(part(document) for part in parts)
    return lambda document: all(part(document) for part in parts)


def _nested(properties: Properties, nested: dict[str, Any]) -> Predicate:
    inner, items = properties.part(nested["NestedPropertyName"])
    filters = [_filter(inner, each) for each in nested["Filters"]]
    return lambda document: any(all(wanted(item) for wanted in filters) for item in items.values(document))


def _filter(properties: Properties, given: dict[str, str]) -> Predicate:
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


def _comparison(found: Property, operator: str, text: str) -> Callable[[Any], bool]:
    if operator in _ORDERINGS:
        return _ordering(found, operator, text)
    if operator in ("Contains", "In") and found.kind in (*NUMBERS, "timestamp", "boolean"):
        raise validation_error(f"The operator {operator} is for text, not for the {found.kind} property {found.name}")
    if operator == "Contains":
        return lambda value: text in str(value)
    if operator == "In":
        wanted = [part.strip() for part in text.split(",")]
        return lambda value: value in wanted
    single = found.read(text)
    return lambda value: _plain(value) == single


def _ordering(found: Property, operator: str, text: str) -> Callable[[Any], bool]:
    compare = _ORDERINGS[operator]
    if found.kind in (*NUMBERS, "timestamp"):
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
