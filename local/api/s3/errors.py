"""The errors of S3.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

import errno
import logging

from local.core.disk import insufficient_storage, is_full
from local.core.errors import ServiceError

_KNOWN = {
    "AccessControlListNotSupported": (400, "The bucket does not allow ACLs"),
    "AccessDenied": (403, "Access Denied"),
    "BadDigest": (400, "The Content-MD5 or checksum value that you specified did not match what the server received."),
    "BucketAlreadyOwnedByYou": (409, "The bucket that you tried to create already exists, and you own it."),
    "BucketNotEmpty": (409, "The bucket you tried to delete is not empty"),
    "EntityTooLarge": (400, "Your proposed upload exceeds the maximum allowed size"),
    "EntityTooSmall": (400, "Your proposed upload is smaller than the minimum allowed size"),
    "IncompleteBody": (400, "You did not provide the number of bytes specified by the Content-Length HTTP header"),
    "InvalidDigest": (400, "The Content-MD5 you specified was invalid."),
    "InvalidLocationConstraint": (400, "The specified location-constraint is not valid"),
    "InvalidPart": (
        400,
        "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified"
        " entity tag may not match the part's entity tag.",
    ),
    "InvalidPartOrder": (400, "The list of parts was not in ascending order. Parts must be ordered by part number."),
    "InvalidPartNumber": (416, "The requested partnumber is not satisfiable"),
    "InvalidRange": (416, "The requested range is not satisfiable"),
    "MalformedXML": (400, "The XML you provided was not well-formed or did not validate against our published schema"),
    "MissingContentLength": (411, "You must provide the Content-Length HTTP header."),
    "MetadataTooLarge": (400, "Your metadata headers exceed the maximum allowed metadata size"),
    "MethodNotAllowed": (405, "The specified method is not allowed against this resource."),
    "NoSuchBucket": (404, "The specified bucket does not exist"),
    "NoSuchKey": (404, "The specified key does not exist."),
    "NoSuchUpload": (
        404,
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or"
        " completed.",
    ),
    "PreconditionFailed": (412, "At least one of the pre-conditions you specified did not hold"),
    "SignatureDoesNotMatch": (403, "The signature of a chunk or of the trailer does not match the one calculated."),
    "SlowDown": (503, "A folder was removed while the request ran. Try again."),
    "XAmzContentSHA256Mismatch": (
        400,
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
    ),
}
_NOT_A_FILE = {errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ENOTEMPTY}
_log = logging.getLogger(__name__)


def s3_error(code: str, message: str | None = None, **details: object) -> ServiceError:
    """Return an S3 error.

    Args:
        code: S3's code. A code that is not in ``_KNOWN`` has the status 400.
        message: the message, or None for the code's own.
        **details: elements of the response in addition to those that every error has.
    """
    status, sentence = _KNOWN.get(code, (400, code))
    return ServiceError(code, message or sentence, status, {name: str(value) for name, value in details.items()})


def invalid_argument(message: str, name: str | None = None, value: str = "") -> ServiceError:
    """Return the error for a member whose value S3 does not accept.

    Args:
        message: the message.
        name: the member, if the message is about one.
        value: the member's value.
    """
    details = {} if name is None else {"ArgumentName": name, "ArgumentValue": value}
    return s3_error("InvalidArgument", message, **details)


def invalid_request(message: str) -> ServiceError:
    """Return the error for members that cannot be combined."""
    return s3_error("InvalidRequest", message)


def not_implemented(what: str) -> ServiceError:
    """Return the error for a valid request that the local service does not implement."""
    return ServiceError("NotImplemented", f"not implemented by the local service: s3:{what}", 501)


def file_error(error: OSError) -> ServiceError:
    """Return the S3 error for an error of the file system."""
    if is_full(error):
        return insufficient_storage()
    if error.errno in _NOT_A_FILE:
        message = "objects are files here, and a job wrote to the same path meanwhile. Try again."
        return ServiceError("OperationAborted", message, 409)
    if error.errno == errno.ENAMETOOLONG:
        message = "objects are files here: the path of this key's file is too long for this machine"
        return s3_error("KeyTooLongError", message)
    if error.errno == errno.ENOENT:
        return s3_error("SlowDown")
    _log.error("an S3 request failed", exc_info=error)
    return ServiceError("InternalError", "We encountered an internal error. Please try again.", 500)
