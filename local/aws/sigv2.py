"""Presigned S3 URLs with AWS Signature Version 2, which boto3 still creates by default.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
"""

from __future__ import annotations

import base64
import hmac
import time
from urllib.parse import parse_qsl

from local.aws.wire import RequestHead

_TOKEN = "x-amz-security-token"  # noqa: S105 - a name
_SUBRESOURCES = {
    *("acl", "delete", "lifecycle", "location", "logging", "notification", "partNumber", "policy", "tagging"),
    *("requestPayment", "uploadId", "uploads", "versionId", "versioning", "versions", "website"),
    *("response-content-type", "response-content-language", "response-expires", "response-cache-control"),
    *("response-content-disposition", "response-content-encoding"),
}


def is_presigned(query: bytes) -> bool:
    """Return whether a query has a version 2 signature."""
    return b"AWSAccessKeyId=" in query and b"Signature=" in query and b"Expires=" in query


def signer(query: bytes) -> tuple[str, str]:
    """Return the access key id of the signer, and the session token or an empty string."""
    fields = _fields(query)
    return fields["AWSAccessKeyId"], fields.get(_TOKEN, "")


def has_expired(query: bytes) -> bool:
    """Return whether the URL has expired. An invalid time counts as expired."""
    expires = _fields(query)["Expires"]
    return not expires.isdecimal() or int(expires) < time.time()


def is_right(head: RequestHead, secret_key: str) -> bool:
    """Return whether the request was signed with a secret key."""
    fields = _fields(head.query)
    headers = {
        name.decode(): value.decode("latin-1") for name, value in head.headers.items() if name.startswith(b"x-amz-")
    }
    if _TOKEN in fields:
        # The token is signed like a header but sent in the query, because a URL has no headers.
        headers[_TOKEN] = fields[_TOKEN]
    amazon_headers = sorted(headers.items())
    subresources = "&".join(
        f"{name}={value}" if value else name for name, value in sorted(fields.items()) if name in _SUBRESOURCES
    )
    resource = head.raw_path.decode("latin-1") + (f"?{subresources}" if subresources else "")
    text = "\n".join(
        (
            head.method,
            head.headers.get(b"content-md5", b"").decode("latin-1"),
            head.headers.get(b"content-type", b"").decode("latin-1"),
            fields["Expires"],
            *(f"{name}:{value}" for name, value in amazon_headers),
            resource,
        )
    )
    expected = base64.b64encode(hmac.digest(secret_key.encode(), text.encode(), "sha1")).decode()
    return hmac.compare_digest(expected, fields["Signature"])


def _fields(query: bytes) -> dict[str, str]:
    return dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))
