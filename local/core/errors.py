"""Errors that the service answers with."""

from __future__ import annotations


class ServiceError(Exception):
    """An error of an AWS operation.

    Attributes:
        code: the error's name in the service's model, for example ``ResourceNotFound``.
        message: the sentence that the client shows.
        status: HTTP status.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def validation_error(message: str) -> ServiceError:
    """A request that is wrong in itself."""
    return ServiceError("ValidationException", message)


def not_found(message: str) -> ServiceError:
    """A resource that the request names and that does not exist."""
    return ServiceError("ResourceNotFound", message)


def in_use(message: str) -> ServiceError:
    """A resource that exists already, or that something else depends on."""
    return ServiceError("ResourceInUse", message)


def limit_exceeded(message: str) -> ServiceError:
    """A quota that the request would exceed."""
    return ServiceError("ResourceLimitExceeded", message)


def conflict(message: str) -> ServiceError:
    """A change that another change, under way or made before, does not allow."""
    return ServiceError("ConflictException", message)


def not_implemented(service: str, operation: str) -> ServiceError:
    """An operation of AWS that this service does not have."""
    return ServiceError(
        "NotImplementedException", f"not implemented by the local service: {service}:{operation}", status=501
    )
