"""Lambda's HTTP interface, derived from botocore's service model.

Source: https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote

import botocore.session
from botocore.model import OperationModel, ServiceModel, Shape, StructureShape

from local.api.lambda_.members import check_members
from local.aws.service_models import shaped
from local.aws.shapes import validate_request
from local.aws.wire import HttpResponse, RequestHead, new_request_id
from local.core.errors import ServiceError, not_implemented, validation_error
from local.core.json_text import JsonError, read_json

Members = dict[str, Any]
Handler = Callable[[Members], Members | None]


@dataclass(frozen=True)
class _Route:
    """The HTTP method and the path pattern of an operation."""

    method: str
    path: re.Pattern[str]
    literal_characters: int
    operation: OperationModel


def answer(operations: Mapping[str, Handler], head: RequestHead, body: bytes) -> HttpResponse:
    """Call the operation that a request's method and path name.

    Args:
        operations: The implemented operations by name. Each takes the request's validated members, with a payload as
            bytes, and returns the response's members.
        head: The request without its body.
        body: The request's body.

    Raises:
        ServiceError: The request is not valid, or the operation failed, is unknown or is not implemented.
    """
    path = head.raw_path.decode("latin-1").rstrip("/")
    for route in _routes():
        match = route.path.fullmatch(path)
        if match is not None and route.method == head.method:
            break
    else:
        raise ServiceError("UnknownOperationException", f"Lambda has no operation at {head.method} {path}", 404)
    model = route.operation
    handler = operations.get(model.name)
    if handler is None:
        raise not_implemented("lambda", model.name)
    labels = {name: unquote(value) for name, value in match.groupdict().items()}
    assert model.input_shape is not None
    request = _read(model.input_shape, labels, head, body)
    check_members(model.name, request)
    return _render(model, handler(request) or {})


@cache
def _model() -> ServiceModel:
    return botocore.session.get_session().get_service_model("lambda")


@cache
def _routes() -> list[_Route]:
    routes = []
    for name in _model().operation_names:
        model = _model().operation_model(name)
        template = model.http["requestUri"].partition("?")[0].rstrip("/")
        parts = re.split(r"\{(\w+)\}", template)
        pattern = "".join(f"(?P<{part}>[^/]+)" if index % 2 else re.escape(part) for index, part in enumerate(parts))
        routes.append(_Route(model.http["method"], re.compile(pattern), sum(map(len, parts[::2])), model))
    return sorted(routes, key=lambda route: -route.literal_characters)


def _read(shape: StructureShape, labels: Mapping[str, str], head: RequestHead, body: bytes) -> Members:
    fields = parse_qs(head.query.decode("latin-1"), keep_blank_values=True)
    payload = shape.serialization.get("payload")
    request: Members = {} if payload else _document(shape, body)
    for name, member in shape.members.items():
        place, key = member.serialization.get("location"), member.serialization.get("name", name)
        if place == "uri":
            request[name] = labels[key]
        elif place == "querystring" and key in fields:
            request[name] = fields[key] if member.type_name == "list" else _typed(member, fields[key][0])
        elif place == "header" and key.lower().encode() in head.headers:
            request[name] = _typed(member, head.headers[key.lower().encode()].decode("latin-1"))
    validate_request(shape, request)
    if payload:
        request[payload] = body
    return request


def _document(shape: StructureShape, body: bytes) -> Members:
    try:
        document = read_json(body or b"{}")
    except JsonError as error:
        message = f"Could not parse request body into json: it {error}"
        raise ServiceError("InvalidRequestContentException", message) from None
    if not isinstance(document, dict):
        raise ServiceError("SerializationException", "the request's body is not a JSON object")
    in_body = {name for name, member in shape.members.items() if "location" not in member.serialization}
    return {name: value for name, value in document.items() if name in in_body and value is not None}


def _typed(shape: Shape, text: str) -> Any:
    if shape.type_name == "boolean":
        return text == "true"
    if shape.type_name not in ("integer", "long"):
        return text
    try:
        return int(text)
    except ValueError:
        raise validation_error(f"{text!r} is not an integer") from None


def _render(model: OperationModel, response: Members) -> HttpResponse:
    status = model.http.get("responseCode", 200)
    headers = [(b"x-amzn-requestid", new_request_id().encode())]
    shape = model.output_shape
    if shape is None:
        return HttpResponse(status, b"", headers)
    payload = shape.serialization.get("payload")
    document: Members = {}
    for name, value in response.items():
        if value is None or name not in shape.members or name == payload:
            continue
        member = shape.members[name]
        place = member.serialization.get("location")
        if place == "statusCode":
            status = value
        elif place == "header":
            headers.append((member.serialization["name"].lower().encode(), str(value).encode()))
        else:
            document[name] = shaped(member, value)
    body = response.get(payload) or b"" if payload else json.dumps(document).encode()
    return HttpResponse(status, body, [*headers, (b"content-type", b"application/json")])
