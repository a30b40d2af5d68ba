"""Bringing the function up to date, on the local service's Lambda."""

from __future__ import annotations

import boto3
import pytest

from local.app.server import LocalService
from local.core.settings import ACCESS_KEY, Settings
from pipeline.operate.function import current_function, function_changes, publish_function

KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-1111-1111-1111-111111111111"
VPC = {"subnets": ["subnet-2", "subnet-1"], "security_group_ids": ["sg-1"]}


@pytest.fixture(scope="module")
def functions(tmp_path_factory):
    with LocalService(Settings(tmp_path_factory.mktemp("service") / ".local", port=0)) as service:
        session = boto3.Session(ACCESS_KEY, service.settings.secret_key, region_name="us-east-1")
        yield session.client("lambda", endpoint_url=service.settings.endpoint_url)


@pytest.fixture
def publish(functions, resources):
    """Publish the function of a configuration; return what was to be changed, and what it is then."""

    def run(config):
        changes = function_changes(current_function(functions, resources), config, resources)
        publish_function(functions, config, resources)
        published = current_function(functions, resources)
        assert function_changes(published, config, resources) == []
        return changes, published

    return run


def test_a_vpc_and_a_key_that_are_configured_no_more_are_taken_away(publish, configure, config, resources) -> None:
    _, inside = publish(configure(aws={"vpc": VPC, "kms_key_arn": KEY}))
    assert set(inside["VpcConfig"]["SubnetIds"]) == {"subnet-1", "subnet-2"}
    assert inside["KMSKeyArn"] == KEY
    changes, outside = publish(config)
    assert changes == [f"Lambda {resources.deploy_function_name}: update Environment, KMSKeyArn, VpcConfig"]
    assert (outside["VpcConfig"]["SubnetIds"], outside["VpcConfig"]["SecurityGroupIds"]) == ([], [])
    assert not outside.get("KMSKeyArn")


def test_the_order_of_subnets_is_no_change(publish, configure, functions, resources) -> None:
    config = configure(aws={"vpc": VPC})
    publish(config)
    functions.update_function_configuration(
        FunctionName=resources.deploy_function_name,
        VpcConfig={"SubnetIds": sorted(VPC["subnets"]), "SecurityGroupIds": VPC["security_group_ids"]},
    )
    assert function_changes(current_function(functions, resources), config, resources) == []
