"""Keeps secrets out of the requests that are stored to run again after a restart.

Requests whose purpose is a secret are not stored: the secret is in memory only, and is gone when the service stops.
Other requests are stored without what authenticated them.
"""

from __future__ import annotations

import base64
import re
from typing import Any
from urllib.parse import parse_qs

from local.aws.wire import json_document
from local.core.errors import ServiceError

_SERVICES = {"sts", "secretsmanager"}
_OPERATIONS = {
    ("iam", re.compile(r"(Create|Update)LoginProfile|ChangePassword|(Upload|Update)(ServerCertificate|SigningCert).*")),
    ("kms", re.compile(r"(Re)?Encrypt|Decrypt|GenerateDataKey.*|GenerateMac|VerifyMac|Sign|Verify|ImportKeyMaterial")),
    ("events", re.compile(r"(Create|Update)Connection")),
    ("sns", re.compile(r"(Create|Set)PlatformApplication.*")),
}
_SIGNATURE = re.compile(r"Signature=[^,\s]+")
_SIGNATURE_V2 = re.compile(r"^(AWS [^:\s]+):.*")
_HEADERS = {"x-amz-security-token", "cookie", "proxy-authorization"}
_QUERY = re.compile(r"(^|&)(X-Amz-Security-Token|X-Amz-Signature|Signature)=[^&]*", re.IGNORECASE)


def has_secret(service: str, operation: str, body: bytes) -> bool:
    """Return whether a request must not be stored, because it brings a secret."""
    if service in _SERVICES:
        return True
    if service == "ssm" and operation == "PutParameter":
        return bool(_member(body, "Type") == "SecureString")
    return any(service == name and pattern.fullmatch(operation) for name, pattern in _OPERATIONS)


def has_stored_secret(record: dict[str, Any]) -> bool:
    """Return whether a request, stored by an earlier version, must not be stored."""
    return has_secret(record["Service"], record["Operation"], base64.b64decode(record["Body"]))


def without_credentials(record: dict[str, Any]) -> dict[str, Any]:
    """Return a request to store, without session tokens and signatures in its headers and its query."""
    headers = {
        name: _SIGNATURE_V2.sub(r"\1:0", _SIGNATURE.sub("Signature=0", value)) if name == "authorization" else value
        for name, value in record["Headers"].items()
        if name not in _HEADERS
    }
    return {**record, "Headers": headers, "Query": _QUERY.sub("", record["Query"]).removeprefix("&")}


def _member(body: bytes, name: str) -> Any:
    try:
        document = json_document(body)
    except ServiceError:
        return parse_qs(body.decode("latin-1")).get(name, [None])[0]
    return document.get(name) if isinstance(document, dict) else None
