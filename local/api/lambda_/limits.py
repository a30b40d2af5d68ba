"""Values that Lambda refuses, although its service model allows them."""

from __future__ import annotations

import json
from collections.abc import Mapping

from local.api.lambda_.rest import Members
from local.core.errors import ServiceError, not_implemented, validation_error

_RESERVED_VARIABLES = (
    "_HANDLER",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR",
)
_LARGEST_ENVIRONMENT = 4096
"""Bytes of the variables as JSON: https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-deployment.html"""
_LONGEST_TIMEOUT = 900
_MOST_TAGS = 50
"""Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-tags.html, as for the keys' prefix"""
_DEPRECATED_RUNTIMES = ("python2.7", "python3.6", "python3.7")
"""Python runtimes with which Lambda creates and updates no functions any more.
Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
"""
_CANNOT = (
    "Lambda was unable to configure your environment variables because the environment variables you have provided"
)


def invalid(message: str) -> ServiceError:
    """Return Lambda's error for a value that it refuses."""
    return ServiceError("InvalidParameterValueException", message)


def check_configuration(request: Members) -> None:
    """Check the settings of a function that is created or updated.

    Raises:
        ServiceError: Lambda refuses a value, or the service does not obey it.
    """
    if request.get("Timeout", 0) > _LONGEST_TIMEOUT:
        raise validation_error(
            f"1 validation error detected: Value '{request['Timeout']}' at 'timeout' failed to satisfy"
            f" constraint: Member must have value less than or equal to {_LONGEST_TIMEOUT}"
        )
    if (runtime := request.get("Runtime")) in _DEPRECATED_RUNTIMES:
        raise invalid(
            f"The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions."
            " We recommend you use a supported runtime while creating or updating functions."
        )
    _check_variables(request.get("Environment", {}).get("Variables", {}))
    _check_logging(request.get("LoggingConfig", {}))


def check_tags(tags: Mapping[str, str]) -> None:
    """Check all tags that a function is to have.

    Raises:
        ServiceError: there are too many tags, or one has a key that is reserved for AWS.
    """
    if any(key.lower().startswith("aws:") for key in tags):
        raise invalid("aws: prefixed tag key names are not allowed for external use.")
    if len(tags) > _MOST_TAGS:
        raise invalid("Number of tags exceeds resource tag limit.")


def _check_variables(variables: Mapping[str, str]) -> None:
    reserved = [name for name in variables if name in _RESERVED_VARIABLES]
    if reserved:
        raise invalid(
            f"{_CANNOT} contains reserved keys that are currently not supported for modification."
            f" Reserved keys used in this request: {', '.join(reserved)}"
        )
    measured = json.dumps(variables, separators=(",", ":"), ensure_ascii=False)
    if len(measured.encode(errors="replace")) > _LARGEST_ENVIRONMENT:
        raise invalid(f"{_CANNOT} exceeded the 4KB limit. String measured: {measured}")


def _check_logging(logging: Members) -> None:
    if logging.get("LogFormat") == "JSON":
        raise not_implemented("lambda", "LoggingConfig with the LogFormat JSON")
    if logging.keys() & {"ApplicationLogLevel", "SystemLogLevel"}:
        raise invalid(
            'LogLevel is not supported when LogFormat is set to "Text". Remove LogLevel from your request or change'
            ' the LogFormat to "Json" and try again.'
        )
