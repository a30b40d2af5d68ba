"""A stack made from infra/bootstrap.yaml in moto's account."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from moto import mock_aws

from pipeline.bootstrap import carry_out, plan_stack
from pipeline.config import Config
from pipeline.config_file import load_config, parse_config

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT, REGION = "123456789012", "us-east-1"


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[boto3.Session]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Tried to parse AWS::S3::BucketPolicy")
        yield boto3.Session(region_name=REGION)


@pytest.fixture
def config() -> Config:
    return load_config(ROOT / "config.yaml")


@pytest.fixture
def configure() -> Callable[..., Config]:
    """The project's configuration with sections changed: ``configure(aws={"region": "eu-west-1"})``."""

    def change(**sections: dict[str, Any]) -> Config:
        document = yaml.safe_load((ROOT / "config.yaml").read_text())
        for name, values in sections.items():
            document.setdefault(name, {}).update(values)
        return parse_config(document, "config.yaml")

    return change


@pytest.fixture
def stack(aws: boto3.Session) -> Callable[[Config], dict[str, str]]:
    """Makes or changes a configuration's stack; returns its outputs."""

    def make(config: Config) -> dict[str, str]:
        cloudformation = aws.client("cloudformation")
        return carry_out(cloudformation, plan_stack(cloudformation, config, ACCOUNT))

    return make
