"""Requests that the service itself sends to moto."""

from __future__ import annotations

from local.aws.wire import RequestHead
from local.core.settings import ACCOUNT_ID


def own_head(service: str, region: str, target: str, version: str) -> RequestHead:
    """Return the head of a request in the JSON protocol. Its signature is not verified.

    Args:
        service: The service's signing name.
        region: The region.
        target: The value of X-Amz-Target: the service's prefix and the operation.
        version: The version of the protocol: ``1.0`` or ``1.1``.
    """
    scope = f"Credential={ACCOUNT_ID}/20200101/{region}/{service}/aws4_request"
    headers = {
        "host": f"{service}.{region}.amazonaws.com",
        "authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature={'0' * 64}",
        "x-amz-date": "20200101T000000Z",
        "content-type": f"application/x-amz-json-{version}",
        "x-amz-target": target,
    }
    return RequestHead("POST", b"/", b"", {name.encode(): value.encode() for name, value in headers.items()})
