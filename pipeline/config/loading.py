"""Reads config.yaml and reports its faults, one line each."""

from __future__ import annotations

import shlex
from collections.abc import Hashable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from pipeline.config.checks import check_config
from pipeline.config.fault_words import in_words
from pipeline.config.models import Config
from pipeline.config.yaml_faults import yaml_fault
from pipeline.errors import ConfigError


def load_config(path: Path) -> Config:
    """Read and check a configuration file, without a request to AWS.

    Raises:
        ConfigError: the file cannot be read, or its values cannot be used.
    """
    text = ""
    try:
        text = path.read_text("utf-8")
        document = yaml.load(text, _Loader)  # noqa: S506 - _Loader is a SafeLoader
    except FileNotFoundError as error:
        draft = f"make init DATA=file.csv LABEL=column CONFIG={shlex.quote(str(path))}"
        raise ConfigError([f"{path}: cannot be read: {error.strerror}. To draft it: {draft}"]) from None
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from None
    except _DuplicateKeyError as error:
        raise ConfigError([f"{path}: {error}"]) from None
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError([f"{path}, {yaml_fault(error, text)}"]) from None
    if not isinstance(document, dict):
        raise ConfigError([f"{path}: not a configuration: it has no sections, for example 'pipeline:'"])
    return parse_config(document, str(path))


def parse_config(document: dict[str, Any], source: str) -> Config:
    """Check a configuration that has been read already.

    Values are first checked one by one. Checks between values need all of them, so they come second.

    Args:
        document: sections by name.
        source: the file's name, with which each fault begins.

    Raises:
        ConfigError: some values cannot be used.
    """
    try:
        config = Config.model_validate(document)
    except ValidationError as error:
        faults = [
            f"{source}: {_path(fault['loc'])}: {_sentence(fault)}"
            for fault in error.errors()
            # A default that depends on a faulty value is not a fault of its own.
            if fault["type"] != "default_factory_not_called"
        ]
        raise ConfigError(faults) from None
    faults = [f"{source}: {path}: {sentence}" for path, sentence in check_config(config)]
    if faults:
        raise ConfigError(faults)
    return config


class _DuplicateKeyError(Exception):
    """A key stands twice; the message says where."""


class _Loader(yaml.SafeLoader):
    """A safe loader that refuses duplicate keys; PyYAML keeps the last one without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        lines: dict[Hashable, int] = {}
        for key_node, _ in node.value:
            key, line = self.construct_object(key_node, deep=True), key_node.start_mark.line + 1
            if key in lines:
                raise _DuplicateKeyError(f"{key} stands twice, in the lines {lines[key]} and {line}: make it one")
            lines[key] = line
        return super().construct_mapping(node, deep)


def _path(location: tuple[int | str, ...]) -> str:
    if location[-1:] == ("[key]",):
        location = location[:-1]  # pydantic's mark of a key that is itself at fault
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


def _sentence(fault: ErrorDetails) -> str:
    return _unknown_key(fault["loc"]) if fault["type"] == "extra_forbidden" else in_words(fault)


def _unknown_key(location: tuple[int | str, ...]) -> str:
    """Return the sentence about an unknown key, with the known one beside it that is spelled nearly so."""
    # Imported here, because a good configuration needs no schema.
    from pipeline.config.schema import described_schema  # noqa: PLC0415

    schema = described_schema()
    for part in location[:-1]:
        schema = schema.get("properties", {}).get(part, {})
    meant = get_close_matches(str(location[-1]), schema.get("properties", {}), 1)
    return f"unknown key; did you mean {meant[0]}?" if meant else "unknown key"
