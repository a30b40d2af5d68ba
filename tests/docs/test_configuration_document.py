from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from pipeline.config.models import Config

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/configuration.md"


def keys_of(model: type[BaseModel]) -> set[str]:
    sections: dict[str, Any] = {name: field.annotation for name, field in model.model_fields.items()}
    return {f"{name}.{key}" for name, section in sections.items() for key in section.model_fields}


def test_the_document_lists_every_key_and_no_other() -> None:
    listed = set(re.findall(r"^\| `([a-z0-9_]+\.[a-z0-9_]+)` \|", DOCUMENT.read_text(), re.MULTILINE))
    assert listed == keys_of(Config)
