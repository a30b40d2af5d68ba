"""Sends signed requests byte by byte, and checks what every answer must be."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import io
import json
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

from botocore.awsrequest import HeadersDict
from botocore.model import Shape
from botocore.parsers import create_parser

from local.aws import sigv4
from local.core.settings import ACCESS_KEY, Settings
from tests.local.fuzz.values import MARK

PATIENCE = 30.0
"""Seconds after which an answer counts as one that never comes."""

_CODES_501 = ("NotImplemented", "NotImplementedException")


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes


class Sender:
    """Sends requests on one connection, which is opened again if the service has closed it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._socket: socket.socket | None = None

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def send(
        self,
        service: str,
        method: str,
        target: bytes,
        headers: Mapping[bytes, bytes],
        body: bytes,
        payload_hash: bytes | None = None,
    ) -> Reply:
        signed = self.signed(service, method, target, headers, body, payload_hash)
        lines = b"".join(b"%b: %b\r\n" % pair for pair in signed.items())
        length = b"" if b"content-length" in signed else b"content-length: %d\r\n" % len(body)
        return self.send_bytes(b"%b %b HTTP/1.1\r\n%b%b\r\n%b" % (method.encode(), target, lines, length, body), method)

    def signed(
        self,
        service: str,
        method: str,
        target: bytes,
        headers: Mapping[bytes, bytes],
        body: bytes,
        payload_hash: bytes | None = None,
    ) -> dict[bytes, bytes]:
        """Return the headers with a signature as the service computes it, so that nothing is refused for that."""
        settings, stamp = self._settings, time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        digest = payload_hash or hashlib.sha256(body).hexdigest().encode()
        own = {b"host": f"127.0.0.1:{settings.port}".encode(), b"x-amz-date": stamp.encode()}
        all_headers = {**own, b"x-amz-content-sha256": digest, **headers}
        path, _, query = target.partition(b"?")
        scope, names = (stamp[:8], settings.region, service), b"host;x-amz-content-sha256;x-amz-date"
        values = b"".join(b"%b:%b\n" % (name, b" ".join(all_headers[name].split())) for name in names.split(b";"))
        canonical = b"\n".join(
            (
                method.encode(),
                sigv4._canonical_path(path, service),
                sigv4._canonical_query(query) if query else b"",
                values,
                names,
                digest,
            )
        )
        scope_text = "/".join((*scope, "aws4_request"))
        text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope_text}\n{hashlib.sha256(canonical).hexdigest()}"
        value = hmac.digest(sigv4.signing_key(settings.secret_key, scope), text.encode(), "sha256").hex()
        credential = f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{scope_text}, SignedHeaders={names.decode()}"
        return {**all_headers, b"authorization": f"{credential}, Signature={value}".encode()}

    def send_bytes(self, request: bytes, method: str = "GET", *, ends: bool = False) -> Reply:
        """Send a request's bytes.

        Args:
            request: the bytes.
            method: the method, of which HEAD has answers without a body.
            ends: whether the sender says that nothing more comes.
        """
        for attempt in (1, 2):
            fresh = self._socket is None
            if self._socket is None:
                self._socket = socket.create_connection(("127.0.0.1", self._settings.port), PATIENCE)
            try:
                return self._exchange(self._socket, request, method, ends)
            except (ConnectionError, http.client.BadStatusLine):
                self.close()
                if fresh or attempt == 2:
                    # The service has closed the connection, as it may for what is not HTTP.
                    return Reply(0, {}, b"")
        raise AssertionError

    def _exchange(self, connection: socket.socket, request: bytes, method: str, ends: bool) -> Reply:
        connection.sendall(request)
        if ends:
            connection.shutdown(socket.SHUT_WR)
        answer = http.client.HTTPResponse(connection, method=method)
        answer.begin()
        reply = Reply(answer.status, {n.lower(): v for n, v in answer.getheaders()}, answer.read())
        if ends or answer.will_close:
            self.close()
        return reply


def check(reply: Reply, protocol: str, shape: Shape | None, sent: Any) -> str:
    """Check a reply, and return the error's code or an empty text."""
    said = f"{sent!r:.3000} -> {reply.status} {reply.body[:600]!r}"
    assert reply.status < 500 or reply.status == 501, said
    if protocol in ("query", "rest-xml") and reply.body.startswith(b"<"):
        ET.fromstring(reply.body)
        assert MARK.encode() not in reply.body, said
        assert MARK[:6].encode() not in reply.body, said
    if protocol == "raw":
        return ""
    answer = {"status_code": reply.status, "headers": HeadersDict(reply.headers), "body": reply.body}
    parsed = create_parser(protocol).parse(_with_stream(answer, shape), shape)  # type: ignore[arg-type]
    if reply.status < 300:
        return ""
    code = parsed.get("Error", {}).get("Code", "")
    # SageMaker sends 413 without a code, and HEAD has no body.
    assert code or reply.status in (304, 413), said
    assert reply.status != 501 or code in (*_CODES_501, "501"), said
    return str(code)


def _with_stream(answer: dict[str, Any], shape: Shape | None) -> dict[str, Any]:
    payload = getattr(shape, "serialization", {}).get("payload")
    member = getattr(shape, "members", {}).get(payload) if payload else None
    # As in botocore's OperationModel.has_streaming_output.
    if member is not None and member.type_name == "blob" and answer["status_code"] < 300:
        return {**answer, "body": io.BytesIO(answer["body"])}
    return answer


def shown(value: Any) -> str:
    return json.dumps(value, default=repr)[:2000]
