"""How answers and errors look on the wire: each AWS service speaks one of five protocols."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from xml.sax.saxutils import escape

from local.core.errors import ServiceError

Headers = list[tuple[bytes, bytes]]


class Protocol(Enum):
    """The protocols of AWS, https://smithy.io/2.0/aws/protocols/ ."""

    JSON = "json"
    REST_JSON = "rest-json"
    QUERY = "query"
    CBOR = "rpc-v2-cbor"
    S3 = "rest-xml"


@dataclass(frozen=True)
class RequestHead:
    """What a request says before its body.

    Attributes:
        method: the HTTP method.
        raw_path: the path as it was sent, percent-encoded.
        query: the query as it was sent.
        headers: by lower-case name; several values of one name are joined by a comma.
    """

    method: str
    raw_path: bytes
    query: bytes
    headers: Mapping[bytes, bytes]


@dataclass(frozen=True)
class HttpResponse:
    """A whole HTTP answer."""

    status: int
    body: bytes = b""
    headers: Headers = field(default_factory=list)


def closing(reply: HttpResponse) -> HttpResponse:
    """Return an answer that ends the connection: for when a body is still to come, which would be read as a request."""
    return HttpResponse(reply.status, reply.body, [*reply.headers, (b"connection", b"close")])


def new_request_id() -> str:
    """Return an identifier for one request, as AWS puts into every answer."""
    return str(uuid.uuid4())


def protocol_of(service: str, headers: Mapping[bytes, bytes]) -> Protocol:
    """Return the protocol that a client speaks, told by the request alone."""
    if service == "s3":
        return Protocol.S3
    if headers.get(b"smithy-protocol") == b"rpc-v2-cbor":
        return Protocol.CBOR
    if b"x-amz-target" in headers:
        return Protocol.JSON
    if headers.get(b"content-type", b"").startswith(b"application/x-www-form-urlencoded"):
        return Protocol.QUERY
    return Protocol.REST_JSON


def json_document(body: bytes) -> Any:
    """Parse the body of a request of the JSON protocol.

    Returns:
        The JSON value. An empty body counts as an empty object.

    Raises:
        ServiceError: SerializationException, because the body is not JSON.
    """
    try:
        return json.loads(body or b"{}")
    except ValueError:
        raise ServiceError("SerializationException", "the request's body is not JSON") from None


def json_reply(document: Mapping[str, Any]) -> HttpResponse:
    """Return a successful answer of the JSON protocol."""
    headers = [
        (b"content-type", b"application/x-amz-json-1.1"),
        (b"x-amzn-requestid", new_request_id().encode()),
    ]
    return HttpResponse(200, json.dumps(document).encode(), headers)


def error_reply(error: ServiceError, protocol: Protocol) -> HttpResponse:
    """Return an error as clients of that protocol expect it."""
    request_id = new_request_id()
    code, message = error.code, error.message
    headers = [(b"x-amzn-requestid", request_id.encode())]
    if protocol is Protocol.S3:
        body = _xml(f"<Error>{_fault(code, message)}<RequestId>{request_id}</RequestId></Error>")
        return HttpResponse(error.status, body, [*headers, (b"content-type", b"application/xml")])
    if protocol is Protocol.QUERY:
        sender = "Sender" if error.status < 500 else "Receiver"
        fault = f"<Error><Type>{sender}</Type>{_fault(code, message)}</Error>"
        body = _xml(f"<ErrorResponse>{fault}<RequestId>{request_id}</RequestId></ErrorResponse>")
        return HttpResponse(error.status, body, [*headers, (b"content-type", b"text/xml")])
    if protocol is Protocol.CBOR:
        headers += [(b"content-type", b"application/cbor"), (b"smithy-protocol", b"rpc-v2-cbor")]
        return HttpResponse(error.status, _cbor_map({"__type": code, "message": message}), headers)
    if protocol is Protocol.JSON:
        headers.append((b"content-type", b"application/x-amz-json-1.1"))
        return HttpResponse(error.status, json.dumps({"__type": code, "message": message}).encode(), headers)
    headers.append((b"content-type", b"application/json"))
    if code:
        headers.append((b"x-amzn-errortype", code.encode()))
    return HttpResponse(error.status, json.dumps({"Message": message, "message": message}).encode(), headers)


def _fault(code: str, message: str) -> str:
    return f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"


def _xml(element: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{element}'.encode()


def _cbor_map(members: Mapping[str, str]) -> bytes:
    """Return a map of texts in CBOR, RFC 8949 sections 3 and 3.1: each item's length in two bytes."""
    texts = [text.encode() for pair in members.items() for text in pair]
    return bytes([0xA0 + len(members)]) + b"".join(b"\x79" + len(t).to_bytes(2, "big") + t for t in texts)
