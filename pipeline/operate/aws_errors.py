"""Describes why a request to AWS failed."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import ParamSpec, TypeVar

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
    ReadTimeoutError,
)

_Arguments = ParamSpec("_Arguments")
_Answer = TypeVar("_Answer")

DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"})
"""Error codes with which services deny a request."""

_GONE_CODES = (
    *("ResourceNotFound", "ResourceNotFoundException", "ObjectNotFoundException"),
    *("NoSuchBucket", "NoSuchKey"),
)
_GONE_PHRASES = ("could not find", "does not exist", "not found", "no such", "not exist")


def is_gone(error: Exception) -> bool:
    """Return whether AWS's error means that the resource does not exist; each service has its own error for that."""
    if not isinstance(error, ClientError):
        return False
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "").lower()
    return code in _GONE_CODES or (
        code in ("ValidationException", "ValidationError") and any(phrase in message for phrase in _GONE_PHRASES)
    )


def answer_of(
    request: Callable[_Arguments, _Answer], *args: _Arguments.args, **kwargs: _Arguments.kwargs
) -> _Answer | None:
    """Return the answer to a request about a resource, or None if the resource does not exist."""
    try:
        return request(*args, **kwargs)
    except ClientError as error:
        if is_gone(error):
            return None
        raise


def reason(error: ClientError | BotoCoreError) -> str:
    """Return the reason of an error, without a full stop."""
    if isinstance(error, ClientError):
        return _refusal(error)
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return "no AWS credentials were found"
    if isinstance(error, EndpointConnectionError | ConnectTimeoutError | ReadTimeoutError):
        return f"{error.kwargs.get('endpoint_url', 'AWS')} does not answer"
    return str(error).rstrip(".")


def _refusal(error: ClientError) -> str:
    code = error.response["Error"]["Code"]
    message = str(error.response["Error"].get("Message", "")).rstrip(".")
    if error.response["ResponseMetadata"].get("HTTPStatusCode") == HTTPStatus.NOT_IMPLEMENTED:
        return message
    if code in DENIED:
        return f"your identity may not call {error.operation_name}"
    return f"AWS refused {error.operation_name} ({code}): {message}"
