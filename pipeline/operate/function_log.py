"""The log group of the function: how long CloudWatch keeps its lines.

Lambda makes a function's log group at the first call, and such a group keeps its lines for ever, billed. Publishing
makes it before, or changes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.config.models import Config
from pipeline.definition.resources import Resources

if TYPE_CHECKING:
    from types_boto3_logs import CloudWatchLogsClient
    from types_boto3_logs.type_defs import CreateLogGroupRequestTypeDef, LogGroupTypeDef


def retention_changes(logs: CloudWatchLogsClient, config: Config, resources: Resources) -> list[str]:
    """What publishing would change of the log group, in words.

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
        f"log group {resources.deploy_function_log_group}: keeps lines {f'{wanted} days' if wanted else 'for ever'}"
    ]


def set_retention(logs: CloudWatchLogsClient, config: Config, resources: Resources) -> None:
    """Make the log group, or change it, so that it keeps lines as long as the configuration says.

    Raises:
        botocore.exceptions.ClientError: CloudWatch Logs refused.
    """
    name, wanted = resources.deploy_function_log_group, config.deploy.log_retention_days
    current = _find(logs, resources)
    if current is None:
        try:
            logs.create_log_group(**_creation(name, config.pipeline.tags))
        except logs.exceptions.ResourceAlreadyExistsException:
            current = _find(logs, resources)  # the function was called a moment ago
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
