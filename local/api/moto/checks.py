"""Validation of requests to moto's services, because moto checks few constraints of their models."""

from __future__ import annotations

from definition_language.models import service_model
from local.aws.shapes import validate_request
from local.aws.wire import json_document
from local.core.errors import ServiceError


def check_request(service: str, operation: str, body: bytes) -> None:
    """Check a request of the JSON protocol against the operation's input shape.

    Args:
        service: The service's name in boto3.
        operation: The operation. Requests of unknown operations are not checked.
        body: The request's body.

    Raises:
        ServiceError: SerializationException, because the body is not a JSON object, or ValidationException, because the
            request does not match the shape.
    """
    if operation not in service_model(service).operation_names:
        return
    request = json_document(body)
    if not isinstance(request, dict):
        raise ServiceError("SerializationException", "the request's body is not a JSON object")
    shape = service_model(service).operation_model(operation).input_shape
    if shape is not None:
        validate_request(shape, request)
