"""The tokens of pages. Each continues one list: an operation's, with its filters, its order and its parent."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from local.core.errors import ServiceError, validation_error

_PAGING = ("NextToken", "MaxResults")
_DIGITS = 16


def bind(operation: str, request: dict[str, Any], token: str) -> str:
    """Return the token for clients: the operation's own token, for this request only.

    Args:
        operation: The operation.
        request: The request. ``MaxResults`` may change from page to page, other members may not.
        token: The token of the operation.
    """
    return _list_id(operation, request) + token


def release(operation: str, request: dict[str, Any]) -> dict[str, Any]:
    """Return the request with the operation's own token instead of the client's, if it has one.

    Raises:
        ServiceError: ValidationException, the token is not of this list.
    """
    if "NextToken" not in request:
        return request
    token: str = request["NextToken"]
    if not token.startswith(_list_id(operation, request)):
        raise invalid_token()
    return request | {"NextToken": token[_DIGITS:]}


def invalid_token() -> ServiceError:
    """Return the error for a token that no page of the list had."""
    return validation_error(
        "Invalid pagination token: NextToken must come from the same list operation, with the same filters and order"
    )


def _list_id(operation: str, request: dict[str, Any]) -> str:
    asked = {member: value for member, value in request.items() if member not in _PAGING}
    return hashlib.sha256(json.dumps([operation, asked], sort_keys=True).encode()).hexdigest()[:_DIGITS]
