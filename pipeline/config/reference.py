"""Prints docs/configuration-keys.md: every key of a configuration with its values, default and meaning.

.venv/bin/python -m pipeline.config.reference > docs/configuration-keys.md
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from pipeline.config.schema import described_schema
from pipeline.config.section import DEFAULT_IN_WORDS, VALUES_IN_WORDS

_INTRODUCTION = """\
# Every key of config.yaml

[configuration.md](configuration.md) shows how to use the keys, and says how the file is read.

* **No effect locally**: the key changes the pipeline's definition; `make run` works the same with any value.
* **Not yet seen on AWS**: only AWS can show the effect, and
  [nothing of this project has been run in a real AWS account so far](first-run-on-aws.md).
* **Parameter**: each execution can have another value: `make start PARAMS="MaxMse=4e7"`, Studio's form, or the AWS CLI.

`.venv/bin/python -m pipeline.config.reference > docs/configuration-keys.md` writes this page from the code; a test
compares the two.
"""
_BELOW = "the keys below"
_VALUE = {"boolean", "integer", "number", "string"}
"""The types of a hyperparameter's value. Which of them it takes depends on the hyperparameter."""


def document() -> str:
    """Return the page as Markdown."""
    sections = described_schema()["properties"]
    return "\n".join([_INTRODUCTION, *(_section(name, schema) for name, schema in sections.items())])


def _section(name: str, schema: dict[str, Any]) -> str:
    head = [f"## {name}", "", _markdown(schema["description"]), ""]
    table = ["| key, values, default | meaning |", "|---|---|", *_rows(name, schema)]
    return "\n".join([*head, *table, ""])


def _rows(path: str, section: dict[str, Any]) -> Iterable[str]:
    """Yield the rows of a section's keys, each followed by those of the keys below it."""
    for name, schema in section["properties"].items():
        key = f"{path}.{name}"
        default = "required" if name in section.get("required", ()) else f"default: {_default(schema)}"
        # One cell, because four columns are too narrow for keys
        first = f"`{key}`<br>{_values(schema)}<br>{default}"
        yield f"| {_cell(first)} | {_cell(_markdown(schema['description']))} |"
        yield from _rows_below(key, schema)


def _rows_below(path: str, schema: dict[str, Any]) -> Iterable[str]:
    if "properties" in schema:
        yield from _rows(path, schema)
    for kind in schema.get("anyOf", ()):
        yield from _rows_below(path, kind)
    if isinstance(schema.get("additionalProperties"), dict):
        yield from _rows_below(f"{path}.*", schema["additionalProperties"])


def _default(schema: dict[str, Any]) -> str:
    if DEFAULT_IN_WORDS in schema:
        return _markdown(schema[DEFAULT_IN_WORDS])
    default = schema.get("default")
    return "none" if default in (None, [], {}) else _code(default)


def _values(schema: dict[str, Any]) -> str:
    """Return in words which values a schema allows; null is left out, because it is what an absent key means."""
    if words := schema.get(VALUES_IN_WORDS):
        return _markdown(words)
    if kinds := schema.get("anyOf"):
        return _of_any([kind for kind in kinds if kind != {"type": "null"}])
    if values := schema.get("enum", [schema["const"]] if "const" in schema else []):
        return _either(map(_code, values))
    return _OF_TYPE[schema["type"]](schema)


def _of_any(kinds: list[dict[str, Any]]) -> str:
    if {kind.get("type") for kind in kinds} == _VALUE:
        return "a value"
    return _either(map(_values, kinds))


def _text(schema: dict[str, Any]) -> str:
    return "one character" if schema.get("maxLength") == 1 else "a text"


def _list(schema: dict[str, Any]) -> str:
    size, item = _size(schema, "Items"), _values(schema["items"])
    if item.startswith("`"):
        return f"a list of {size or 'any '}of {item}"
    return f"a list of {size}{_plural(item)}"


def _map(schema: dict[str, Any]) -> str:
    if "properties" in schema:
        return _BELOW
    key = schema.get("propertyNames", {}).get(VALUES_IN_WORDS, "a name")
    return f"{_size(schema, 'Properties')}{_plural(key)}, each with {_values(schema['additionalProperties'])}"


def _number(schema: dict[str, Any]) -> str:
    noun = "a whole number" if schema["type"] == "integer" else "a number"
    match schema:
        case {"minimum": lowest, "maximum": highest}:
            return f"{noun}, {lowest} to {highest}"
        case {"minimum": lowest}:
            return f"{noun}, {lowest} or more"
        case {"exclusiveMinimum": lowest}:
            return f"{noun} above {lowest}"
    return noun


def _size(schema: dict[str, Any], of: str) -> str:
    """Return the words for how many members a list or a map may have: nothing, or for example "1 to 30 "."""
    lowest, highest = schema.get(f"min{of}", 0), schema.get(f"max{of}")
    if highest is not None:
        return f"{lowest} to {highest} " if lowest else f"up to {highest} "
    return f"{lowest} or more " if lowest else ""


def _plural(words: str) -> str:
    """Return the plural of "a number above 0" and the like."""
    return re.sub(r"^an? ([\w -]+?)(?= of | above | from |,|$)", r"\1s", words)


def _either(words: Iterable[str]) -> str:
    *others, last = words
    before_last = ", or" if last == _BELOW else " or"
    return f"{', '.join(others)}{before_last} {last}" if others else last


def _code(value: Any) -> str:
    return f"`{value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}`"


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def _markdown(docstring: str) -> str:
    return " ".join(docstring.split()).replace("``", "`")


_OF_TYPE: dict[str, Callable[[dict[str, Any]], str]] = {
    "boolean": lambda _: "`true` or `false`",
    "integer": _number,
    "number": _number,
    "string": _text,
    "array": _list,
    "object": _map,
}


if __name__ == "__main__":
    print(document(), end="")
