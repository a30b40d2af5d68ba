from __future__ import annotations

import re
from pathlib import Path

from pydantic import BaseModel

from pipeline.config.models import Config

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/configuration.md"


def keys_of(model: type[BaseModel]) -> set[str]:
    sections = model.model_fields.items()
    return {f"{section}.{key}" for section, field in sections for key in field.annotation.model_fields}


def test_the_document_lists_every_key_and_no_other():
    listed = set(re.findall(r"^\| `([a-z0-9_]+\.[a-z0-9_]+)` \|", DOCUMENT.read_text(), re.MULTILINE))
    assert listed == keys_of(Config)
