"""Pages of listings, as S3's API reference describes them."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.api.s3.raw_s3 import send
from tests.local.conftest import RunningService

BUCKET = "listings"
KEYS = ["a", "a/", "a/1", "a/2", "b//c", "b/d", "c", "d e+f", "é"]


@pytest.fixture(scope="module")
def s3(service: RunningService) -> Any:
    client = service.client("s3")
    client.create_bucket(Bucket=BUCKET)
    for key in KEYS:
        client.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    return client


def found(page: dict[str, Any]) -> tuple[list[str], list[str]]:
    items = page.get("Contents", page.get("Versions", []))
    return [item["Key"] for item in items], [each["Prefix"] for each in page.get("CommonPrefixes", [])]


def test_the_marker_of_the_first_listing_is_a_key_or_a_common_prefix(s3) -> None:
    first = s3.list_objects(Bucket=BUCKET, Delimiter="/", MaxKeys=2)
    assert (found(first), first["NextMarker"]) == ((["a"], ["a/"]), "a/")
    second = s3.list_objects(Bucket=BUCKET, Delimiter="/", MaxKeys=2, Marker="a/")
    assert (found(second), second["NextMarker"], second["Marker"]) == ((["c"], ["b/"]), "c", "a/")
    # Within a common prefix, the keys after the marker are rolled up again.
    assert found(s3.list_objects(Bucket=BUCKET, Delimiter="/", MaxKeys=1, Marker="a/1")) == ([], ["a/"])
    last = s3.list_objects(Bucket=BUCKET, Delimiter="/", Marker="c")
    assert (found(last), last["IsTruncated"], "NextMarker" in last) == ((["d e+f", "é"], []), False, False)


@pytest.mark.parametrize(
    ("delimiter", "prefix", "expected"),
    [
        ("//", "", (["a", "a/", "a/1", "a/2", "b/d", "c", "d e+f", "é"], ["b//"])),
        ("/", "a/", (["a/", "a/1", "a/2"], [])),
        ("/", "b/", (["b/d"], ["b//"])),
        ("a", "", (["b//c", "b/d", "c", "d e+f", "é"], ["a"])),
        ("é", "", (KEYS[:-1], ["é"])),
        ("/", "/", ([], [])),
    ],
)
def test_any_text_delimits(s3, delimiter, prefix, expected) -> None:
    for listing in (s3.list_objects, s3.list_objects_v2, s3.list_object_versions):
        page = listing(Bucket=BUCKET, Delimiter=delimiter, Prefix=prefix)
        assert (found(page), page["Delimiter"], page["Prefix"]) == (expected, delimiter, prefix)


def test_a_page_of_no_keys_is_complete(s3) -> None:
    page = s3.list_objects_v2(Bucket=BUCKET, MaxKeys=0)
    assert (page["KeyCount"], page["IsTruncated"], page["MaxKeys"], found(page)) == (0, False, 0, ([], []))
    assert "NextContinuationToken" not in page


def test_a_token_counts_instead_of_the_start(s3) -> None:
    first = s3.list_objects_v2(Bucket=BUCKET, StartAfter="a/1", MaxKeys=1)
    how = {"StartAfter": "a/1", "ContinuationToken": first["NextContinuationToken"]}
    second = s3.list_objects_v2(Bucket=BUCKET, MaxKeys=1, **how)
    assert (found(first)[0], found(second)[0], second["StartAfter"]) == (["a/2"], ["b//c"], "a/1")
    assert second["ContinuationToken"] == first["NextContinuationToken"]


@pytest.mark.parametrize("token", ["", "!", "YQ==", base64.b64encode(b"a").decode(), "\u00ff", "YWZ0ZXI6YQ"])
def test_text_that_is_no_token_is_refused(s3, token) -> None:
    with pytest.raises(ClientError, match="The continuation token provided is incorrect"):
        s3.list_objects_v2(Bucket=BUCKET, ContinuationToken=token)


def test_versions_name_the_next_version_unless_it_is_a_common_prefix(s3) -> None:
    page = s3.list_object_versions(Bucket=BUCKET, MaxKeys=1, Delimiter="/")
    assert (page["NextKeyMarker"], page["NextVersionIdMarker"]) == ("a", "null")
    page = s3.list_object_versions(Bucket=BUCKET, MaxKeys=2, Delimiter="/")
    assert (page["NextKeyMarker"], "NextVersionIdMarker" in page) == ("a/", False)
    page = s3.list_object_versions(Bucket=BUCKET, KeyMarker="a/", VersionIdMarker="null", MaxKeys=1)
    assert found(page)[0] == ["a/1"]


def test_encoded_names_are_encoded_everywhere(service, s3) -> None:
    query = "list-type=2&encoding-type=url&prefix=d%20e%2B&start-after=%C3%A0&delimiter=%2Bf"
    body = send(service, "GET", f"/{BUCKET}?{query}").body.decode()
    for name, text in (
        ("Prefix", "d%20e%2B"),
        ("StartAfter", "%C3%A0"),
        ("Delimiter", "%2Bf"),
        ("EncodingType", "url"),
    ):
        assert f"<{name}>{text}</{name}>" in body
    body = send(service, "GET", f"/{BUCKET}?encoding-type=url&marker=c&max-keys=1&delimiter=%2F").body.decode()
    assert ("<Key>d%20e%2Bf</Key>" in body, "<NextMarker>d%20e%2Bf</NextMarker>" in body) == (True, True)


def test_the_uploads_of_a_key_are_listed_by_their_time(s3) -> None:
    wanted = [
        (key, s3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]) for key in ("u/x", "u", "u/x", "u", "u//")
    ]
    expected = sorted(wanted, key=lambda each: each[0])
    for size in (1, 2, 5):
        pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket=BUCKET, PaginationConfig={"PageSize": size})
        uploads = [(each["Key"], each["UploadId"]) for page in pages for each in page.get("Uploads", [])]
        assert uploads == expected
    rolled = s3.list_multipart_uploads(Bucket=BUCKET, Delimiter="/")
    assert [each["Prefix"] for each in rolled["CommonPrefixes"]] == ["u/"]
    ignored = s3.list_multipart_uploads(Bucket=BUCKET, UploadIdMarker="z")
    assert len(ignored["Uploads"]) == len(wanted)
    for key, upload_id in wanted:
        s3.abort_multipart_upload(Bucket=BUCKET, Key=key, UploadId=upload_id)


def test_parts_are_listed_after_a_marker(s3) -> None:
    at = {"Bucket": BUCKET, "Key": "parts/"}
    at["UploadId"] = s3.create_multipart_upload(**at)["UploadId"]
    for number in (1, 3, 7):
        s3.upload_part(**at, PartNumber=number, Body=b"x")
    page = s3.list_parts(**at, MaxParts=2)
    assert [part["PartNumber"] for part in page["Parts"]] == [1, 3]
    assert (page["IsTruncated"], page["NextPartNumberMarker"], page["MaxParts"]) == (True, 3, 2)
    page = s3.list_parts(**at, PartNumberMarker=3)
    assert ([part["PartNumber"] for part in page["Parts"]], page["IsTruncated"]) == ([7], False)
    s3.abort_multipart_upload(**at)


def test_buckets_have_their_region_if_anything_is_asked(service, s3) -> None:
    plain, asked = send(service, "GET", "/").body, send(service, "GET", "/?prefix=list&max-buckets=1").body
    assert (b"<BucketRegion>" in plain, b"<BucketRegion>us-east-1<" in asked) == (False, True)
    assert b"<Prefix>list</Prefix>" in asked
    assert [bucket["Name"] for bucket in s3.list_buckets(Prefix="list", ContinuationToken="")["Buckets"]] == [BUCKET]
    for most in (0, 10_001):
        answer = send(service, "GET", f"/?max-buckets={most}")
        assert (answer.status, re.findall(rb"<Code>(.*)</Code>", answer.body)) == (400, [b"InvalidArgument"])
