from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from definition_language.objectives import OBJECTIVES
from pipeline.config.models import Config

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/configuration.md"


def keys_of(model: type[BaseModel]) -> set[str]:
    sections: dict[str, Any] = {name: field.annotation for name, field in model.model_fields.items()}
    return {f"{name}.{key}" for name, section in sections.items() for key in section.model_fields}


def test_the_document_lists_every_key_and_no_other() -> None:
    listed = set(re.findall(r"^\| `([a-z0-9_]+\.[a-z0-9_]+)` \|", DOCUMENT.read_text(), re.MULTILINE))
    assert listed == keys_of(Config)


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
