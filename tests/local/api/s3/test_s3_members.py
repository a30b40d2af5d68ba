"""Every member of every operation of S3 that the service has is obeyed or checked, or else refused by its name.

``OBEYED`` lists the former; the other tests of S3 show each. A member that a new botocore brings is in neither list,
and must be refused.
"""

import base64
import hashlib

import botocore.session
import pytest

from tests.local.api.s3.raw_s3 import send

MODEL = botocore.session.get_session().get_service_model("s3")
BUCKET = "members"

ALWAYS = "ExpectedBucketOwner RequestPayer"
CONTENT = "CacheControl ContentDisposition ContentEncoding ContentLanguage ContentType Expires Metadata"
STORAGE = "ACL StorageClass ServerSideEncryption SSEKMSKeyId BucketKeyEnabled Tagging WebsiteRedirectLocation"
CHECKSUMS = "ChecksumCRC32 ChecksumCRC32C ChecksumCRC64NVME ChecksumSHA1 ChecksumSHA256 ChecksumSHA512 ChecksumMD5"
READ = (
    "IfMatch IfModifiedSince IfNoneMatch IfUnmodifiedSince Range PartNumber VersionId ChecksumMode"
    " ResponseCacheControl ResponseContentDisposition ResponseContentEncoding ResponseContentLanguage"
    " ResponseContentType ResponseExpires"
)
SOURCE = (
    "CopySource CopySourceIfMatch CopySourceIfModifiedSince CopySourceIfNoneMatch CopySourceIfUnmodifiedSince"
    " ExpectedSourceBucketOwner"
)
LISTED = "Delimiter EncodingType MaxKeys Prefix OptionalObjectAttributes"

# Each with a request that has what the operation needs.
OPERATIONS = {
    "ListBuckets": ("GET", "/", "MaxBuckets ContinuationToken Prefix BucketRegion"),
    "CreateBucket": ("PUT", "/new-one", "ACL ObjectLockEnabledForBucket ObjectOwnership BucketNamespace"),
    "HeadBucket": ("HEAD", "/members", ""),
    "DeleteBucket": ("DELETE", "/members", ""),
    "GetBucketLocation": ("GET", "/members?location", ""),
    "ListObjects": ("GET", "/members", f"{LISTED} Marker"),
    "ListObjectsV2": ("GET", "/members?list-type=2", f"{LISTED} ContinuationToken FetchOwner StartAfter"),
    "ListObjectVersions": ("GET", "/members?versions", f"{LISTED} KeyMarker VersionIdMarker"),
    "GetObject": ("GET", "/members/key", READ),
    "HeadObject": ("HEAD", "/members/key", READ),
    "GetObjectTagging": ("GET", "/members/key?tagging", "VersionId"),
    "PutObjectTagging": ("PUT", "/members/key?tagging", "VersionId ContentMD5 ChecksumAlgorithm"),
    "DeleteObjectTagging": ("DELETE", "/members/key?tagging", "VersionId"),
    "GetObjectAttributes": (
        *("GET", "/members/key?attributes"),
        "VersionId ObjectAttributes MaxParts PartNumberMarker",
    ),
    "PutObject": (
        *("PUT", "/members/key"),
        f"IfMatch IfNoneMatch ContentLength ContentMD5 ChecksumAlgorithm {CONTENT} {STORAGE} {CHECKSUMS}",
    ),
    "CopyObject": (
        *("PUT", "/members/key"),
        f"IfMatch IfNoneMatch MetadataDirective TaggingDirective AnnotationDirective ChecksumAlgorithm"
        f" {CONTENT} {STORAGE} {SOURCE}",
    ),
    "DeleteObject": ("DELETE", "/members/key", "VersionId IfMatch"),
    "DeleteObjects": ("POST", "/members?delete", "ChecksumAlgorithm"),
    "CreateMultipartUpload": ("POST", "/members/key?uploads", f"ChecksumAlgorithm ChecksumType {CONTENT} {STORAGE}"),
    "UploadPart": (
        *("PUT", "/members/key?uploadId=x&partNumber=1"),
        f"ContentLength ContentMD5 ChecksumAlgorithm PartNumber UploadId {CHECKSUMS}",
    ),
    "UploadPartCopy": (
        *("PUT", "/members/key?uploadId=x&partNumber=1"),
        f"CopySourceRange PartNumber UploadId {SOURCE}",
    ),
    "ListParts": ("GET", "/members/key?uploadId=x", "MaxParts PartNumberMarker UploadId"),
    "ListMultipartUploads": (
        *("GET", "/members?uploads"),
        "Delimiter EncodingType KeyMarker MaxUploads Prefix UploadIdMarker",
    ),
    "CompleteMultipartUpload": (
        *("POST", "/members/key?uploadId=x"),
        f"IfMatch IfNoneMatch ChecksumType MpuObjectSize UploadId {CHECKSUMS}",
    ),
    "AbortMultipartUpload": ("DELETE", "/members/key?uploadId=x", "UploadId"),
}

# Of members that are obeyed for some values only.
VALUES = {
    "x-amz-object-ownership": {"BucketOwnerEnforced"},
    "x-amz-bucket-namespace": {"global"},
    "x-amz-storage-class": {
        *("STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "REDUCED_REDUNDANCY", "GLACIER_IR"),
    },
    "x-amz-server-side-encryption": {"AES256", "aws:kms"},
    "x-amz-checksum-algorithm": {"CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256", "SHA512", "MD5"},
    "x-amz-sdk-checksum-algorithm": {"CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256", "SHA512", "MD5"},
}
# The only canned ACL that each operation accepts.
ACLS = {
    "CreateBucket": "private",
    "PutObject": "bucket-owner-full-control",
    "CopyObject": "bucket-owner-full-control",
    "CreateMultipartUpload": "bucket-owner-full-control",
}


@pytest.fixture(scope="module", autouse=True)
def _bucket(service) -> None:
    s3 = service.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="key", Body=b"content")


def members(operation):
    """The members beside the path and the body, each with where it goes and its name there."""
    shape = MODEL.operation_model(operation).input_shape
    assert shape is not None
    for name, member in shape.members.items():
        where = member.serialization.get("location")
        if where not in (None, "uri"):
            yield name, where, member.serialization["name"], getattr(member, "enum", [])


REFUSED = [
    (operation, where, name)
    for operation, (_, _, obeyed) in OPERATIONS.items()
    for member, where, name, _ in members(operation)
    if member not in {*obeyed.split(), *ALWAYS.split()}
]
VALUED = [
    (operation, name, value)
    for operation, (_, _, obeyed) in OPERATIONS.items()
    for member, _, name, values in members(operation)
    if member in obeyed.split()
    for value in values
    if name in VALUES and value not in VALUES[name]
]
REFUSED_ACLS = [
    (operation, value)
    for operation, accepted in ACLS.items()
    for _, _, name, values in members(operation)
    if name == "x-amz-acl"
    for value in sorted({"private", "bucket-owner-full-control", *values} - {accepted})
]


def refused(service, operation, where, name, value="1") -> None:
    method, path, _ = OPERATIONS[operation]
    headers = {"x-amz-copy-source": "members/key"} if "Copy" in operation else {}
    if where == "querystring":
        path += f"{'&' if '?' in path else '?'}{name}={value}"
    else:
        headers[name] = value
    answer = send(service, method, path, headers=headers)
    assert answer.status == 501, answer.body
    if method != "HEAD":
        assert b"<Code>NotImplemented</Code>" in answer.body
        assert name.lower() in answer.body.decode().lower() or value in answer.body.decode()


@pytest.mark.parametrize(("operation", "where", "name"), REFUSED)
def test_a_member_that_is_not_obeyed_is_refused_by_its_name(service, operation, where, name) -> None:
    refused(service, operation, where, name)


@pytest.mark.parametrize(("operation", "name", "value"), VALUED)
def test_a_value_that_is_not_obeyed_is_refused(service, operation, name, value) -> None:
    refused(service, operation, "header", name, value)


@pytest.mark.parametrize(("operation", "value"), REFUSED_ACLS)
def test_an_acl_that_the_bucket_does_not_allow_is_refused(service, operation, value) -> None:
    if operation == "CreateBucket":
        refused(service, operation, "header", "x-amz-acl", value)
        return
    method, path, _ = OPERATIONS[operation]
    headers = {"x-amz-acl": value, **({"x-amz-copy-source": "members/key"} if operation == "CopyObject" else {})}
    answer = send(service, method, path, headers=headers)
    assert answer.status == 400
    assert b"<Code>AccessControlListNotSupported</Code><Message>The bucket does not allow ACLs" in answer.body


@pytest.mark.parametrize(("operation", "accepted"), ACLS.items())
def test_an_acl_that_the_bucket_allows_is_accepted(service, operation, accepted) -> None:
    method, _, _ = OPERATIONS[operation]
    path = "/with-acl" if operation == "CreateBucket" else "/members/with-acl"
    headers = {"x-amz-acl": accepted, **({"x-amz-copy-source": "members/key"} if operation == "CopyObject" else {})}
    uploads = "?uploads" if operation == "CreateMultipartUpload" else ""
    assert send(service, method, f"{path}{uploads}", headers=headers).status == 200


@pytest.mark.parametrize("member", MODEL.shape_for("CreateBucketConfiguration").members)  # type: ignore[attr-defined]
def test_members_of_a_buckets_configuration_are_obeyed_or_refused(service, member) -> None:
    if member != "LocationConstraint":
        body = f"<CreateBucketConfiguration><{member}>x</{member}></CreateBucketConfiguration>".encode()
        answer = send(service, "PUT", "/configured", body)
        assert answer.status == 501
        assert member.encode() in answer.body


@pytest.mark.parametrize("member", MODEL.shape_for("ObjectIdentifier").members)  # type: ignore[attr-defined]
def test_members_of_an_object_to_delete_are_obeyed_or_refused(service, member) -> None:
    if member not in ("Key", "VersionId", "ETag"):
        body = f"<Delete><Object><Key>key</Key><{member}>1</{member}></Object></Delete>".encode()
        digest = base64.b64encode(hashlib.md5(body).digest()).decode()
        answer = send(service, "POST", f"/{BUCKET}?delete", body, headers={"Content-MD5": digest})
        assert (
            f"<Code>NotImplemented</Code><Message>not implemented by the local service: s3:DeleteObjects with {member}"
            in (answer.body.decode())
        )
        service.client("s3").head_object(Bucket=BUCKET, Key="key")


@pytest.mark.parametrize("member", MODEL.shape_for("CompletedPart").members)  # type: ignore[attr-defined]
def test_members_of_a_part_are_obeyed_or_refused(service, member) -> None:
    s3 = service.client("s3")
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="parts")["UploadId"]
    etag = s3.upload_part(Bucket=BUCKET, Key="parts", UploadId=upload, PartNumber=1, Body=b"1")["ETag"]
    if member not in ("PartNumber", "ETag", *CHECKSUMS.split()):
        body = (
            f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag><{member}>1</{member}>"
            "</Part></CompleteMultipartUpload>"
        )
        answer = send(service, "POST", f"/{BUCKET}/parts?uploadId={upload}", body.encode())
        assert answer.status == 501
        assert member.removeprefix("Checksum").encode() in answer.body


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_said_to_be_obeyed_is_in_the_model(operation) -> None:
    known = {member for member, *_ in members(operation)}
    assert set(OPERATIONS[operation][2].split()) <= known


@pytest.mark.parametrize("operation", OPERATIONS)
def test_members_of_every_operation_are_checked(service, operation) -> None:
    method, path, _ = OPERATIONS[operation]
    headers = {"x-amz-copy-source": "members/key"} if "Copy" in operation else {}
    strange = send(service, method, path, headers={**headers, "x-amz-strange": "1"})
    assert strange.status == 501
    strange = send(service, method, f"{path}{'&' if '?' in path else '?'}strange", headers=headers)
    assert strange.status == 501
    other = send(service, method, path, headers={**headers, "x-amz-expected-bucket-owner": "999999999999"})
    assert other.status == 403


# Paths are read before the first request: botocore removes the bucket from the paths of a model that a client uses, and
# the tests' clients share one model.
OTHERS = [
    (MODEL.operation_model(name).http["method"], MODEL.operation_model(name).http["requestUri"])
    for name in MODEL.operation_names
    if name not in OPERATIONS and "{Key+}" in MODEL.operation_model(name).http["requestUri"]
]


@pytest.mark.parametrize(("method", "path"), OTHERS)
def test_other_operations_on_objects_are_refused(service, method, path) -> None:
    path = path.replace("{Bucket}", BUCKET).replace("{Key+}", "key")
    answer = send(service, method, path)
    assert answer.status == 501
    assert b"<Code>NotImplemented</Code>" in answer.body


SETTINGS = "acl cors encryption lifecycle logging notification ownershipControls policy policyStatus publicAccessBlock"


@pytest.mark.parametrize(
    "operation",
    [
        name
        for name in MODEL.operation_names
        if name not in OPERATIONS and MODEL.operation_model(name).http["requestUri"].startswith("/{Bucket}?")
    ],
)
def test_other_operations_on_buckets_are_kept_by_moto_or_refused(service, operation) -> None:
    http = MODEL.operation_model(operation).http
    setting = http["requestUri"].partition("?")[2]
    answer = send(service, http["method"], f"/{BUCKET}?{setting}")
    is_kept = setting in {*SETTINGS.split(), "tagging"} and operation != "DeleteBucketOwnershipControls"
    if is_kept or (
        http["method"] == "GET"
        and setting in ("accelerate", "object-lock", "replication", "requestPayment", "versioning", "website")
    ):
        assert answer.status != 501
    else:
        assert answer.status == 501
        assert setting.encode() in answer.body
