"""What S3 requires of a request's signature, in addition to what all services require."""

from __future__ import annotations

from local.api.s3.errors import invalid_argument
from local.aws.refusals import Fault, SignatureError
from local.aws.sigv4 import UNSIGNED_PAYLOAD, Signature
from local.aws.wire import RequestHead
from local.core.errors import ServiceError

_HASH = b"x-amz-content-sha256"


def payload_hash(signature: Signature, head: RequestHead) -> bytes:
    """Return what is signed in place of the body: its SHA-256, or a placeholder.

    Raises:
        SignatureError: a signature of version 4 in the headers requires the header ``x-amz-content-sha256``.
    """
    given = head.headers.get(_HASH)
    if signature.is_version_2:
        return given or UNSIGNED_PAYLOAD
    if signature.expires is not None:
        return given if given and _HASH in signature.signed_headers.split(b";") else UNSIGNED_PAYLOAD
    if given is None:
        raise SignatureError(Fault.MALFORMED, "Missing required header for this request: x-amz-content-sha256")
    return given


def check_signed(signature: Signature, head: RequestHead) -> None:
    """Refuse a request with two signatures, or with headers that its signature does not cover.

    Whoever has a presigned URL could otherwise add metadata, for example.
    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html

    Raises:
        ServiceError: InvalidArgument for two signatures, AccessDenied for headers.
    """
    in_query = b"X-Amz-Signature=" in head.query or b"Signature=" in head.query
    if in_query and b"authorization" in head.headers:
        message = (
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string"
            " parameter or the Authorization header should be specified"
        )
        raise invalid_argument(message, "Authorization", head.headers[b"authorization"].decode("latin-1"))
    if signature.is_version_2:
        # Version 2 covers all of these headers.
        return
    signed = set(signature.signed_headers.split(b";"))
    # A presigned URL leaves the body's hash open.
    signed.add(_HASH)
    unsigned = sorted(name for name in head.headers if name.startswith(b"x-amz-") and name not in signed)
    if unsigned:
        message = "There were headers present in the request which were not signed"
        names = ", ".join(name.decode("latin-1") for name in unsigned)
        raise ServiceError("AccessDenied", message, 403, {"HeadersNotSigned": names})
