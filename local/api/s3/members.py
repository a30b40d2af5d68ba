"""Find a request's operation, and refuse members that the local service does not implement.

No member is ignored. Members in ``_MEMBERS`` are obeyed or checked; all others are refused by name. A member in
``_ONLY`` accepts only the listed values, because other values have an effect in S3 that is not implemented here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from local.api.s3.checksums import ALGORITHMS, header_of
from local.api.s3.errors import invalid_argument, not_implemented, s3_error
from local.api.s3.requests import S3Request
from local.core.settings import ACCOUNT_ID

_OF_SERVICE = {"GET": {"": "ListBuckets"}}
_OF_BUCKET = {
    "GET": {
        "location": "GetBucketLocation",
        "uploads": "ListMultipartUploads",
        "versions": "ListObjectVersions",
        "list-type": "ListObjectsV2",
        "": "ListObjects",
    },
    "HEAD": {"": "HeadBucket"},
    "PUT": {"": "CreateBucket"},
    "DELETE": {"": "DeleteBucket"},
    "POST": {"delete": "DeleteObjects"},
}
_OF_OBJECT = {
    "GET": {
        "uploadId": "ListParts",
        "tagging": "GetObjectTagging",
        "attributes": "GetObjectAttributes",
        "": "GetObject",
    },
    "HEAD": {"": "HeadObject"},
    "PUT": {"uploadId": "UploadPart", "tagging": "PutObjectTagging", "": "PutObject"},
    "DELETE": {"uploadId": "AbortMultipartUpload", "tagging": "DeleteObjectTagging", "": "DeleteObject"},
    "POST": {"uploads": "CreateMultipartUpload", "uploadId": "CompleteMultipartUpload"},
}
_COPIES = {"UploadPart": "UploadPartCopy", "PutObject": "CopyObject"}

_ALWAYS = {
    *("x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "x-amz-user-agent"),
    *("x-amz-decoded-content-length", "x-amz-expected-bucket-owner", "x-amz-request-payer"),
    # Sent by the SDK for C++.
    "x-amz-api-version",
    # Sent by the SDKs for Java, which accept bodies with and without the transfer encoding that it offers.
    "x-amz-te",
}
_STANDARD = re.compile(r"if-.*|range|content-md5")
"""Headers of HTTP that change an operation. They are checked like those that begin with x-amz-."""

_SHAPES = "prefix delimiter encoding-type"
_CONDITIONS = "if-match if-none-match if-modified-since if-unmodified-since"
_WRITES = (
    "x-amz-meta- x-amz-acl x-amz-storage-class x-amz-tagging x-amz-website-redirect-location"
    " x-amz-server-side-encryption x-amz-server-side-encryption-aws-kms-key-id"
    " x-amz-server-side-encryption-bucket-key-enabled"
)
_VALUES = " ".join(map(header_of, ALGORITHMS))
_BODY = f"content-md5 x-amz-sdk-checksum-algorithm x-amz-trailer {_VALUES}"
_READS = (
    "versionId partNumber response-cache-control response-content-disposition response-content-encoding"
    " response-content-language response-content-type response-expires"
)
_SOURCE = (
    "x-amz-copy-source x-amz-source-expected-bucket-owner x-amz-copy-source-if-match x-amz-copy-source-if-none-match"
    " x-amz-copy-source-if-modified-since x-amz-copy-source-if-unmodified-since"
)


@dataclass(frozen=True)
class _Members:
    query: str = ""
    headers: str = ""


_LISTED = "x-amz-optional-object-attributes"
_MEMBERS = {
    "ListBuckets": _Members("max-buckets continuation-token prefix bucket-region"),
    "CreateBucket": _Members(
        "",
        f"x-amz-acl x-amz-bucket-object-lock-enabled x-amz-object-ownership x-amz-bucket-namespace {_BODY}",
    ),
    "HeadBucket": _Members(),
    "DeleteBucket": _Members(),
    "GetBucketLocation": _Members("location"),
    "ListObjects": _Members(f"{_SHAPES} max-keys marker", _LISTED),
    "ListObjectsV2": _Members(f"{_SHAPES} max-keys list-type continuation-token fetch-owner start-after", _LISTED),
    "ListObjectVersions": _Members(f"{_SHAPES} max-keys versions key-marker version-id-marker", _LISTED),
    "ListMultipartUploads": _Members(f"{_SHAPES} uploads key-marker upload-id-marker max-uploads"),
    "DeleteObjects": _Members("delete", _BODY),
    "GetObject": _Members(_READS, f"{_CONDITIONS} range x-amz-checksum-mode"),
    "HeadObject": _Members(_READS, f"{_CONDITIONS} range x-amz-checksum-mode"),
    "GetObjectTagging": _Members("tagging versionId"),
    "PutObjectTagging": _Members("tagging versionId", _BODY),
    "DeleteObjectTagging": _Members("tagging versionId"),
    "GetObjectAttributes": _Members(
        "attributes versionId", "x-amz-object-attributes x-amz-max-parts x-amz-part-number-marker"
    ),
    "PutObject": _Members("", f"if-match if-none-match {_WRITES} {_BODY}"),
    "CopyObject": _Members(
        "",
        f"if-match if-none-match {_WRITES} {_SOURCE} x-amz-checksum-algorithm x-amz-metadata-directive"
        " x-amz-tagging-directive x-amz-object-annotation-directive",
    ),
    "DeleteObject": _Members("versionId", "if-match"),
    "CreateMultipartUpload": _Members("uploads", f"{_WRITES} x-amz-checksum-algorithm x-amz-checksum-type"),
    "UploadPart": _Members("uploadId partNumber", _BODY),
    "UploadPartCopy": _Members("uploadId partNumber", f"{_SOURCE} x-amz-copy-source-range"),
    "ListParts": _Members("uploadId max-parts part-number-marker"),
    "CompleteMultipartUpload": _Members(
        "uploadId", f"if-match if-none-match content-md5 x-amz-checksum-type x-amz-mp-object-size {_VALUES}"
    ),
    "AbortMultipartUpload": _Members("uploadId"),
}

_ONLY = {
    # Every bucket has the Object Ownership "bucket owner enforced", which turns ACLs off. s3fs 0.4 sends an empty ACL.
    "x-amz-acl": ("bucket-owner-full-control", ""),
    "x-amz-bucket-object-lock-enabled": ("false",),
    "x-amz-object-ownership": ("BucketOwnerEnforced",),
    "x-amz-bucket-namespace": ("global",),
    # The other classes need a restore before an object can be read.
    "x-amz-storage-class": (
        *("STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR"),
    ),
    "x-amz-server-side-encryption": ("AES256", "aws:kms"),
    "x-amz-server-side-encryption-bucket-key-enabled": ("true", "false"),
    "x-amz-checksum-algorithm": tuple(ALGORITHMS),
    "x-amz-sdk-checksum-algorithm": tuple(ALGORITHMS),
    # The SDK for C++ sends the latter.
    "x-amz-checksum-mode": ("ENABLED", "enabled"),
    "x-amz-request-payer": ("requester",),
    "x-amz-api-version": ("2006-03-01",),
    "x-amz-te": ("append-md5",),
    "x-amz-optional-object-attributes": ("RestoreStatus",),
    "x-amz-metadata-directive": ("COPY", "REPLACE"),
    "x-amz-tagging-directive": ("COPY", "REPLACE"),
    # Objects have no annotations here, so both values have the same effect.
    "x-amz-object-annotation-directive": ("COPY", "EXCLUDE"),
    "list-type": ("2",),
    "encoding-type": ("url",),
}
_ONLY_OF = {"CreateBucket": {"x-amz-acl": ("private",)}}
"""Values by operation; they replace those in ``_ONLY``."""


def find_operation(request: S3Request) -> str:
    """Return the operation's name in S3's model.

    Raises:
        ServiceError: S3 has no such operation.
    """
    resource = _OF_OBJECT if request.key else _OF_BUCKET if request.bucket else _OF_SERVICE
    operations = resource.get(request.method)
    if operations is None:
        raise s3_error("MethodNotAllowed")
    found = next((operation for name, operation in operations.items() if name in request.query), operations.get(""))
    if found is None:
        raise not_implemented(f"POST ?{'&'.join(sorted(request.query))} {_of_what(request)}")
    return _COPIES.get(found, found) if "x-amz-copy-source" in request.headers else found


def check_members(operation: str, request: S3Request) -> None:
    """Refuse members and values that the operation does not accept.

    Raises:
        ServiceError: NotImplemented or InvalidArgument, with the member's name; AccessControlListNotSupported; or
            AccessDenied, the request expects the bucket in another account.
    """
    known = _MEMBERS[operation]
    if unknown := set(request.query) - set(known.query.split()):
        raise not_implemented(f"?{min(unknown)} {_of_what(request)} ({operation})")
    headers = {*known.headers.split(), *_ALWAYS}
    for name in sorted(request.headers):
        if not name.startswith("x-amz-") and _STANDARD.fullmatch(name) is None:
            continue
        if name not in headers and not (name.startswith("x-amz-meta-") and "x-amz-meta-" in headers):
            raise not_implemented(f"{operation} with {name}")
    only = _ONLY | _ONLY_OF.get(operation, {})
    for name, value in {**request.headers, **request.query}.items():
        if name in only and value not in only[name]:
            if name == "x-amz-acl" and operation != "CreateBucket":
                raise s3_error("AccessControlListNotSupported")
            refusal = invalid_argument if name in request.query else not_implemented
            raise refusal(f"{operation} with {name}: {value}")
    check_owner(request)
    if request.query.get("versionId", "null") != "null":
        raise invalid_argument("Invalid version id specified: buckets here have no versions")


def check_owner(request: S3Request) -> None:
    """Refuse a request that expects the bucket in another account.

    Raises:
        ServiceError: AccessDenied.
    """
    for name in ("x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"):
        if request.headers.get(name, ACCOUNT_ID) != ACCOUNT_ID:
            raise s3_error("AccessDenied", f"{name}: the bucket belongs to the account {ACCOUNT_ID}")


def _of_what(request: S3Request) -> str:
    return "of an object" if request.key else "of a bucket"
