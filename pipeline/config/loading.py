"""Reading config.yaml, and saying all that is wrong with it at once."""

from __future__ import annotations

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from pipeline.config.checks import disagreements
from pipeline.config.models import Config
from pipeline.errors import ConfigError


def load_config(path: Path) -> Config:
    """Read and check a configuration file; nothing of AWS is asked.

    Raises:
        ConfigError: the file cannot be read, or its values cannot be used; all faults at once.
    """
    try:
        document = yaml.load(path.read_text("utf-8"), _Loader)  # noqa: S506 - _Loader is a SafeLoader
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: not YAML: {' '.join(str(error).split())}"]) from None
    if not isinstance(document, dict):
        raise ConfigError([f"{path}: not a configuration: sections such as 'pipeline:' are expected"])
    return parse_config(document, str(path))


def parse_config(document: dict[str, Any], source: str) -> Config:
    """Check a configuration that has been read already.

    Args:
        document: sections by name.
        source: what faults are said to be in, the file's name.

    Raises:
        ConfigError: its values cannot be used; all faults at once.
    """
    faults: list[str] = []
    faulty: set[str] = set()
    config: Config | None = None
    try:
        config = Config.model_validate(document)
    except ValidationError as error:
        faults = [f"{source}: {_path(fault['loc'])}: {_sentence(fault)}" for fault in error.errors()]
        faulty = {_path(fault["loc"][:2]) for fault in error.errors()}
        config = _with_stand_ins(document, error)
    if config is not None:
        faults += [f"{source}: {path}: {sentence}" for path, sentence in disagreements(config, faulty)]
    if faults or config is None:
        raise ConfigError(faults)
    return config


class _Loader(yaml.SafeLoader):
    """YAML without its silent overwriting of a key that stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


_STAND_INS: dict[str, dict[str, Any]] = {
    "pipeline": {"name": "stand-in"},
    "dataset": {"input": "stand-in", "label": "stand-in"},
    "tuning": {"learning_rate": [1.0], "l1": [1.0]},
    "quality": {"max_mse": 1.0},
    "registry": {
        "group": "g",
        "inference_instances": ["ml.m5.large"],
        "transform_instances": ["ml.m5.large"],
    },
    "deploy": {"endpoint_name": "stand-in"},
}
"""Values for required keys that are missing or wrong, so that disagreements elsewhere show in the same run."""


def _with_stand_ins(document: dict[str, Any], error: ValidationError) -> Config | None:
    """The configuration with harmless values, or defaults, where its own are faulty."""
    pruned = {name: dict(part) for name, part in document.items() if isinstance(part, dict)}
    for fault in error.errors():
        section, *keys = fault["loc"]
        if keys:
            pruned.get(str(section), {}).pop(keys[0], None)
        else:
            pruned.pop(str(section), None)
    for section, required in _STAND_INS.items():
        pruned[section] = {**required, **pruned.get(section, {})}
    try:
        return Config.model_validate(pruned)
    except ValidationError:
        return None


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
        hint = "; YAML takes 5e7 for text: write 5.0e+7 or 50000000.0"
    if kind == "string_type" and isinstance(value, bool):
        hint = "; YAML takes yes, no, on and off for true and false: put it in quotes"
    message = fault["msg"][0].lower() + fault["msg"][1:]
    return f"{message}, not {value!r}{hint}"
