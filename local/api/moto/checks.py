"""Requests to services whose records moto keeps, checked as AWS does: moto looks at few constraints of the models."""

from __future__ import annotations

from definition_language.models import service_model
from local.aws.shapes import validate_request
from local.aws.wire import json_document
from local.core.errors import ServiceError


def check_request(service: str, operation: str, body: bytes) -> None:
    """Check a request of the JSON protocol against the operation's input shape.

    Args:
        service: its name in boto3.
        operation: the operation; one that the service does not have is left to moto.
        body: the request's body.

    Raises:
        ServiceError: SerializationException where the body is no JSON object, ValidationException for what is wrong.
    """
    if operation not in service_model(service).operation_names:
        return
    request = json_document(body)
    if not isinstance(request, dict):
        raise ServiceError("SerializationException", "the request's body is not a JSON object")
    shape = service_model(service).operation_model(operation).input_shape
    if shape is not None:
        validate_request(shape, request)
