"""Multipart uploads as S3 has them."""

import base64
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError

from local.app.server import LocalService
from local.core.settings import Settings
from tests.local.api.s3.raw_s3 import send
from tests.local.conftest import RunningService

SMALLEST = 5 * 1024 * 1024
FIRST, LAST = b"a" * SMALLEST, b"b" * 1000
BUCKET, KEY = "multipart", "folder/key"


@pytest.fixture(scope="module")
def s3(service):
    service.client("s3").create_bucket(Bucket=BUCKET)
    return service.client("s3")


@pytest.fixture
def at(s3):
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key=KEY)["UploadId"]
    yield {"Bucket": BUCKET, "Key": KEY, "UploadId": upload}
    if upload in [each["UploadId"] for each in s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])]:
        s3.abort_multipart_upload(Bucket=BUCKET, Key=KEY, UploadId=upload)


def part(s3, at, number, content):
    return {"PartNumber": number, "ETag": s3.upload_part(**at, PartNumber=number, Body=content)["ETag"]}


def complete(s3, at, *parts, **how):
    return s3.complete_multipart_upload(**at, MultipartUpload={"Parts": list(parts)}, **how)


def test_an_upload_becomes_an_object_with_what_was_said_at_its_begin(service, s3) -> None:
    said = {
        "ContentType": "text/x",
        "Metadata": {"a": "1"},
        "StorageClass": "STANDARD_IA",
        "ServerSideEncryption": "aws:kms",
        "SSEKMSKeyId": "arn:aws:kms:us-east-1:123456789012:key/1",
        "BucketKeyEnabled": True,
    }
    begun = s3.create_multipart_upload(Bucket=BUCKET, Key="said", **said)
    assert begun["SSEKMSKeyId"] == said["SSEKMSKeyId"]
    at = {"Bucket": BUCKET, "Key": "said", "UploadId": begun["UploadId"]}
    parts = [part(s3, at, 2, FIRST), part(s3, at, 7, LAST)]
    done = complete(s3, at, *parts, MpuObjectSize=SMALLEST + 1000, IfNoneMatch="*")
    digests = b"".join(hashlib.md5(content).digest() for content in (FIRST, LAST))
    assert done["ETag"] == f'"{hashlib.md5(digests).hexdigest()}-2"'
    assert done["ServerSideEncryption"] == "aws:kms"
    assert done["Location"].endswith("/multipart/said")
    head = s3.head_object(Bucket=BUCKET, Key="said")
    assert {name: head[name] for name in said} == said
    for number, content in ((1, FIRST), (2, LAST)):
        got = s3.get_object(Bucket=BUCKET, Key="said", PartNumber=number)
        assert (got["PartsCount"], got["Body"].read()) == (2, content)
    with pytest.raises(ClientError, match="InvalidPartNumber"):
        s3.get_object(Bucket=BUCKET, Key="said", PartNumber=3)
    assert list((service.settings.buckets / ".nanio" / "multipart").iterdir()) == []
    with pytest.raises(ClientError, match="NoSuchUpload"):
        s3.list_parts(**at)


def test_a_part_that_comes_again_replaces_the_first(s3, at) -> None:
    part(s3, at, 1, b"first")
    again = part(s3, at, 1, b"second")
    [listed] = s3.list_parts(**at)["Parts"]
    assert (listed["ETag"], listed["Size"]) == (again["ETag"], 6)
    complete(s3, at, again)
    assert s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read() == b"second"


def test_writers_of_one_part_leave_one(service, s3, at) -> None:
    client = service.client("s3", max_pool_connections=8)
    with ThreadPoolExecutor(8) as clients:
        parts = list(clients.map(lambda n: part(client, at, 1, b"%d" % n * 300_000), range(8)))
    [listed] = s3.list_parts(**at)["Parts"]
    assert (listed["Size"], listed["ETag"] in {each["ETag"] for each in parts}) == (300_000, True)


def test_parts_are_listed_in_pages(s3, at) -> None:
    for number in (3, 1, 10_000):
        part(s3, at, number, b"x")
    pages = list(s3.get_paginator("list_parts").paginate(**at, PaginationConfig={"PageSize": 2}))
    assert [[each["PartNumber"] for each in page["Parts"]] for page in pages] == [[1, 3], [10_000]]
    answer = s3.list_parts(**at, PartNumberMarker=1, MaxParts=1)
    assert (answer["Parts"][0]["PartNumber"], answer["NextPartNumberMarker"], answer["IsTruncated"]) == (3, 3, True)
    assert (answer["StorageClass"], answer["Owner"]) == ("STANDARD", answer["Initiator"])


def test_all_parts_but_the_last_have_five_megabytes(s3, at) -> None:
    small, large = part(s3, at, 1, FIRST[1:]), part(s3, at, 2, FIRST)
    with pytest.raises(ClientError, match="EntityTooSmall"):
        complete(s3, at, small, large)
    complete(s3, at, large)


def test_parts_are_named_in_order_and_as_they_are(s3, at) -> None:
    first, last = part(s3, at, 1, FIRST), part(s3, at, 2, LAST)
    for wrong, code in (
        ([last, first], "InvalidPartOrder"),
        ([first, first], "InvalidPartOrder"),
        ([first, last | {"ETag": first["ETag"]}], "InvalidPart"),
        ([first, last | {"PartNumber": 3}], "InvalidPart"),
    ):
        with pytest.raises(ClientError, match=code):
            complete(s3, at, *wrong)
    with pytest.raises(ClientError, match="x-amz-mp-object-size"):
        complete(s3, at, first, last, MpuObjectSize=1)
    complete(s3, at, first, last)


@pytest.mark.parametrize(
    "body", [b"", b"<CompleteMultipartUpload/>", b"<CompleteMultipartUpload><Part/></CompleteMultipartUpload>"]
)
def test_a_completion_that_is_none_is_refused(service, at, body) -> None:
    answer = send(service, "POST", f"/{BUCKET}/{KEY}?uploadId={at['UploadId']}", body)
    assert (answer.status, b"MalformedXML" in answer.body) == (400, True)


@pytest.mark.parametrize("number", ["0", "10001", "x", "", "²"])
def test_a_parts_number_is_one_to_ten_thousand(service, at, number) -> None:
    path = f"/{BUCKET}/{KEY}?partNumber={quote(number)}&uploadId={at['UploadId']}"
    answer = send(service, "PUT", path, b"x")
    assert (answer.status, b"between 1 and 10000" in answer.body) == (400, True)


def test_an_upload_that_is_aborted_leaves_nothing(service, s3, at) -> None:
    part(s3, at, 1, b"x")
    s3.abort_multipart_upload(**at)
    for use in (
        lambda: s3.abort_multipart_upload(**at),
        lambda: part(s3, at, 2, b"x"),
        lambda: complete(s3, at, {"PartNumber": 1, "ETag": "x"}),
        lambda: s3.upload_part_copy(**at, PartNumber=1, CopySource={"Bucket": BUCKET, "Key": "said"}),
    ):
        with pytest.raises(ClientError, match="NoSuch"):
            use()
    assert list((service.settings.buckets / ".nanio" / "multipart").iterdir()) == []


def test_a_completion_may_have_a_digest_of_its_own(service, s3, at) -> None:
    only = part(s3, at, 1, LAST)
    body = (
        f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{only['ETag']}</ETag></Part>"
        "</CompleteMultipartUpload>"
    ).encode()
    for content, status in ((b"other", 400), (body, 200)):
        digest = base64.b64encode(hashlib.md5(content).digest()).decode()
        path = f"/{BUCKET}/{KEY}?uploadId={at['UploadId']}"
        assert send(service, "POST", path, body, headers={"Content-MD5": digest}).status == status


def test_completions_have_conditions(s3, at) -> None:
    there = s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"there")["ETag"]
    only = part(s3, at, 1, LAST)
    with pytest.raises(ClientError, match="PreconditionFailed"):
        complete(s3, at, only, IfNoneMatch="*")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        complete(s3, at, only, IfMatch='"other"')
    complete(s3, at, only, IfMatch=there)


def test_parts_are_copied_from_objects(s3, at) -> None:
    s3.put_object(Bucket=BUCKET, Key="source", Body=FIRST + LAST)
    source = {"Bucket": BUCKET, "Key": "source"}
    ranges = (f"bytes=0-{SMALLEST - 1}", f"bytes={SMALLEST}-{SMALLEST + 999}")
    parts = [
        {
            "PartNumber": number,
            "ETag": s3.upload_part_copy(**at, PartNumber=number, CopySource=source, CopySourceRange=wanted)[
                "CopyPartResult"
            ]["ETag"],
        }
        for number, wanted in enumerate(ranges, 1)
    ]
    for wanted in ("bytes=0-", "bytes=-5", "bytes=5-2", f"bytes=0-{SMALLEST + 1000}", "0-1"):
        with pytest.raises(ClientError, match="Invalid"):
            s3.upload_part_copy(**at, PartNumber=3, CopySource=source, CopySourceRange=wanted)
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.upload_part_copy(**at, PartNumber=3, CopySource=source, CopySourceIfMatch='"other"')
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.upload_part_copy(**at, PartNumber=3, CopySource=source, ExpectedSourceBucketOwner="9" * 12)
    complete(s3, at, *parts)
    assert s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read() == FIRST + LAST


def test_uploads_survive_the_service(tmp_path) -> None:
    at = {"Bucket": BUCKET, "Key": KEY}
    with LocalService(Settings(tmp_path / ".local", port=0)) as running:
        s3 = RunningService(running).client("s3")
        s3.create_bucket(Bucket=BUCKET)
        at["UploadId"] = s3.create_multipart_upload(**at)["UploadId"]
        first = part(s3, at, 1, FIRST)
    # As after a kill between two renames: the later of two parts counts.
    [path] = (tmp_path / ".local" / "s3" / ".nanio" / "multipart" / at["UploadId"]).glob("00001.*")
    old = path.with_name(f"00001.{'0' * 32}.")
    old.write_bytes(b"old")
    os.utime(old, (1, 1))
    with LocalService(Settings(tmp_path / ".local", port=0)) as running:
        s3 = RunningService(running).client("s3")
        complete(s3, at, first, part(s3, at, 2, LAST))
        assert s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read() == FIRST + LAST
