"""Validation of requests to moto's services, because moto checks few constraints of their models."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

from botocore.model import OperationModel
from botocore.parsers import BaseCBORParser, ResponseParserError

from definition_language.constraints import Constraint, faults
from definition_language.models import service_model
from local.api.moto.query import read_fields, read_query
from local.aws.shapes import validate_found
from local.aws.wire import HttpResponse, Protocol, RequestHead, json_document, protocol_of
from local.core.errors import ServiceError, not_implemented

_MODELS = {"monitoring": "cloudwatch"}
"""Names in boto3 of services with another signing name."""


def check_request(service: str, operation: str, head: RequestHead, body: bytes) -> None:
    """Check a request against the operation's input shape.

    Args:
        service: The service's signing name.
        operation: The operation.
        head: The request without its body.
        body: The request's body.

    Raises:
        ServiceError: SerializationException, because the body cannot be read; ValidationException (in the Query
            protocol, ValidationError), because the request does not match the shape; or UnknownOperationException
            (InvalidAction), because the service has no such operation.
    """
    protocol, name = protocol_of(service, head.headers), _MODELS.get(service, service)
    if head.raw_path not in (b"/", b"") and protocol is not Protocol.CBOR:
        raise not_implemented(service, f"{head.method} {head.raw_path.decode('latin-1')}")
    is_query = protocol not in (Protocol.JSON, Protocol.CBOR)
    if operation not in service_model(name).operation_names:
        code = "InvalidAction" if is_query else "UnknownOperationException"
        raise ServiceError(code, f"The action {operation} is not valid for this web service.")
    model = service_model(name).operation_model(operation)
    if is_query and "query" not in service_model(name).metadata.get("protocols", ()):
        raise not_implemented(service, f"{operation} in the Query protocol")
    request = _read(protocol, model, head, body)
    if model.input_shape is None:
        return
    # A pattern that cannot be checked is moto's to check.
    found = [fault for fault in faults(model.input_shape, request) if fault.constraint is not Constraint.CHECKABLE]
    try:
        validate_found(found)
    except ServiceError as error:
        raise ServiceError("ValidationError" if is_query else error.code, error.message) from None


def _read(protocol: Protocol, model: OperationModel, head: RequestHead, body: bytes) -> Mapping[str, Any]:
    if protocol is Protocol.CBOR:
        request = _cbor_document(body)
    elif protocol is Protocol.JSON:
        request = json_document(body)
    else:
        return read_query(model.input_shape, read_fields(head.query, body))
    if not isinstance(request, dict):
        raise ServiceError("SerializationException", "the request's body is not an object")
    return {name: value for name, value in request.items() if value is not None}


class _Stream(io.BytesIO):
    """A stream as botocore's parser wants it. Its own allocates as many bytes as a text's length says."""

    def peek(self, size: int) -> bytes:
        return self.getvalue()[self.tell() : self.tell() + size]


def _cbor_document(body: bytes) -> Any:
    try:
        return BaseCBORParser().parse_data_item(_Stream(body)) if body else {}
    except (ResponseParserError, ValueError, TypeError, OverflowError, RecursionError, MemoryError, OSError) as error:
        message = f"the request's body is not CBOR: {type(error).__name__}: {error}"
        raise ServiceError("SerializationException", message) from None


def is_well_formed(reply: HttpResponse, protocol: Protocol) -> bool:
    """Return whether a client of a protocol can read a response.

    Moto answers some requests with a page of HTML, and writes some texts into XML as they are.
    """
    if protocol is Protocol.S3 and reply.status < 300 and not reply.body.startswith(b"<"):
        return True
    try:
        if protocol is Protocol.JSON:
            return isinstance(json.loads(reply.body or b"{}"), dict)
        if protocol is Protocol.CBOR:
            return isinstance(_cbor_document(reply.body), dict)
        return not reply.body or ET.fromstring(reply.body) is not None  # noqa: S314 - moto's own
    except (ValueError, ET.ParseError, ServiceError):
        return False
