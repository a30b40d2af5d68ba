"""Asks the deploying function to roll the endpoint back to its earlier configuration."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pipeline.errors import UserError

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient


def roll_back(functions: LambdaClient, function_name: str, endpoint_name: str) -> dict[str, str]:
    """Roll an endpoint back to its last known good configuration, without an interruption of its service.

    Args:
        functions: boto3's Lambda client.
        function_name: the deploying function.
        endpoint_name: the endpoint.

    Returns:
        The function's answer: ``endpoint_name``, ``endpoint_config_name``, ``model_name``, ``status``.

    Raises:
        UserError: there is no earlier configuration, or the endpoint cannot be changed now.
    """
    try:
        answer = functions.invoke(FunctionName=function_name, Payload=json.dumps({"rollback": endpoint_name}))
    except functions.exceptions.ResourceNotFoundException:
        raise UserError(f"There is no Lambda function {function_name}: run 'make upsert' first.") from None
    payload = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        failed = f"{function_name} failed: see its log group /aws/lambda/{function_name}."
        raise UserError(payload.get("errorMessage", failed))
    return {str(key): str(value) for key, value in payload.items()}
