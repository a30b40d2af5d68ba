from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from definition_language.objectives import OBJECTIVES
from pipeline.config.models import Config

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/configuration.md"


def fields_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    sections: dict[str, Any] = {name: field.annotation for name, field in model.model_fields.items()}
    return {f"{name}.{key}": field for name, section in sections.items() for key, field in section.model_fields.items()}


FIELDS = fields_of(Config)
LISTED = dict(re.findall(r"^\| `([a-z0-9_]+\.[a-z0-9_]+)` \| (.*?) (?<!\\)\|", DOCUMENT.read_text(), re.MULTILINE))
LITERAL = r"`[^`]*`|-?[\d.]+|true|false"
IN_WORDS = {"pipeline.description"}


def test_the_document_lists_every_key_and_no_other() -> None:
    assert set(LISTED) == set(FIELDS)


@pytest.mark.parametrize("key", [key for key, field in FIELDS.items() if field.is_required()])
def test_the_document_says_what_is_required(key) -> None:
    assert LISTED[key] == "required"


@pytest.mark.parametrize("key", [key for key, said in LISTED.items() if re.fullmatch(LITERAL, said)])
def test_a_default_that_the_document_quotes_is_the_models(key) -> None:
    said, default = LISTED[key].strip("`"), FIELDS[key].get_default()
    assert default == said or default == yaml.safe_load(said)


@pytest.mark.parametrize("key", [key for key, said in LISTED.items() if not re.fullmatch(LITERAL, said)])
def test_a_default_in_words_is_nothing_or_follows_from_other_keys(key) -> None:
    field = FIELDS[key]
    assert field.is_required() or field.default_factory or field.default in (None, "", 0) or key in IN_WORDS


def test_the_document_lists_the_objectives_in_their_order() -> None:
    (header,) = re.findall(r"^\| \| (\S+) \| (\S+) \|$", DOCUMENT.read_text(), re.MULTILINE)
    rows = re.findall(r"^\| (?:objectives )?for `(\w+)` \| (.*) \| (.*) \|$", DOCUMENT.read_text(), re.MULTILINE)
    listed = {
        (algorithm, problem): [f"validation:{name}" for name in re.findall(r"`(\w+)`", cell)]
        for problem, *cells in rows
        for algorithm, cell in zip(header, cells, strict=True)
    }
    assert listed == {
        (algorithm, problem): list(objectives)
        for algorithm, problems in OBJECTIVES.items()
        for problem, objectives in problems.items()
    }
