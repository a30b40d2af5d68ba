"""The bucket of ``make upsert`` on the local service; moto's account takes its place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from pipeline.config.models import Config
from pipeline.errors import UserError
from pipeline.operate import publish
from scripts import upsert

DEFAULT = "insurance-cross-validation-123456789012-us-east-1"


class _BucketsAreReadyError(Exception):
    """Publishing begins."""


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[boto3.Session]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        session = boto3.Session(region_name="us-east-1")
        monkeypatch.setattr(upsert, "aws_session", lambda _: session)
        monkeypatch.setattr(upsert, "is_local_service", lambda: True)
        yield session


def upsert_with(config: Config, **aws: str) -> None:
    """Run the command with other values in the section ``aws``."""
    callback: Any = upsert.main.callback
    callback(config=config.model_copy(update={"aws": config.aws.model_copy(update=aws)}), yes=True)


def buckets(session: boto3.Session) -> list[str]:
    return [bucket["Name"] for bucket in session.client("s3").list_buckets()["Buckets"]]


@pytest.mark.parametrize("aws", [{}, {"bucket": DEFAULT}])
def test_the_default_bucket_is_created(session, config, monkeypatch, aws) -> None:
    def begin(*_: object) -> None:
        raise _BucketsAreReadyError

    monkeypatch.setattr(publish, "plan_publishing", begin)
    with pytest.raises(_BucketsAreReadyError):
        upsert_with(config, **aws)
    assert buckets(session) == [DEFAULT]


def test_a_bucket_of_another_name_has_to_be_there_as_on_aws(session, config) -> None:
    with pytest.raises(
        UserError, match=r"^The bucket no-such-bucket \(stack .*\) does not exist: create it, or correct aws\.bucket"
    ):
        upsert_with(config, bucket="no-such-bucket")
    assert buckets(session) == []


def test_a_role_of_another_account_is_told_before_the_bucket_is_created(session, config) -> None:
    with pytest.raises(UserError, match=r"aws\.job_role_arn: .* belongs to another account"):
        upsert_with(config, job_role_arn="arn:aws:iam::999999999999:role/theirs")
    assert buckets(session) == []
