"""Errors for requests with invalid signatures, by protocol."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from local.aws.wire import Protocol
from local.core.errors import ServiceError


class Fault(Enum):
    """The kinds of faults of a request's signature. The error codes for them depend on the protocol."""

    MISSING = "missing"
    MALFORMED = "malformed"
    MALFORMED_QUERY = "malformed in a presigned URL"
    UNKNOWN_KEY = "unknown key"
    WRONG = "wrong"
    SKEWED = "skewed"
    EXPIRED = "expired"
    EXPIRED_TOKEN = "expired token"  # noqa: S105 - a word


_S3_CODES = {
    Fault.MISSING: ("AccessDenied", 403),
    Fault.MALFORMED: ("AuthorizationHeaderMalformed", 400),
    Fault.MALFORMED_QUERY: ("AuthorizationQueryParametersError", 400),
    Fault.UNKNOWN_KEY: ("InvalidAccessKeyId", 403),
    Fault.WRONG: ("SignatureDoesNotMatch", 403),
    Fault.SKEWED: ("RequestTimeTooSkewed", 403),
    Fault.EXPIRED: ("AccessDenied", 403),
    Fault.EXPIRED_TOKEN: ("ExpiredToken", 400),
}
_QUERY_CODES = {
    Fault.MISSING: ("MissingAuthenticationToken", 403),
    Fault.MALFORMED: ("IncompleteSignature", 400),
    Fault.MALFORMED_QUERY: ("IncompleteSignature", 400),
    Fault.UNKNOWN_KEY: ("InvalidClientTokenId", 403),
    Fault.WRONG: ("SignatureDoesNotMatch", 403),
    Fault.SKEWED: ("SignatureDoesNotMatch", 403),
    Fault.EXPIRED: ("RequestExpired", 400),
    Fault.EXPIRED_TOKEN: ("ExpiredToken", 403),
}
_JSON_CODES = {
    Fault.MISSING: ("MissingAuthenticationTokenException", 400),
    Fault.MALFORMED: ("IncompleteSignatureException", 400),
    Fault.MALFORMED_QUERY: ("IncompleteSignatureException", 400),
    Fault.UNKNOWN_KEY: ("UnrecognizedClientException", 400),
    Fault.WRONG: ("InvalidSignatureException", 400),
    Fault.SKEWED: ("InvalidSignatureException", 400),
    Fault.EXPIRED: ("RequestExpired", 400),
    Fault.EXPIRED_TOKEN: ("ExpiredTokenException", 400),
}


class SignatureError(Exception):
    """A request's signature is missing or not valid.

    Attributes:
        fault: The kind of fault.
        message: The message.
        details: More about the fault, by the name of S3's XML element.
    """

    def __init__(self, fault: Fault, message: str, details: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.fault = fault
        self.message = message
        self.details = dict(details or {})

    def as_error(self, protocol: Protocol) -> ServiceError:
        """Return the error with the code and the HTTP status that services of the protocol use."""
        codes = {Protocol.S3: _S3_CODES, Protocol.QUERY: _QUERY_CODES}.get(protocol, _JSON_CODES)
        code, status = codes[self.fault]
        if protocol is Protocol.REST_JSON:
            status = 403
        return ServiceError(code, self.message, status, self.details)
