"""Signed requests to S3 that no client would send."""

from __future__ import annotations

import http.client
from dataclasses import dataclass
from typing import Any

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.core.settings import ACCESS_KEY


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


def send(service: Any, method: str, path: str, body: bytes = b"", *, has_trailer: bool = False, **how: Any) -> Answer:
    """Send a request; ``headers`` are signed with it, and ``has_trailer`` says that the body is framed."""
    headers = dict(how.get("headers", {}))
    request = AWSRequest(method, f"{service.settings.endpoint_url}{path}", data=body, headers=headers)
    if has_trailer:
        request.context["checksum"] = {"request_algorithm": {"in": "trailer"}}
    S3SigV4Auth(Credentials(ACCESS_KEY, service.settings.secret_key), "s3", service.settings.region).add_auth(request)
    connection = http.client.HTTPConnection("127.0.0.1", service.settings.port, timeout=30)
    try:
        connection.request(method, path, body, dict(request.headers.items()))
        answer = connection.getresponse()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()
