"""AWS Signature Version 2 of S3, in presigned URLs (boto3 still creates them by default) and in headers.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
"""

from __future__ import annotations

import base64
import hmac
import re
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl

from local.aws.hosts import bucket_of_host
from local.aws.wire import RequestHead

_TOKEN = "x-amz-security-token"  # noqa: S105 - a name
_AUTHORIZATION = re.compile(rb"AWS ([^:\s]+):([A-Za-z0-9+/=]+)\s*")
_BASIC_ISO = "%Y%m%dT%H%M%SZ"
_SUBRESOURCES = {
    *("accelerate", "acl", "analytics", "cors", "delete", "inventory", "lifecycle", "location", "logging", "metrics"),
    *("notification", "object-lock", "partNumber", "policy", "replication", "requestPayment", "restore", "select"),
    *("select-type", "storageClass", "tagging", "torrent", "uploadId", "uploads", "versionId", "versioning"),
    *("versions", "website", "defaultObjectAcl"),
    *("response-content-type", "response-content-language", "response-expires", "response-cache-control"),
    *("response-content-disposition", "response-content-encoding"),
}
"""Parameters of the query that are signed."""


def is_presigned(query: bytes) -> bool:
    """Return whether a query has a version 2 signature."""
    return b"AWSAccessKeyId=" in query and b"Signature=" in query and b"Expires=" in query


def is_header(authorization: bytes) -> bool:
    """Return whether an Authorization header has a version 2 signature, well-formed or not."""
    return authorization.startswith(b"AWS ")


def signer(head: RequestHead) -> tuple[str, str] | None:
    """Return the signer's access key id, and the session token or an empty string; None for a malformed header."""
    authorization = head.headers.get(b"authorization")
    if authorization is None:
        fields = _fields(head.query)
        return fields.get("AWSAccessKeyId", ""), fields.get(_TOKEN, "")
    match = _AUTHORIZATION.fullmatch(authorization)
    token = head.headers.get(_TOKEN.encode(), b"").decode("latin-1")
    return (match[1].decode("latin-1"), token) if match else None


def time_of(head: RequestHead) -> float | None:
    """Return the time at which a header was signed, in seconds since the epoch, or None without a valid time."""
    text = head.headers.get(b"x-amz-date", head.headers.get(b"date", b"")).decode("latin-1")
    try:
        made = datetime.strptime(text, _BASIC_ISO) if text.endswith("Z") else parsedate_to_datetime(text)
        return (made if made.tzinfo else made.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def expires_of(query: bytes) -> int:
    """Return the time at which a presigned URL expires, in seconds since the epoch; 0 if it is not valid."""
    text = _fields(query).get("Expires", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 12 else 0


def has_expired(query: bytes) -> bool:
    """Return whether the URL has expired. An invalid time counts as expired."""
    return expires_of(query) < time.time()


def is_right(head: RequestHead, secret_key: str) -> bool:
    """Return whether the request was signed with a secret key."""
    authorization = head.headers.get(b"authorization")
    if authorization is None:
        fields = _fields(head.query)
        given, date = fields.get("Signature", ""), fields.get("Expires", "")
    else:
        match = _AUTHORIZATION.fullmatch(authorization)
        given = match[2].decode() if match else ""
        date = "" if b"x-amz-date" in head.headers else head.headers.get(b"date", b"").decode("latin-1")
    expected = base64.b64encode(hmac.digest(secret_key.encode(), _text(head, date).encode(), "sha1"))
    return hmac.compare_digest(expected, given.encode())


def _text(head: RequestHead, date: str) -> str:
    """Return the text that is signed."""
    fields = _fields(head.query)
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers.items()}
    if b"authorization" not in head.headers:
        # A URL has no headers, so some of those that were signed are in its query.
        headers = {**{n.lower(): v for n, v in fields.items() if _may_be_in_query(n.lower())}, **headers}
    amazon = sorted((name, value) for name, value in headers.items() if name.startswith("x-amz-"))
    named = [(name, value) for name, value in fields.items() if name in _SUBRESOURCES]
    subresources = "&".join(f"{name}={value}" if value else name for name, value in sorted(named))
    bucket = bucket_of_host(head.headers)
    path = (f"/{bucket}" if bucket else "") + head.raw_path.decode("latin-1")
    # S3 signs a bucket's path with a slash at its end, which botocore's set_auth_path adds for this reason.
    path += "/" if path.count("/") == 1 and path != "/" else ""
    return "\n".join(
        (
            head.method,
            headers.get("content-md5", ""),
            headers.get("content-type", ""),
            date,
            *(f"{name}:{value}" for name, value in amazon),
            path + (f"?{subresources}" if subresources else ""),
        )
    )


def _may_be_in_query(name: str) -> bool:
    return name.startswith("x-amz-") or name in ("content-md5", "content-type")


def _fields(query: bytes) -> dict[str, str]:
    return dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))
