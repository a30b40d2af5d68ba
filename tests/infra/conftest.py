"""A stack made from infra/bootstrap.yaml in moto's account."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from moto import mock_aws

from pipeline.config.loading import parse_config
from pipeline.config.models import Config
from pipeline.operate.stack import apply_plan, plan_stack
from tests.infra.policies import Policies, role_policies

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT, REGION = "123456789012", "us-east-1"


def configured(**sections: dict[str, Any]) -> Config:
    """The project's configuration with sections changed: ``configured(aws={"region": "eu-west-1"})``."""
    document = yaml.safe_load((ROOT / "config.yaml").read_text())
    for name, values in sections.items():
        document.setdefault(name, {}).update(values)
    return parse_config(document, "config.yaml")


def make_stack(session: boto3.Session, config: Config) -> dict[str, str]:
    """Make or change a configuration's stack; return its outputs."""
    cloudformation = session.client("cloudformation")
    return apply_plan(cloudformation, plan_stack(cloudformation, config, ACCOUNT))


def made_roles(config: Config) -> dict[str, Policies]:
    """The policies of each role, by its kind, of a stack made in an account of its own."""
    with mock_account() as session:
        make_stack(session, config)
        iam, kinds = session.client("iam"), ("job", "pipeline", "lambda", "events")
        return {kind: role_policies(iam, f"{config.pipeline.name}-{kind}-{REGION}") for kind in kinds}


@contextmanager
def mock_account() -> Iterator[boto3.Session]:
    with mock_aws(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Tried to parse AWS::S3::BucketPolicy")
        yield boto3.Session("testing", "testing", region_name=REGION)


@pytest.fixture
def aws() -> Iterator[boto3.Session]:
    with mock_account() as session:
        yield session


@pytest.fixture
def config() -> Config:
    return configured()


@pytest.fixture
def configure() -> Callable[..., Config]:
    return configured


@pytest.fixture
def stack(aws: boto3.Session) -> Callable[[Config], dict[str, str]]:
    return lambda config: make_stack(aws, config)
