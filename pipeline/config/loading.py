"""Reads config.yaml and reports its faults, one line each."""

from __future__ import annotations

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from pipeline.config.checks import check_config
from pipeline.config.models import Config
from pipeline.errors import ConfigError


def load_config(path: Path) -> Config:
    """Read and check a configuration file, without a request to AWS.

    Raises:
        ConfigError: the file cannot be read, or its values cannot be used.
    """
    try:
        document = yaml.load(path.read_text("utf-8"), _Loader)  # noqa: S506 - _Loader is a SafeLoader
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: not YAML: {' '.join(str(error).split())}"]) from None
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


class _Loader(yaml.SafeLoader):
    """A safe loader that refuses duplicate keys; PyYAML keeps the last one without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} is defined twice", node.start_mark
                )
        return super().construct_mapping(node, deep)


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


def _sentence(fault: Any) -> str:
    kind, value = fault["type"], fault["input"]
    if kind == "extra_forbidden":
        return "unknown key"
    if kind == "missing":
        return "is missing"
    if kind == "value_error":
        return str(fault["ctx"]["error"])
    hint = ""
    if kind == "float_type" and isinstance(value, str) and re.fullmatch(r"[\d.]+[eE][+-]?\d+", value):
        hint = "; YAML reads 5e7 as text: write 5.0e+7 or 50000000.0"
    if kind == "string_type" and isinstance(value, bool):
        hint = "; YAML reads yes, no, on and off as true and false: put it in quotes"
    message = fault["msg"][0].lower() + fault["msg"][1:]
    return f"{message}, not {value!r}{hint}"
