"""Packages and publishes the Lambda function that deploys the endpoint."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipeline.config.models import Config
from pipeline.definition.assets import STEPS, archive, package
from pipeline.definition.resources import Resources
from pipeline.operate.deployment_options import deployment_options

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient
    from types_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef

_PROGRAM, _PACKAGE = "deploy_endpoint.py", "deployment"
"""The files of steps/ in the function's package."""

HANDLER = "deploy_endpoint.handler"
RUNTIME = "python3.12"
TIMEOUT_SECONDS = 580
"""A Lambda step may take 600 seconds. The function waits for an endpoint that another execution changes."""

MEMORY_MEGABYTES = 256

_CLEARED: dict[str, Any] = {"VpcConfig": {"SubnetIds": [], "SecurityGroupIds": []}, "KMSKeyArn": ""}
"""Values that clear a setting. Lambda keeps the settings that an update does not name.

Source: https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html , whose pattern for KMSKeyArn
admits an empty text, and Lambda's error "SubnetIds and SecurityIds must coexist or be both empty list".
"""

_ROLE_ATTEMPTS, _ROLE_PAUSE_SECONDS = 10, 3
"""Lambda does not know a new role at once, so its requests are repeated."""


def function_package() -> bytes:
    """Return a reproducible zip archive of the function's code."""
    return archive({**package(_PACKAGE), _PROGRAM: STEPS / _PROGRAM})


def function_settings(config: Config, resources: Resources) -> dict[str, Any]:
    """Return the function's configuration as Lambda's API takes it."""
    vpc, key = config.aws.vpc, config.aws.kms_key_arn
    options = json.dumps(deployment_options(config, resources), sort_keys=True)
    return {
        "Description": f"Deploys the endpoint of the pipeline {config.pipeline.name}",
        "Role": resources.lambda_role_arn,
        "Handler": HANDLER,
        "Runtime": RUNTIME,
        "Timeout": TIMEOUT_SECONDS,
        "MemorySize": MEMORY_MEGABYTES,
        "Environment": {"Variables": {"DEPLOYMENT": options}},
        **({"VpcConfig": {"SubnetIds": vpc.subnets, "SecurityGroupIds": vpc.security_group_ids}} if vpc else {}),
        **({"KMSKeyArn": key} if key else {}),
    }


def creation_request(config: Config, resources: Resources) -> dict[str, Any]:
    """Return the members of CreateFunction."""
    return {
        "FunctionName": resources.deploy_function_name,
        "Code": {"ZipFile": function_package()},
        "Tags": config.pipeline.tags,
        **function_settings(config, resources),
    }


def function_changes(
    current: FunctionConfigurationResponseTypeDef | None, config: Config, resources: Resources
) -> list[str]:
    """Return the changes that publishing would make to the function.

    Args:
        current: its configuration from ``get_function_configuration``, or None if it does not exist.
        config: the configuration.
        resources: bucket, roles and function.
    """
    if current is None:
        return [f"Lambda {resources.deploy_function_name}: create"]
    settings = _updated_settings(current, function_settings(config, resources))
    changed = [name for name, value in settings.items() if not _agrees(current.get(name), value)]
    if current.get("CodeSha256") != _sha256(function_package()):
        changed.insert(0, "code")
    return [f"Lambda {resources.deploy_function_name}: update {', '.join(changed)}"] if changed else []


def current_function(client: LambdaClient, resources: Resources) -> FunctionConfigurationResponseTypeDef | None:
    """Return the function's configuration, or None if it does not exist."""
    try:
        return client.get_function_configuration(FunctionName=resources.deploy_function_name)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return None
        raise


def publish_function(client: LambdaClient, config: Config, resources: Resources) -> None:
    """Create the function or update its code and settings, and wait until it is ready.

    Args:
        client: boto3's Lambda client.
        config: the configuration.
        resources: bucket, roles and function.

    Raises:
        botocore.exceptions.ClientError: Lambda refused.
        botocore.exceptions.WaiterError: the function is not ready in time.
    """
    name, package, settings = resources.deploy_function_name, function_package(), function_settings(config, resources)
    current = current_function(client, resources)
    if current is None:
        _once_the_role_is_known(client.create_function, **creation_request(config, resources))
        client.get_waiter("function_active_v2").wait(FunctionName=name)
        return
    if current["CodeSha256"] != _sha256(package):
        client.update_function_code(FunctionName=name, ZipFile=package)
        client.get_waiter("function_updated_v2").wait(FunctionName=name)
    settings = _updated_settings(current, settings)
    if any(not _agrees(current.get(key), value) for key, value in settings.items()):
        _once_the_role_is_known(client.update_function_configuration, FunctionName=name, **settings)
        client.get_waiter("function_updated_v2").wait(FunctionName=name)


def _updated_settings(current: FunctionConfigurationResponseTypeDef, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of an update, with empty values for those that the configuration no longer has."""
    cleared = {name for name in _CLEARED if name not in settings and _is_set(current.get(name))}
    return settings | {name: _CLEARED[name] for name in sorted(cleared)}


def _is_set(value: Any) -> bool:
    """Return whether a setting has a value. Without a VPC, Lambda may return empty lists."""
    return any(value.values()) if isinstance(value, dict) else bool(value)


def _once_the_role_is_known(request: Callable[..., object], **arguments: Any) -> None:
    for attempt in range(1, _ROLE_ATTEMPTS + 1):
        try:
            request(**arguments)
        except ClientError as error:
            unknown = "cannot be assumed" in error.response["Error"].get("Message", "")
            if not unknown or attempt == _ROLE_ATTEMPTS:
                raise
            time.sleep(_ROLE_PAUSE_SECONDS)
        else:
            return


def _agrees(current: Any, wanted: Any) -> bool:
    """Return whether Lambda's value contains the wanted one; Lambda adds members of its own."""
    if isinstance(wanted, dict) and isinstance(current, dict):
        return all(_agrees(current.get(name), value) for name, value in wanted.items())
    if isinstance(wanted, list) and isinstance(current, list):  # subnets and groups, which have no order
        return sorted(current) == sorted(wanted)
    return bool(current == wanted)


def _sha256(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()
