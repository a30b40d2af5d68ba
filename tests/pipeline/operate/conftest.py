"""An account of moto's, and the project's configuration with changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from moto import mock_aws

from pipeline.config.loading import parse_config
from pipeline.config.models import Config

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def configure() -> Callable[..., Config]:
    """The project's configuration with sections changed: ``configure(triggers={"schedule": "rate(1 day)"})``."""

    def change(**sections: dict[str, Any]) -> Config:
        document = yaml.safe_load((ROOT / "config.yaml").read_text())
        for name, values in sections.items():
            document.setdefault(name, {}).update(values)
        return parse_config(document, "config.yaml")

    return change


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[boto3.Session]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield boto3.Session(region_name="us-east-1")
