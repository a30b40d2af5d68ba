"""Reading, writing, copying and removing objects as S3 does."""

import base64
import hashlib
import json
import os
import re
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.local.api.s3.raw_s3 import send

CONTENT = b"0123456789"


@pytest.fixture(scope="module")
def s3(service):
    return service.client("s3")


@pytest.fixture
def bucket(s3, request):
    name = f"objects-{abs(hash(request.node.name))}"[:40]
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="digits", Body=CONTENT)
    return name


def code_of(refusal):
    return refusal.value.response["Error"]["Code"], refusal.value.response["ResponseMetadata"]["HTTPStatusCode"]


def test_everything_that_is_said_of_an_object_is_given_back(s3, bucket) -> None:
    said = {
        "CacheControl": "max-age=5",
        "ContentDisposition": "attachment",
        "ContentEncoding": "gzip",
        "ContentLanguage": "de",
        "ContentType": "text/x",
        "Expires": datetime(2030, 1, 2, tzinfo=UTC),
        "Metadata": {"a": "1", "b-c": "é"[:0] + "2"},
        "StorageClass": "STANDARD_IA",
        "ServerSideEncryption": "aws:kms",
        "SSEKMSKeyId": "1234",
        "BucketKeyEnabled": True,
    }
    put = s3.put_object(Bucket=bucket, Key="said", Body=b"x", **said, ACL="bucket-owner-full-control")
    said["SSEKMSKeyId"] = "arn:aws:kms:us-east-1:123456789012:key/1234"
    for answer in (s3.head_object(Bucket=bucket, Key="said"), s3.get_object(Bucket=bucket, Key="said")):
        assert {name: answer[name] for name in said} == said
    encryption = ("ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled")
    assert {name: put[name] for name in encryption} == {name: said[name] for name in encryption}
    listed = {item["Key"]: item["StorageClass"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]}
    assert listed == {"digits": "STANDARD", "said": "STANDARD_IA"}


def test_an_object_of_which_nothing_is_said_has_s3s_defaults(s3, bucket, service) -> None:
    (service.settings.buckets / bucket / "of-a-job").write_bytes(CONTENT)
    for key in ("digits", "of-a-job"):
        head = s3.head_object(Bucket=bucket, Key=key)
        assert (head["ContentType"], head["ServerSideEncryption"]) == ("binary/octet-stream", "AES256")
        assert (head["AcceptRanges"], "StorageClass" in head, head["Metadata"]) == ("bytes", False, {})
    assert s3.head_object(Bucket=bucket, Key="digits")["ETag"] == f'"{hashlib.md5(CONTENT).hexdigest()}"'


def test_a_key_of_kms_wants_the_encryption_of_kms(s3, bucket) -> None:
    with pytest.raises(ClientError, match="requires HTTP header x-amz-server-side-encryption : aws:kms"):
        s3.put_object(Bucket=bucket, Key="key", Body=b"", SSEKMSKeyId="1234")


def test_metadata_has_two_kilobytes(s3, bucket) -> None:
    s3.put_object(Bucket=bucket, Key="fits", Metadata={"abcd": "x" * 2044})
    with pytest.raises(ClientError, match="MetadataTooLarge"):
        s3.put_object(Bucket=bucket, Key="not", Metadata={"abcde": "x" * 2044})


def test_a_sidecar_of_an_earlier_version_is_read(service, s3, bucket) -> None:
    folder = service.settings.buckets / bucket
    (folder / "old").write_bytes(b"old")
    os.utime(folder / "old", ns=(1_700_000_000_123_456_000,) * 2)
    noted = {
        "etag": '"149603e6c03516362a8da23f624db945"',
        "size": 3,
        "last_modified": "2023-11-14T22:13:20.123456+00:00",
        "content_type": "text/plain",
        "user_metadata": {"x-amz-meta-made-by": "me"},
        "storage_class": "STANDARD",
        "content_encoding": None,
        "content_disposition": None,
        "cache_control": "no-store",
    }
    (folder / ".nanio-meta" / "old.json").write_text(json.dumps(noted))
    head = s3.head_object(Bucket=bucket, Key="old")
    assert (head["ETag"], head["ContentType"], head["Metadata"]) == (noted["etag"], "text/plain", {"made-by": "me"})
    assert (head["CacheControl"], head["ContentLength"]) == ("no-store", 3)


@pytest.mark.parametrize("noted", [b"", b"[]", b"{}", b'{"etag": 1, "size": 10}', b"\xff", b'{"previous": 5}'])
def test_a_broken_sidecar_does_not_count(service, s3, bucket, noted) -> None:
    (service.settings.buckets / bucket / ".nanio-meta" / "digits.json").write_bytes(noted)
    assert s3.get_object(Bucket=bucket, Key="digits")["Body"].read() == CONTENT
    assert s3.head_object(Bucket=bucket, Key="digits")["ETag"].endswith('-1"')


def test_what_was_known_counts_again_if_the_new_file_never_got_into_place(service, s3, bucket) -> None:
    folder = service.settings.buckets / bucket
    before = s3.put_object(Bucket=bucket, Key="digits", Body=b"before", Metadata={"turn": "1"})
    shutil.copy2(folder / "digits", folder / "kept")
    s3.put_object(Bucket=bucket, Key="digits", Body=b"after", Metadata={"turn": "2"})
    # As after a kill between the sidecar and the file.
    (folder / "kept").replace(folder / "digits")
    head = s3.head_object(Bucket=bucket, Key="digits")
    assert (head["ETag"], head["Metadata"]) == (before["ETag"], {"turn": "1"})


EARLIER, LATER = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) + timedelta(days=1)
MINE, OTHER = f'"{hashlib.md5(CONTENT).hexdigest()}"', '"0123456789abcdef0123456789abcdef"'


@pytest.mark.parametrize(
    ("conditions", "status"),
    [
        ({"IfMatch": MINE}, 200),
        ({"IfMatch": MINE.strip('"')}, 200),
        ({"IfMatch": f"{OTHER}, {MINE}"}, 200),
        ({"IfMatch": "*"}, 200),
        ({"IfMatch": OTHER}, 412),
        ({"IfUnmodifiedSince": LATER}, 200),
        ({"IfUnmodifiedSince": EARLIER}, 412),
        ({"IfMatch": MINE, "IfUnmodifiedSince": EARLIER}, 200),
        ({"IfMatch": OTHER, "IfUnmodifiedSince": LATER}, 412),
        ({"IfNoneMatch": OTHER}, 200),
        ({"IfNoneMatch": MINE}, 304),
        ({"IfNoneMatch": "*"}, 304),
        ({"IfModifiedSince": EARLIER}, 200),
        ({"IfModifiedSince": LATER}, 304),
        ({"IfNoneMatch": MINE, "IfModifiedSince": EARLIER}, 304),
        ({"IfNoneMatch": OTHER, "IfModifiedSince": LATER}, 200),
        ({"IfMatch": OTHER, "IfNoneMatch": MINE}, 412),
    ],
)
@pytest.mark.parametrize("operation", ["get_object", "head_object"])
def test_conditions_of_readers(s3, bucket, operation, conditions, status) -> None:
    if status == 200:
        assert getattr(s3, operation)(Bucket=bucket, Key="digits", **conditions)["ContentLength"] == 10
        return
    with pytest.raises(ClientError) as refusal:
        getattr(s3, operation)(Bucket=bucket, Key="digits", **conditions)
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    if status == 304:
        assert refusal.value.response["ResponseMetadata"]["HTTPHeaders"]["etag"] == MINE


def test_the_very_time_of_an_object_is_not_after_it(s3, bucket) -> None:
    modified = s3.head_object(Bucket=bucket, Key="digits")["LastModified"]
    s3.get_object(Bucket=bucket, Key="digits", IfUnmodifiedSince=modified)
    with pytest.raises(ClientError, match="304"):
        s3.get_object(Bucket=bucket, Key="digits", IfModifiedSince=modified)


def test_a_time_that_is_none_is_refused(service, bucket) -> None:
    answer = send(service, "GET", f"/{bucket}/digits", headers={"If-Modified-Since": "yesterday"})
    assert (answer.status, b"yesterday" in answer.body) == (400, True)


@pytest.mark.parametrize(
    ("wanted", "content", "shown"),
    [
        ("bytes=0-0", b"0", "bytes 0-0/10"),
        ("bytes=9-9", b"9", "bytes 9-9/10"),
        ("bytes=-20", CONTENT, "bytes 0-9/10"),
        ("bytes=0-", CONTENT, "bytes 0-9/10"),
    ],
)
def test_ranges_at_the_edges(s3, bucket, wanted, content, shown) -> None:
    answer = s3.get_object(Bucket=bucket, Key="digits", Range=wanted)
    assert (answer["Body"].read(), answer["ContentRange"], answer["ContentLength"]) == (content, shown, len(content))
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206
    head = s3.head_object(Bucket=bucket, Key="digits", Range=wanted)
    assert (head["ContentRange"], head["ContentLength"]) == (shown, len(content))


@pytest.mark.parametrize(
    "wanted",
    ["bytes=10-", "bytes=10-12", "bytes=-0"],
)
def test_a_range_without_a_byte_of_the_object_is_refused(service, bucket, wanted) -> None:
    for method in ("GET", "HEAD"):
        answer = send(service, method, f"/{bucket}/digits", headers={"Range": wanted})
        assert (answer.status, answer.headers["content-range"]) == (416, "bytes */10")
        if method == "GET":
            shown = f"<Code>InvalidRange</Code>.*<RangeRequested>{wanted}</RangeRequested><ActualObjectSize>10</"
            assert re.search(shown, answer.body.decode())


@pytest.mark.parametrize("wanted", ["bytes=5-2", "bytes=a-b", "lines=1-2", "bytes=0-1,3-4", "bytes=", "bytes=1"])
def test_a_range_that_s3_does_not_know_is_ignored(service, bucket, wanted) -> None:
    whole = send(service, "GET", f"/{bucket}/digits", headers={"Range": wanted})
    assert (whole.status, whole.body, "content-range" in whole.headers) == (200, CONTENT, False)
    head = send(service, "HEAD", f"/{bucket}/digits", headers={"Range": wanted})
    assert (head.status, head.headers["content-length"]) == (200, "10")


def test_an_empty_object_has_no_range(s3, bucket) -> None:
    s3.put_object(Bucket=bucket, Key="empty")
    assert s3.get_object(Bucket=bucket, Key="empty")["Body"].read() == b""
    for wanted in ("bytes=0-", "bytes=-1"):
        with pytest.raises(ClientError, match="InvalidRange"):
            s3.get_object(Bucket=bucket, Key="empty", Range=wanted)


def test_a_reader_may_have_other_headers(s3, bucket) -> None:
    wanted = {
        "ResponseCacheControl": "no-store",
        "ResponseContentDisposition": 'attachment; filename="x"',
        "ResponseContentEncoding": "identity",
        "ResponseContentLanguage": "fr",
        "ResponseContentType": "text/y",
        "ResponseExpires": datetime(2031, 1, 2, tzinfo=UTC),
    }
    for read in (s3.get_object, s3.head_object):
        answer = read(Bucket=bucket, Key="digits", **wanted)
        assert {name: answer[name.removeprefix("Response")] for name in wanted} == wanted


def test_a_reader_cannot_put_headers_of_any_kind_into_an_answer(service, bucket) -> None:
    for query in (
        "response-content-type=a%0D%0AX-Evil%3A1",
        "response-content-type=%E2%82%AC",
        "x-amz-meta-a=%0D%0AX%3A1",
    ):
        answer = send(service, "GET", f"/{bucket}/digits?{query}")
        assert answer.status == 400
        assert "x-evil" not in answer.headers


def test_an_object_has_one_part_unless_it_was_uploaded_in_several(s3, bucket) -> None:
    answer = s3.get_object(Bucket=bucket, Key="digits", PartNumber=1)
    assert (answer["Body"].read(), "PartsCount" in answer) == (CONTENT, False)
    with pytest.raises(ClientError) as refusal:
        s3.get_object(Bucket=bucket, Key="digits", PartNumber=2)
    assert code_of(refusal) == ("InvalidPartNumber", 416)
    with pytest.raises(ClientError, match="Cannot specify both"):
        s3.get_object(Bucket=bucket, Key="digits", PartNumber=1, Range="bytes=0-1")


def test_the_version_of_an_object_is_null(s3, bucket) -> None:
    assert s3.get_object(Bucket=bucket, Key="digits", VersionId="null")["Body"].read() == CONTENT
    with pytest.raises(ClientError, match="Invalid version id"):
        s3.get_object(Bucket=bucket, Key="digits", VersionId="1")
    with pytest.raises(ClientError, match="Invalid version id"):
        s3.delete_object(Bucket=bucket, Key="digits", VersionId="1")
    assert s3.get_object_tagging(Bucket=bucket, Key="digits")["TagSet"] == []


def test_conditions_of_writers(s3, bucket) -> None:
    with pytest.raises(ClientError) as refusal:
        s3.put_object(Bucket=bucket, Key="digits", Body=b"", IfMatch=OTHER)
    assert code_of(refusal) == ("PreconditionFailed", 412)
    with pytest.raises(ClientError) as refusal:
        s3.put_object(Bucket=bucket, Key="missing", Body=b"", IfMatch=OTHER)
    assert code_of(refusal) == ("NoSuchKey", 404)
    with pytest.raises(ClientError, match="NotImplemented"):
        s3.put_object(Bucket=bucket, Key="digits", Body=b"", IfNoneMatch=OTHER)
    s3.put_object(Bucket=bucket, Key="digits", Body=b"second", IfMatch=MINE)
    assert s3.get_object(Bucket=bucket, Key="digits")["Body"].read() == b"second"
    with pytest.raises(ClientError) as refusal:
        s3.delete_object(Bucket=bucket, Key="digits", IfMatch=MINE)
    assert code_of(refusal) == ("PreconditionFailed", 412)
    s3.delete_object(Bucket=bucket, Key="digits", IfMatch="*")


def test_of_many_that_want_to_write_first_one_does(service, bucket) -> None:
    s3 = service.client("s3", max_pool_connections=10)

    def write(number):
        try:
            s3.put_object(Bucket=bucket, Key="first", Body=b"%d" % number * 200_000, IfNoneMatch="*")
        except ClientError as error:
            return error.response["Error"]["Code"]
        return number

    with ThreadPoolExecutor(10) as clients:
        outcomes = list(clients.map(write, range(10)))
    [winner] = [outcome for outcome in outcomes if outcome != "PreconditionFailed"]
    assert s3.get_object(Bucket=bucket, Key="first")["Body"].read() == b"%d" % winner * 200_000


def test_two_writers_of_a_key_leave_one_whole_object_with_its_own_metadata(service, bucket) -> None:
    s3 = service.client("s3", max_pool_connections=20)
    seen, ended = [], threading.Event()

    def write(number) -> None:
        for _ in range(5):
            s3.put_object(Bucket=bucket, Key="both", Body=b"%d" % number * 100_000, Metadata={"by": str(number)})

    def read() -> None:
        while not ended.is_set():
            answer = s3.get_object(Bucket=bucket, Key="both")
            seen.append((answer["Metadata"].get("by"), answer["ETag"].strip('"'), answer["Body"].read()))

    write(1)
    reader = threading.Thread(target=read)
    reader.start()
    with ThreadPoolExecutor(4) as writers:
        list(writers.map(write, [1, 2, 3, 4]))
    ended.set()
    reader.join()
    assert seen
    for by, etag, content in seen:
        assert len(set(content)) == 1
        assert len(content) == 100_000
        # A reader that opens a file just before it is replaced may find its sidecar gone, but never another's.
        assert by is None or (content[:1].decode(), hashlib.md5(content).hexdigest()) == (by, etag)


def test_copies_have_conditions_on_their_source(s3, bucket) -> None:
    source = {"Bucket": bucket, "Key": "digits"}
    for fails in (
        {"CopySourceIfMatch": OTHER},
        {"CopySourceIfNoneMatch": MINE},
        {"CopySourceIfModifiedSince": LATER},
        {"CopySourceIfUnmodifiedSince": EARLIER},
    ):
        with pytest.raises(ClientError) as refusal:
            s3.copy_object(Bucket=bucket, Key="copy", CopySource=source, **fails)
        assert code_of(refusal) == ("PreconditionFailed", 412)
    s3.copy_object(
        **{"Bucket": bucket, "Key": "copy", "CopySource": source},
        **{
            "CopySourceIfMatch": MINE,
            "CopySourceIfUnmodifiedSince": EARLIER,
            "ExpectedSourceBucketOwner": "123456789012",
        },
    )
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.copy_object(Bucket=bucket, Key="copy", CopySource=source, ExpectedSourceBucketOwner="999999999999")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.copy_object(Bucket=bucket, Key="copy", CopySource=source, IfNoneMatch="*")
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "missing"})


def test_a_copy_keeps_the_metadata_and_not_the_storage(s3, bucket) -> None:
    said = {"ContentType": "text/x", "Metadata": {"a": "1"}, "CacheControl": "no-store"}
    s3.put_object(
        Bucket=bucket, Key="from", Body=b"x", **said, StorageClass="STANDARD_IA", ServerSideEncryption="aws:kms"
    )
    source = {"Bucket": bucket, "Key": "from"}
    copied = s3.copy_object(
        Bucket=bucket, Key="to", CopySource=source, TaggingDirective="REPLACE", AnnotationDirective="COPY"
    )
    head = s3.head_object(Bucket=bucket, Key="to")
    assert {name: head[name] for name in said} == said
    assert ("StorageClass" in head, head["ServerSideEncryption"]) == (False, "AES256")
    assert copied["CopyObjectResult"]["ETag"] == head["ETag"] == f'"{hashlib.md5(b"x").hexdigest()}"'
    # A copy onto itself is one if it changes the storage.
    s3.copy_object(Bucket=bucket, Key="to", CopySource={"Bucket": bucket, "Key": "to"}, StorageClass="ONEZONE_IA")
    head = s3.head_object(Bucket=bucket, Key="to")
    assert (head["StorageClass"], head["Metadata"]) == ("ONEZONE_IA", {"a": "1"})


def test_metadata_of_a_copy_count_with_the_directive_only(s3, bucket) -> None:
    s3.put_object(Bucket=bucket, Key="from", Body=b"x", ContentType="text/x", Metadata={"a": "1"})
    new = {"CopySource": {"Bucket": bucket, "Key": "from"}, "ContentType": "text/y", "Metadata": {"b": "2"}}
    for directive, kept in (("COPY", ("text/x", {"a": "1"})), ("REPLACE", ("text/y", {"b": "2"}))):
        s3.copy_object(Bucket=bucket, Key="to", MetadataDirective=directive, **new)
        head = s3.head_object(Bucket=bucket, Key="to")
        assert (head["ContentType"], head["Metadata"]) == kept


def test_a_copys_source_may_have_any_name(s3, bucket) -> None:
    for key in ("a b+c%20?x=é", "what?versionId=1"):
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
        s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": key})
        assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == key.encode()


def test_many_are_deleted_with_an_answer_for_each(s3, bucket) -> None:
    for key in ("a", "b", "c"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    wanted = [
        {"Key": "a"},
        {"Key": "missing"},
        {"Key": "b", "ETag": OTHER},
        {"Key": "c", "VersionId": "1"},
        {"Key": "../strange"},
    ]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": wanted})
    assert [done["Key"] for done in answer["Deleted"]] == ["a", "missing"]
    assert [(failed["Key"], failed["Code"]) for failed in answer["Errors"]] == [
        *(("b", "PreconditionFailed"), ("c", "NoSuchVersion"), ("../strange", "InvalidURI")),
    ]
    quiet = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "b"}, {"Key": "../x"}], "Quiet": True})
    assert ("Deleted" in quiet, [failed["Key"] for failed in quiet["Errors"]]) == (False, ["../x"])
    assert [item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["c", "digits"]


def test_a_thousand_are_deleted_at_once_and_no_more(service, s3, bucket) -> None:
    folder = service.settings.buckets / bucket
    for number in range(1001):
        (folder / f"key-{number}").write_bytes(b"")
    objects = [{"Key": f"key-{number}"} for number in range(1001)]
    with pytest.raises(ClientError, match="MalformedXML"):
        s3.delete_objects(Bucket=bucket, Delete={"Objects": objects})
    assert len(s3.delete_objects(Bucket=bucket, Delete={"Objects": objects[:1000]})["Deleted"]) == 1000
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 2


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"<Delete>", b"<Delete/>", b"<Other><Object><Key>digits</Key></Object></Other>", b"\xff"),
        b"<Delete><Object><Key>digits</Key></Object><Strange/></Delete>",
        b'<!DOCTYPE d [<!ENTITY e "digits">]><Delete><Object><Key>&e;</Key></Object></Delete>',
        '<?xml version="1.0" encoding="UTF-16"?><Delete/>'.encode("utf-16"),
    ],
)
def test_xml_that_is_none_is_refused(service, s3, bucket, body) -> None:
    digest = base64.b64encode(hashlib.md5(body).digest()).decode()
    answer = send(service, "POST", f"/{bucket}?delete", body, headers={"Content-MD5": digest})
    assert (answer.status, b"MalformedXML" in answer.body) == (400, True)
    s3.head_object(Bucket=bucket, Key="digits")


def test_the_deletion_of_many_wants_a_digest(service, bucket) -> None:
    answer = send(service, "POST", f"/{bucket}?delete", b"<Delete><Object><Key>digits</Key></Object></Delete>")
    assert (answer.status, b"Missing required header" in answer.body) == (400, True)


def test_a_presigned_urls_headers_may_be_in_its_query(service, bucket) -> None:
    path = f"/{bucket}/hoisted?x-amz-meta-a=1&x-amz-storage-class=STANDARD_IA"
    assert send(service, "PUT", path, b"x").status == 200
    head = service.client("s3").head_object(Bucket=bucket, Key="hoisted")
    assert (head["Metadata"], head["StorageClass"]) == ({"a": "1"}, "STANDARD_IA")
    assert send(service, "PUT", f"/{bucket}/hoisted?x-amz-grant-read=a", b"x").status == 501


def test_a_bucket_may_be_in_the_host_name(service, bucket) -> None:
    url = service.settings.endpoint_url.replace("127.0.0.1", "localhost")
    session = boto3.Session("local", service.settings.secret_key, region_name="us-east-1")
    s3 = session.client("s3", endpoint_url=url)
    url = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "digits"})
    assert bucket in url
    answer = send(service, "GET", "/digits", headers={"Host": f"{bucket}.localhost:{service.settings.port}"})
    assert (answer.status, answer.body) == (200, CONTENT)
