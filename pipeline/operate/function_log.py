"""The log group of the function: how long CloudWatch keeps its lines.

Lambda makes a function's log group at the first call, and such a group keeps its lines for ever, billed. Publishing
makes it before, or changes it.
"""

from __future__ import annotations

from typing import Any

from pipeline.config.models import Config
from pipeline.definition.resources import Resources


def retention_changes(logs: Any, config: Config, resources: Resources) -> list[str]:
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


def set_retention(logs: Any, config: Config, resources: Resources) -> None:
    """Make the log group, or change it, so that it keeps lines as long as the configuration says.

    Raises:
        botocore.exceptions.ClientError: CloudWatch Logs refused.
    """
    name, wanted = resources.deploy_function_log_group, config.deploy.log_retention_days
    current = _find(logs, resources)
    if current is None:
        try:
            tags = config.pipeline.tags
            logs.create_log_group(logGroupName=name, **({"tags": tags} if tags else {}))
        except logs.exceptions.ResourceAlreadyExistsException:
            current = _find(logs, resources)  # the function was called a moment ago
    kept = (current or {}).get("retentionInDays", 0)
    if wanted and kept != wanted:
        logs.put_retention_policy(logGroupName=name, retentionInDays=wanted)
    elif kept and not wanted:
        logs.delete_retention_policy(logGroupName=name)


def _find(logs: Any, resources: Resources) -> dict[str, Any] | None:
    name = resources.deploy_function_log_group
    pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
    groups: list[dict[str, Any]] = [group for page in pages for group in page["logGroups"]]
    return next((group for group in groups if group["logGroupName"] == name), None)
