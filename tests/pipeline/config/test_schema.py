"""config.schema.json: editors accept what the commands accept, and mark mistakes in single values."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from pipeline.config.loading import parse_config
from pipeline.config.models import Config
from pipeline.config.schema import document
from pipeline.errors import ConfigError

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = json.loads((ROOT / "config.schema.json").read_text("utf-8"))
CONFIGURATIONS = [ROOT / "config.yaml", *sorted((ROOT / "examples").glob("*.yaml"))]
DATASET: dict[str, Any] = {"input": "rows.csv", "label": "price", "numeric": ["area"]}


def faults(configuration: Any) -> list[str]:
    return [".".join(map(str, error.path)) for error in Draft7Validator(SCHEMA).iter_errors(configuration)]


def with_section(name: str, section: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {"pipeline": {"name": "houses"}, "dataset": DATASET}
    return usual | {name: {**usual.get(name, {}), **section} if isinstance(section, dict) else section}


def test_the_file_is_what_the_models_say() -> None:
    assert (ROOT / "config.schema.json").read_text("utf-8") == document(), (
        "run: .venv/bin/python -m pipeline.config.schema > config.schema.json"
    )
    Draft7Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.name)
def test_editors_find_the_schema_and_mark_nothing_in_a_configuration_that_works(path) -> None:
    text = path.read_text("utf-8")
    assert (path.parent / text.splitlines()[0].removeprefix("# yaml-language-server: $schema=")).samefile(
        ROOT / "config.schema.json"
    )
    assert faults(yaml.safe_load(text)) == []


@pytest.mark.parametrize(
    ("name", "section"),
    [
        ("aws", None),
        ("aws", {"bucket": None, "vpc": {"subnets": ["subnet-1"], "security_group_ids": ["sg-1"]}}),
        ("dataset", {"dates": {"sold": ["year"], "built": {"parts": ["month"], "format": "%d.%m.%Y"}}}),
        ("dataset", {"categorical": {"a": "auto", "b": ["x"], "c": {"values": ["x"]}, "d": {"values": "auto"}}}),
        ("dataset", {"missing": {"area": "median"}, "missing_values": ["", "none"], "groups": "area"}),
        ("tuning", {"strategy": "Random", "ranges": {"l1": [0.01, 1], "loss": ["squared_loss", "absolute_loss"]}}),
        ("tuning", {"static_hyperparameters": {"epochs": 3, "normalize_data": True, "l1": "auto", "wd": 0.1}}),
        ("deploy", {"serverless": {}, "rollback_alarms": ["errors"]}),
        ("caching", {"expire_after": "P1Y2M3DT4H"}),
    ],
)
def test_what_the_models_accept_is_not_marked(name, section) -> None:
    document = with_section(name, section)
    Config.model_validate(deepcopy(document))
    assert faults(document) == []


@pytest.mark.parametrize(
    ("name", "section", "fault"),
    [
        ("pipeline", {"name": "a_name"}, "pipeline.name"),
        ("pipeline", {"name": "n" * 33}, "pipeline.name"),
        ("pipeline", {"nmae": "houses"}, "pipeline"),
        ("model", {}, ""),
        ("dataset", None, "dataset"),
        ("dataset", {"header": "yes"}, "dataset.header"),
        ("dataset", {"delimiter": ";;"}, "dataset.delimiter"),
        ("dataset", {"dates": {"sold": ["century"]}}, "dataset.dates.sold"),
        ("dataset", {"categorical": {"kind": []}}, "dataset.categorical.kind"),
        ("folds", {"count": 21}, "folds.count"),
        ("folds", {"count": "5"}, "folds.count"),
        ("folds", {"instance_type": "ml.m5.huge"}, "folds.instance_type"),
        ("aws", {"job_role_arn": "role"}, "aws.job_role_arn"),
        ("training", {"algorithm": "trees"}, "training.algorithm"),
        ("deploy", {"verification_tolerance": 0}, "deploy.verification_tolerance"),
        ("caching", {"expire_after": "30 days"}, "caching.expire_after"),
    ],
)
def test_a_mistake_in_a_value_is_marked_where_it_is(name, section, fault) -> None:
    document = with_section(name, section)
    with pytest.raises(ConfigError):
        parse_config(deepcopy(document), "config.yaml")
    assert faults(document) == [fault]


def keys_without_meaning(node: Any, path: str) -> Iterator[str]:
    parts = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, part in parts:
        if name == "properties":
            yield from (f"{path}.{key}" for key, schema in part.items() if not schema.get("description"))
        yield from keys_without_meaning(part, f"{path}.{name}")


def test_every_key_has_a_meaning() -> None:
    assert list(keys_without_meaning(SCHEMA, "")) == []
