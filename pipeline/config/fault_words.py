"""Says what is wrong with a value of a YAML file, in words for who wrote it; pydantic's are for programmers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from pipeline.text import number_of, shortened

_EXPECTED: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "model_type": lambda details: f"a section with keys is expected, such as {_example(details['class_name'])}",
    "dict_type": lambda _: "keys with values are expected, such as {name: value}",
    "list_type": lambda _: "a list is expected, such as [one, two]",
    "string_type": lambda _: "text is expected",
    "int_type": lambda _: "a whole number is expected",
    "int_from_float": lambda _: "a whole number is expected",
    "int_parsing": lambda _: "a whole number is expected",
    "float_type": lambda _: "a number is expected",
    "float_parsing": lambda _: "a number is expected",
    "finite_number": lambda _: "a finite number is expected",
    "bool_type": lambda _: "true or false is expected",
    "literal_error": lambda details: f"{details['expected']} is expected",
    "greater_than": lambda details: f"a number above {_number(details['gt'])} is expected",
    "greater_than_equal": lambda details: f"a number of at least {_number(details['ge'])} is expected",
    "less_than": lambda details: f"a number below {_number(details['lt'])} is expected",
    "less_than_equal": lambda details: f"a number of at most {_number(details['le'])} is expected",
    "too_short": lambda details: f"a list of at least {details['min_length']} is expected",
    "too_long": lambda details: f"a list of at most {details['max_length']} is expected",
    "string_too_short": lambda details: f"text of at least {number_of(details['min_length'], 'character')} is expected",
    "string_too_long": lambda details: f"text of at most {number_of(details['max_length'], 'character')} is expected",
}


def in_words(fault: ErrorDetails) -> str:
    """Return the sentence about a fault that pydantic found, without a stop."""
    kind, value, details = fault["type"], fault["input"], fault.get("ctx", {})
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        return "unknown key"
    if kind == "value_error":
        return str(details["error"])
    # An error without words here keeps pydantic's.
    expected = _EXPECTED[kind](details) if kind in _EXPECTED else fault["msg"][0].lower() + fault["msg"][1:]
    return f"{expected}, not {shortened(repr(value))}{_hint(kind, value)}"


def _hint(kind: str, value: Any) -> str:
    if kind == "float_type" and isinstance(value, str) and re.fullmatch(r"[\d.]+[eE][+-]?\d+", value):
        return "; YAML reads 5e7 as text: write 5.0e+7 or 50000000.0"
    if kind in ("int_type", "float_type") and isinstance(value, str) and re.fullmatch(r"[+-]?\d+(\.\d+)?", value):
        return "; remove the quotes"
    if kind == "string_type" and isinstance(value, bool):
        return "; YAML reads yes, no, on and off as true and false: put it in quotes"
    if kind == "string_type" and isinstance(value, int | float):
        return "; put it in quotes"
    return ""


def _number(limit: float) -> str:
    return f"{limit:g}" if isinstance(limit, float) else str(limit)


def _example(name: str) -> str:
    """Return a section's first key, as YAML has it."""
    # pydantic's error has the class's name only. The SDK may have a class of that name, too.
    ours = (model for model in _below(BaseModel) if model.__module__.startswith("pipeline."))
    section = next(model for model in ours if model.__name__ == name)
    return f"{{{next(iter(section.model_fields))}: ...}}"


def _below(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for each in model.__subclasses__():
        yield each
        yield from _below(each)
