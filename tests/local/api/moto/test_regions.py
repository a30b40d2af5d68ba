"""Moto learns the regions of EC2 that boto3 would tell it."""

import boto3
import botocore.session
import pytest

from local.api.moto.regions import know_regions_of_ec2


@pytest.mark.parametrize("service", ["ec2", "sqs"])
def test_regions_are_those_of_boto3(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    partitions = ("aws", "aws-cn", "aws-us-gov")
    ask = botocore.session.get_session().get_available_regions
    expected = [ask(service, partition_name=name) for name in partitions]
    monkeypatch.setattr(boto3.Session, "get_available_regions", boto3.Session.get_available_regions)
    know_regions_of_ec2.__wrapped__()
    assert boto3.Session.get_available_regions.__module__ == know_regions_of_ec2.__module__
    assert [boto3.Session().get_available_regions(service, partition_name=name) for name in partitions] == expected
    assert all(expected)
