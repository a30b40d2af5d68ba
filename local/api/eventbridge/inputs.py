"""What a target gets of an event."""

from __future__ import annotations

import json
import re
from typing import Any

from definition_language.paths import PathError, follow, parse_path
from local.core.errors import validation_error

Event = dict[str, Any]
Target = dict[str, Any]

_PLACE = re.compile(r"<([^<>\"]+)>")
_TEMPLATE_PART = re.compile(r'"(?:[^"\\]|\\.)*"|<([^<>"]+)>')


def target_input(target: Target, event: Event) -> Any:
    """Return a target's input: the event, a part of it, a constant, or a template filled from the event.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
    """
    if "Input" in target:
        return json.loads(target["Input"])
    if "InputPath" in target:
        return _at(event, target["InputPath"])
    if "InputTransformer" not in target:
        return event
    transformer = target["InputTransformer"]
    values = {name: _at(event, path) for name, path in transformer.get("InputPathsMap", {}).items()}
    return json.loads(fill(transformer["InputTemplate"], values))


def fill(template: str, values: dict[str, Any]) -> str:
    """Return a template with values in its places; null where there is no value."""

    def insert(match: re.Match[str]) -> str:
        if match[1]:
            return json.dumps(values.get(match[1]))
        # Within a JSON string, a value is inserted without quotes of its own.
        return _PLACE.sub(lambda place: _within_quotes(values.get(place[1])), match[0])

    return _TEMPLATE_PART.sub(insert, template)


def places(template: str) -> list[str]:
    """Return the names of a template's places: ``name`` of ``<name>``."""
    return _PLACE.findall(template)


def _within_quotes(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return json.dumps(text)[1:-1]


def parameter_value(text: str, event: Event) -> str:
    """Return the value of a pipeline's parameter.

    Args:
        text: The value itself, or its JSON path in the event, such as ``$.detail.name``.
        event: The event before any input transformation.

    Raises:
        ServiceError: ValidationException, because the event has no value at the path.
    """
    if not text.startswith("$"):
        return text
    value = _at(event, text)
    if value is None:
        raise validation_error(f"the event has no value at {text}")
    return value if isinstance(value, str) else json.dumps(value)


def _at(document: Any, path: str) -> Any:
    """Return the value at a path such as ``$.detail.items[0]``, or None if there is no value."""
    if path == "$":
        return document
    try:
        return follow(document, parse_path(path), named_items=False)
    except PathError:
        return None
