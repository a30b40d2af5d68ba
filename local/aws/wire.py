"""Requests, responses and errors in AWS's five protocols."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from urllib.parse import unquote_to_bytes
from xml.sax.saxutils import escape

from local.core.errors import ServiceError
from local.core.json_text import JsonError, read_json

Headers = list[tuple[bytes, bytes]]

S3_HOST_ID = "bG9jYWwgc2VydmljZQ=="
"""The id of S3's host, of which there is one here."""

_REST_PATH = re.compile(rb"/(\d{4}-\d\d-\d\d|endpoints)/")
"""The paths of Lambda and of SageMaker's runtime."""

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LONGEST_CBOR_TEXT = 0xFFFF


class Protocol(Enum):
    """AWS's protocols. See https://smithy.io/2.0/aws/protocols/ ."""

    JSON = "json"
    REST_JSON = "rest-json"
    QUERY = "query"
    CBOR = "rpc-v2-cbor"
    S3 = "rest-xml"


@dataclass(frozen=True)
class RequestHead:
    """A request without its body.

    Attributes:
        method: The HTTP method.
        raw_path: The path as sent, percent-encoded.
        query: The query as sent, percent-encoded.
        headers: The headers by lower-case name. Several values of one name are joined by a comma.
    """

    method: str
    raw_path: bytes
    query: bytes
    headers: Mapping[bytes, bytes]


@dataclass(frozen=True)
class HttpResponse:
    """An HTTP response."""

    status: int
    body: bytes = b""
    headers: Headers = field(default_factory=list)


def closing(reply: HttpResponse) -> HttpResponse:
    """Return a response that also closes the connection.

    Required if the request's body has not been read, because the server would read the body as the next request.
    """
    return HttpResponse(reply.status, reply.body, [*reply.headers, (b"connection", b"close")])


def new_request_id() -> str:
    """Return a request id, which every response of AWS has."""
    return str(uuid.uuid4())


def protocol_of(service: str, headers: Mapping[bytes, bytes]) -> Protocol:
    """Return the protocol of a request.

    Args:
        service: The service that the request is signed for.
        headers: The request's headers by lower-case name.
    """
    if service == "s3":
        return Protocol.S3
    if headers.get(b"smithy-protocol") == b"rpc-v2-cbor":
        return Protocol.CBOR
    if b"x-amz-target" in headers:
        return Protocol.JSON
    if headers.get(b"content-type", b"").startswith(b"application/x-www-form-urlencoded"):
        return Protocol.QUERY
    return Protocol.REST_JSON


def guess_protocol(head: RequestHead) -> Protocol:
    """Return the protocol of a request whose signature cannot be read, so that its client understands the error."""
    signature = head.headers.get(b"authorization", b"") + b"&" + unquote_to_bytes(head.query)
    if b"/s3/aws4_request" in signature or signature.startswith(b"AWS ") or b"AWSAccessKeyId=" in signature:
        return Protocol.S3
    found = protocol_of("", head.headers)
    is_unsigned = b"authorization" not in head.headers and _REST_PATH.match(head.raw_path) is None
    return Protocol.S3 if found is Protocol.REST_JSON and is_unsigned else Protocol.REST_JSON


def json_document(body: bytes) -> Any:
    """Parse the body of a request of the JSON protocol.

    Returns:
        The JSON value. An empty body counts as an empty object.

    Raises:
        ServiceError: SerializationException, because the body is not JSON or exceeds a limit of ``read_json``.
    """
    try:
        return read_json(body or b"{}")
    except JsonError as error:
        raise ServiceError("SerializationException", f"the request's body {error}") from None


def json_reply(document: Mapping[str, Any]) -> HttpResponse:
    """Return a successful response of the JSON protocol."""
    headers = [
        (b"content-type", b"application/x-amz-json-1.1"),
        (b"x-amzn-requestid", new_request_id().encode()),
    ]
    return HttpResponse(200, json.dumps(document).encode(), headers)


def s3_error_reply(error: ServiceError, request_id: str, resource: str) -> HttpResponse:
    """Return an error response of S3.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html

    Args:
        error: The error. Its details become elements of the response. Region, a bucket's, is a header too: the
            response to a HEAD request has no elements.
        request_id: The request id.
        resource: The bucket or object of the request, as the request's path.
    """
    members = {**error.details, "Resource": resource, "RequestId": request_id, "HostId": S3_HOST_ID}
    shown = "".join(f"<{name}>{escape(xml_text(text))}</{name}>" for name, text in members.items())
    body = _xml(f"<Error>{_fault(error.code, error.message)}{shown}</Error>")
    headers = [*s3_ids(request_id), (b"content-type", b"application/xml")]
    if "Region" in error.details:
        headers.append((b"x-amz-bucket-region", error.details["Region"].encode()))
    return HttpResponse(error.status, body, headers)


def s3_ids(request_id: str) -> Headers:
    """Return the headers that every response of S3 has."""
    return [(b"x-amz-request-id", request_id.encode()), (b"x-amz-id-2", S3_HOST_ID.encode())]


def error_reply(error: ServiceError, protocol: Protocol, resource: str = "/") -> HttpResponse:
    """Return an error response of a protocol.

    Args:
        error: The error.
        protocol: The protocol.
        resource: The request's path, which only errors of S3 mention.
    """
    request_id = new_request_id()
    code, message = error.code, error.message
    if protocol is Protocol.S3:
        return s3_error_reply(error, request_id, resource)
    headers = [(b"x-amzn-requestid", request_id.encode())]
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


def xml_text(text: str) -> str:
    """Return a text with a replacement for each character that XML 1.0 cannot contain, not even escaped.

    Source: https://www.w3.org/TR/xml/#charsets
    """
    return _NOT_XML.sub("\ufffd", text)


def _fault(code: str, message: str) -> str:
    return f"<Code>{escape(xml_text(code))}</Code><Message>{escape(xml_text(message))}</Message>"


def _xml(element: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{element}'.encode()


def _cbor_map(members: Mapping[str, str]) -> bytes:
    """Return a map of strings in CBOR, with each string's length in two bytes. See RFC 8949, sections 3 and 3.1."""
    texts = [text.encode(errors="replace")[:_LONGEST_CBOR_TEXT] for pair in members.items() for text in pair]
    return bytes([0xA0 + len(members)]) + b"".join(b"\x79" + len(t).to_bytes(2, "big") + t for t in texts)
