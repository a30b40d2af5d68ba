"""How long the function's log is kept, on the local service's CloudWatch Logs and on moto's."""

from __future__ import annotations

import boto3
import pytest

from local.app.server import LocalService
from local.core.settings import ACCESS_KEY, Settings
from pipeline.operate.function_log import retention_changes, set_retention


@pytest.fixture(params=["local", "moto"])
def logs(request, tmp_path):
    if request.param == "moto":
        yield request.getfixturevalue("aws").client("logs")
        return
    with LocalService(Settings(tmp_path / ".local", port=0)) as service:
        session = boto3.Session(ACCESS_KEY, service.settings.secret_key, region_name="us-east-1")
        yield session.client("logs", endpoint_url=service.settings.endpoint_url)


def retention(logs, resources):
    groups = logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/")["logGroups"]
    return {group["logGroupName"]: group.get("retentionInDays") for group in groups}[
        resources.deploy_function_log_group
    ]


def test_a_new_log_group_is_kept_for_the_days_of_the_configuration(logs, config, resources) -> None:
    name = resources.deploy_function_log_group
    assert retention_changes(logs, config, resources) == [f"log group {name}: keeps lines for 90 days"]
    set_retention(logs, config, resources)
    assert retention(logs, resources) == 90
    assert retention_changes(logs, config, resources) == []


def test_the_group_that_lambda_made_is_changed_and_one_of_a_like_name_is_not(logs, configure, resources) -> None:
    name = resources.deploy_function_log_group
    for group in (name, f"{name}-2"):
        logs.create_log_group(logGroupName=group)
    set_retention(logs, configure(deploy={"log_retention_days": 30}), resources)
    assert retention(logs, resources) == 30
    (other,) = logs.describe_log_groups(logGroupNamePrefix=f"{name}-2")["logGroups"]
    assert "retentionInDays" not in other


def test_zero_days_keep_the_lines_for_ever(logs, configure, config, resources) -> None:
    for_ever = configure(deploy={"log_retention_days": 0})
    set_retention(logs, config, resources)
    assert retention_changes(logs, for_ever, resources)[0].endswith("keeps lines forever")
    set_retention(logs, for_ever, resources)
    assert retention(logs, resources) is None
    assert retention_changes(logs, for_ever, resources) == []
