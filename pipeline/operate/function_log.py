"""Sets the retention of the function's log group.

A log group that Lambda creates at the first call keeps its lines forever, which costs money. So publishing creates the
group before that, or changes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.config.models import Config
from pipeline.definition.resources import Resources

if TYPE_CHECKING:
    from types_boto3_logs import CloudWatchLogsClient
    from types_boto3_logs.type_defs import CreateLogGroupRequestTypeDef, LogGroupTypeDef


def retention_changes(logs: CloudWatchLogsClient, config: Config, resources: Resources) -> list[str]:
    """Return the changes that publishing would make to the log group.

    Args:
        logs: boto3's CloudWatch Logs client.
        config: the configuration.
        resources: bucket, roles and function.
    """
    wanted = config.deploy.log_retention_days
    current = _find(logs, resources)
    if current is not None and current.get("retentionInDays", 0) == wanted:
        return []
    return [
        f"log group {resources.deploy_function_log_group}: keeps lines {f'for {wanted} days' if wanted else 'forever'}"
    ]


def set_retention(logs: CloudWatchLogsClient, config: Config, resources: Resources) -> None:
    """Create the log group, or change its retention to the configuration's.

    Raises:
        botocore.exceptions.ClientError: CloudWatch Logs refused.
    """
    name, wanted = resources.deploy_function_log_group, config.deploy.log_retention_days
    current = _find(logs, resources)
    if current is None:
        try:
            logs.create_log_group(**_creation(name, config.pipeline.tags))
        except logs.exceptions.ResourceAlreadyExistsException:
            current = _find(logs, resources)  # Lambda has just created it
    kept = current.get("retentionInDays", 0) if current else 0
    if wanted and kept != wanted:
        logs.put_retention_policy(logGroupName=name, retentionInDays=wanted)
    elif kept and not wanted:
        logs.delete_retention_policy(logGroupName=name)


def _creation(name: str, tags: dict[str, str]) -> CreateLogGroupRequestTypeDef:
    return {"logGroupName": name, "tags": tags} if tags else {"logGroupName": name}


def _find(logs: CloudWatchLogsClient, resources: Resources) -> LogGroupTypeDef | None:
    name = resources.deploy_function_log_group
    pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
    groups = [group for page in pages for group in page["logGroups"]]
    return next((group for group in groups if group["logGroupName"] == name), None)
