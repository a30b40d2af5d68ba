"""Authentication of requests: AWS Signature Version 4, and the headers Host and Origin.

The service runs code for its callers. It therefore accepts only requests that are signed with the folder's secret key
or the temporary key of a running job or function, have a local host name, and do not come from a web page.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import parse_qsl, quote, unquote_to_bytes

from local.aws import sigv2
from local.aws.credentials import Credentials, KeyRing
from local.aws.refusals import Fault, SignatureError
from local.aws.wire import RequestHead
from local.core.errors import ServiceError
from local.core.settings import ACCESS_KEY

UNSIGNED_PAYLOAD = b"UNSIGNED-PAYLOAD"
_ALGORITHM = b"AWS4-HMAC-SHA256"
_ALLOWED_SKEW_SECONDS = 15 * 60
_LONGEST_PRESIGNED_SECONDS = 7 * 24 * 3600
_AUTHORIZATION = re.compile(
    rb"AWS4-HMAC-SHA256\s+Credential=([^/,\s]+)/(\d{8})/([^/,]+)/([^/,]+)/aws4_request\s*,"
    rb"\s*SignedHeaders=([a-z0-9;_.-]+)\s*,\s*Signature=([0-9a-f]{64})\s*"
)
_CREDENTIAL = re.compile(r"([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request")
_SECONDS = re.compile(r"[0-9]{1,6}")
_LOCAL_HOST = re.compile(rb"(127\.0\.0\.1|(?:[a-z0-9.-]+\.)?localhost)(?::\d{1,5})?", re.IGNORECASE)


@dataclass(frozen=True)
class Signature:
    """A request's signature.

    Attributes:
        access_key: The access key id of the signer.
        scope: The date, region and service for which the signing key is valid.
        signed_headers: The names of the signed headers, separated by semicolons.
        value: The signature in hexadecimal.
        time: The time of the signature as ``YYYYMMDDTHHMMSSZ``.
        expires: The seconds for which a presigned URL is valid, or None for a signature in a header.
        token: The session token of a temporary access key, or an empty string.
        is_version_2: Whether the signature has version 2, which only S3 accepts. Then only ``access_key``, ``expires``
            and ``token`` are meaningful.
    """

    access_key: str
    scope: tuple[str, str, str]
    signed_headers: bytes
    value: bytes
    time: bytes
    expires: int | None = None
    token: str = ""
    is_version_2: bool = False

    @property
    def service(self) -> str:
        """The service that the request is signed for."""
        return self.scope[2]

    @property
    def region(self) -> str:
        """The region that the request is signed for."""
        return self.scope[1]


def read_signature(head: RequestHead) -> Signature:
    """Return a request's signature, read from its Authorization header or, for a presigned URL, from its query.

    Raises:
        SignatureError: The request has no signature, or the signature is malformed.
        ServiceError: NotImplemented, the request is a form.
    """
    authorization = head.headers.get(b"authorization")
    if authorization is not None and sigv2.is_header(authorization):
        return _of_version_2(head, expires=None)
    if authorization is not None:
        match = _AUTHORIZATION.fullmatch(authorization)
        made = head.headers.get(b"x-amz-date")
        if match is None or made is None or not authorization.isascii():
            raise SignatureError(
                Fault.MALFORMED,
                "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' of"
                " AWS4-HMAC-SHA256, and the request an 'X-Amz-Date' header.",
            )
        key, date, region, service, signed, value = match.groups()
        scope = (date.decode(), region.decode(), service.decode())
        token = head.headers.get(b"x-amz-security-token", b"").decode("latin-1")
        return Signature(key.decode(), scope, signed, value, made, token=token)
    if b"X-Amz-Signature=" in head.query:
        return _presigned(dict(parse_qsl(head.query.decode("latin-1"), keep_blank_values=True)))
    if sigv2.is_presigned(head.query):
        return _of_version_2(head, expires=0)
    if head.headers.get(b"content-type", b"").startswith(b"multipart/form-data"):
        # The signature of a presigned form is in its body.
        raise ServiceError("NotImplemented", "not implemented by the local service: s3:POST of a form", 501)
    raise SignatureError(Fault.MISSING, "Missing Authentication Token: the request is not signed")


def _of_version_2(head: RequestHead, expires: int | None) -> Signature:
    found = sigv2.signer(head)
    if found is None:
        raise SignatureError(Fault.MALFORMED, "The authorization header that you provided is not valid.")
    access_key, token = found
    return Signature(access_key, ("", "", "s3"), b"", b"", b"", expires=expires, token=token, is_version_2=True)


def _presigned(fields: dict[str, str]) -> Signature:
    credential = _CREDENTIAL.fullmatch(fields.get("X-Amz-Credential", ""))
    expires = fields.get("X-Amz-Expires", "")
    if (
        credential is None
        or fields.get("X-Amz-Algorithm") != _ALGORITHM.decode()
        or _SECONDS.fullmatch(expires) is None
        or not 1 <= int(expires) <= _LONGEST_PRESIGNED_SECONDS
    ):
        raise SignatureError(
            Fault.MALFORMED_QUERY, "the URL's X-Amz-Algorithm, X-Amz-Credential or X-Amz-Expires is not valid"
        )
    key, date, region, service = credential.groups()
    return Signature(
        key,
        (date, region, service),
        fields.get("X-Amz-SignedHeaders", "").encode(),
        fields["X-Amz-Signature"].encode(),
        fields.get("X-Amz-Date", "").encode(),
        int(expires),
        fields.get("X-Amz-Security-Token", ""),
    )


def find_signer(signature: Signature, head: RequestHead, keys: KeyRing) -> Credentials:
    """Return the credentials that a request claims to be signed with.

    This needs no body, so a request with an unknown key is refused before its body is read.

    Args:
        signature: The request's signature.
        head: The request.
        keys: The valid access keys.

    Raises:
        SignatureError: The access key is unknown, or the key or the signature has expired.
    """
    if signature.is_version_2:
        _check_time_of_version_2(signature, head)
    else:
        _check_time(signature)
    signer = keys.find(signature.access_key)
    if signer is None or not signer.accepts(signature.token):
        raise SignatureError(
            Fault.UNKNOWN_KEY,
            "The security token included in the request is invalid."
            f" (The local service accepts only the access key {ACCESS_KEY!r}, and the temporary keys of running jobs"
            " and functions and of its own STS since it started.)",
        )
    if signer.expires is not None and signer.expires < time.time():
        raise SignatureError(Fault.EXPIRED_TOKEN, "The security token included in the request is expired")
    return signer


def verify(signature: Signature, head: RequestHead, payload_hash: bytes, signer: Credentials) -> None:
    """Verify a signature.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

    Args:
        signature: The signature, from ``read_signature``.
        head: The request.
        payload_hash: The body's SHA-256 in hexadecimal, or a placeholder for it such as ``UNSIGNED_PAYLOAD``.
        signer: The signer's credentials, from ``find_signer``.

    Raises:
        SignatureError: The signature does not match the request and the signer's secret key.
    """
    if signature.is_version_2:
        if not sigv2.is_right(head, signer.secret_key):
            raise _wrong(signer)
        return
    names = signature.signed_headers.split(b";")
    if b"host" not in names:
        raise SignatureError(Fault.MALFORMED, "SignedHeaders must include host")
    canonical_headers = b"".join(b"%b:%b\n" % (name, b" ".join(head.headers.get(name, b"").split())) for name in names)
    canonical = b"\n".join(
        (
            head.method.encode(),
            _canonical_path(head.raw_path, signature.service),
            _canonical_query(head.query) if head.query else b"",
            canonical_headers,
            signature.signed_headers,
            payload_hash,
        )
    )
    date, region, service = signature.scope
    to_sign = b"%b\n%b\n%b/%b/%b/aws4_request\n%b" % (
        _ALGORITHM,
        signature.time,
        date.encode(),
        region.encode(),
        service.encode(),
        hashlib.sha256(canonical).hexdigest().encode(),
    )
    expected = hmac.digest(signing_key(signer.secret_key, signature.scope), to_sign, "sha256").hex().encode()
    if not hmac.compare_digest(expected, signature.value):
        raise _wrong(signer)


def _wrong(signer: Credentials) -> SignatureError:
    hint = " (The local service's secret key is random: make local-env prints it.)" if signer.token is None else ""
    return SignatureError(
        Fault.WRONG,
        "The request signature we calculated does not match the signature you provided."
        " Check your AWS Secret Access Key and signing method."
        f" Consult the service documentation for details.{hint}",
    )


def check_sender(headers: Mapping[bytes, bytes]) -> None:
    """Refuse requests that a web page can send: with a foreign host name (DNS rebinding), or with an Origin.

    Raises:
        ServiceError: AccessDenied, because a web page may have sent the request.
    """
    host = headers.get(b"host", b"")
    if _LOCAL_HOST.fullmatch(host) is None:
        shown = host.decode("latin-1")
        raise ServiceError(
            "AccessDenied",
            f"the local service answers at 127.0.0.1 and localhost only, not at {shown!r}",
            403,
        )
    if b"origin" in headers:
        raise ServiceError("AccessDenied", "the local service does not answer web pages", 403)


@lru_cache(maxsize=256)
def signing_key(secret_key: str, scope: tuple[str, str, str]) -> bytes:
    """Return the signing key for a date, a region and a service.

    Args:
        secret_key: The signer's secret key.
        scope: The date as ``YYYYMMDD``, the region and the service.
    """
    key = b"AWS4" + secret_key.encode()
    for part in (*scope, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _check_time_of_version_2(signature: Signature, head: RequestHead) -> None:
    now = time.time()
    if signature.expires is not None:
        if sigv2.has_expired(head.query):
            raise SignatureError(Fault.EXPIRED, "Request has expired", _expiry(sigv2.expires_of(head.query), now))
        return
    made = sigv2.time_of(head)
    if made is None:
        raise SignatureError(Fault.MISSING, "AWS authentication requires a valid Date or x-amz-date header")
    if abs(now - made) > _ALLOWED_SKEW_SECONDS:
        raise SignatureError(Fault.SKEWED, "The difference between the request time and the current time is too large.")


def _expiry(expires: float, now: float) -> dict[str, str]:
    return {
        name: datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        for name, seconds in (("Expires", expires), ("ServerTime", now))
    }


def _check_time(signature: Signature) -> None:
    made = _seconds(signature.time)
    if not signature.time.startswith(signature.scope[0].encode()):
        raise SignatureError(
            Fault.WRONG, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date"
        )
    now = time.time()
    if made > now + _ALLOWED_SKEW_SECONDS:
        latest = _stamp(now + _ALLOWED_SKEW_SECONDS)
        raise SignatureError(
            Fault.SKEWED,
            f"Signature not yet current: {signature.time.decode()} is still later than {latest}"
            f" ({_stamp(now)} + 15 min.)",
        )
    if signature.expires is not None:
        if now > made + signature.expires:
            lifetime = {"X-Amz-Expires": str(signature.expires)}
            raise SignatureError(
                Fault.EXPIRED, "Request has expired", lifetime | _expiry(made + signature.expires, now)
            )
    elif made < now - _ALLOWED_SKEW_SECONDS:
        earliest = _stamp(now - _ALLOWED_SKEW_SECONDS)
        raise SignatureError(
            Fault.SKEWED,
            f"Signature expired: {signature.time.decode()} is now earlier than {earliest} ({_stamp(now)} - 15 min.)",
        )


@lru_cache(maxsize=256)
def _seconds(stamp: bytes) -> float:
    try:
        return datetime.strptime(stamp.decode("latin-1"), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise SignatureError(
            Fault.MALFORMED, "X-Amz-Date must be in the ISO 8601 basic format YYYYMMDD'T'HHMMSS'Z'"
        ) from None


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%dT%H%M%SZ")


@lru_cache(maxsize=512)
def _canonical_path(raw_path: bytes, service: str) -> bytes:
    if service == "s3":
        return "/".join(_encoded(segment) for segment in raw_path.split(b"/")).encode()
    segments: list[str] = []
    for segment in raw_path.decode("latin-1").split("/"):
        if segment == "..":
            segments = segments[:-1]
        elif segment not in ("", "."):
            segments.append(segment)
    tail = "/" if raw_path.endswith(b"/") and segments else ""
    return quote("/" + "/".join(segments) + tail, safe="/-_.~").encode()


def _canonical_query(query: bytes) -> bytes:
    pairs = []
    for field in query.split(b"&"):
        name, _, value = field.partition(b"=")
        if field and name != b"X-Amz-Signature":
            pairs.append((_encoded(name), _encoded(value)))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs)).encode()


def _encoded(text: bytes) -> str:
    return quote(unquote_to_bytes(text), safe="-_.~")
