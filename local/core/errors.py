"""Errors that the service returns to clients."""

from __future__ import annotations

from collections.abc import Mapping


class ServiceError(Exception):
    """An error of an AWS operation.

    Attributes:
        code: The error's name in the service's model, for example ``ResourceNotFound``.
        message: The message that the client shows.
        status: The HTTP status.
        details: More about the error, by the name of S3's XML element. Other services return none.
    """

    def __init__(self, code: str, message: str, status: int = 400, details: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.details = dict(details or {})


def validation_error(message: str) -> ServiceError:
    """Return the error for an invalid request."""
    return ServiceError("ValidationException", message)


def not_found(message: str) -> ServiceError:
    """Return the error for a resource that does not exist."""
    return ServiceError("ResourceNotFound", message)


def in_use(message: str) -> ServiceError:
    """Return the error for a resource that already exists, or that another resource depends on."""
    return ServiceError("ResourceInUse", message)


def limit_exceeded(message: str) -> ServiceError:
    """Return the error for a request that would exceed a quota."""
    return ServiceError("ResourceLimitExceeded", message)


def conflict(message: str) -> ServiceError:
    """Return the error for a change that conflicts with an earlier or concurrent change."""
    return ServiceError("ConflictException", message)


def not_implemented(service: str, operation: str) -> ServiceError:
    """Return the error for an AWS operation that this service does not implement."""
    return ServiceError(
        "NotImplementedException", f"not implemented by the local service: {service}:{operation}", status=501
    )
