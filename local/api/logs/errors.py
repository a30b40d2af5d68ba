"""The errors of CloudWatch Logs."""

from __future__ import annotations

from local.core.errors import ServiceError


def invalid(message: str) -> ServiceError:
    """Return the error for a request with a value that is not allowed."""
    return ServiceError("InvalidParameterException", message)


def invalid_token() -> ServiceError:
    """Return the error for a token that the service has not issued."""
    return invalid("The specified nextToken is invalid.")


def missing(what: str) -> ServiceError:
    """Return the error for a group or a stream that does not exist.

    Args:
        what: ``log group`` or ``log stream``.
    """
    return ServiceError("ResourceNotFoundException", f"The specified {what} does not exist.")


def exists(what: str) -> ServiceError:
    """Return the error for a group or a stream that exists already; ``what`` as for ``missing``."""
    return ServiceError("ResourceAlreadyExistsException", f"The specified {what} already exists")
