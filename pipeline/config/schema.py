"""Prints config.schema.json, with which editors complete, check and explain a configuration.

.venv/bin/python -m pipeline.config.schema > config.schema.json
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from pipeline.config.models import Config
from pipeline.config.section import DEFAULT_IN_WORDS, VALUES_IN_WORDS

_HEAD = {
    # yaml-language-server knows draft 7 and older: https://github.com/redhat-developer/yaml-language-server
    "$schema": "http://json-schema.org/draft-07/schema#",
    "$comment": "Written by: .venv/bin/python -m pipeline.config.schema > config.schema.json",
}


def described_schema() -> dict[str, Any]:
    """Return the JSON Schema of a configuration as the models describe it: without references, and with words.

    The words are the members DEFAULT_IN_WORDS and VALUES_IN_WORDS of a key.
    """
    schema = Config.model_json_schema()
    described = _without_references(schema, schema.pop("$defs"))
    assert isinstance(described, dict)
    return described


def editor_schema() -> dict[str, Any]:
    """Return the JSON Schema for editors: draft 7, with plain texts.

    It refuses less than a reading of the configuration, which also compares values with each other.
    """
    schema: dict[str, Any] = _for_editors(described_schema())
    for name, section in schema["properties"].items():
        if name not in schema["required"]:  # YAML reads a section without keys as null
            section["type"] = ["object", "null"]
    return _HEAD | schema


def document() -> str:
    """Return the content of config.schema.json."""
    return json.dumps(editor_schema(), indent=1, ensure_ascii=False) + "\n"


def _without_references(node: Any, definitions: Mapping[str, Any]) -> Any:
    """Return a part of a schema with its references resolved, and without pydantic's titles."""
    if isinstance(node, list):
        return [_without_references(part, definitions) for part in node]
    if not isinstance(node, dict):
        return node
    named = definitions[node["$ref"].removeprefix("#/$defs/")] if "$ref" in node else {}
    members = {**named, **node}
    return {
        key: _without_references(value, definitions)
        for key, value in members.items()
        if key != "$ref" and not (key == "title" and isinstance(value, str))
    }


def _for_editors(node: Any) -> Any:
    """Return a part of a schema with its words as descriptions and messages that editors show."""
    if isinstance(node, list):
        return [_for_editors(part) for part in node]
    if not isinstance(node, dict):
        return node
    shown = {key: _for_editors(value) for key, value in node.items() if key not in (DEFAULT_IN_WORDS, VALUES_IN_WORDS)}
    if isinstance(text := node.get("description"), str):
        shown["description"] = _plain(text)
        if words := node.get(DEFAULT_IN_WORDS):
            shown.pop("default", None)
            shown["description"] += f" Default: {_plain(words)}."
    if words := node.get(VALUES_IN_WORDS):  # else the message about an instance type would list all of them
        shown["errorMessage"] = f"Expected: {_plain(words)}."
    return shown


def _plain(text: str) -> str:
    """Return a docstring's text on one line, without links and with single quotes of code."""
    return re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", " ".join(text.split()).replace("``", "`"))


if __name__ == "__main__":
    print(document(), end="")
