"""GetObjectAttributes, and checksums of parts."""

import base64
import hashlib
import zlib

import pytest
from botocore.exceptions import ClientError

from tests.local.api.s3.raw_s3 import send

BUCKET = "attributes"
PARTS = [b"a" * (5 * 1024 * 1024), b"b" * 10]
ALL = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]


@pytest.fixture(scope="module")
def s3(service):
    client = service.client("s3")
    client.create_bucket(Bucket=BUCKET)
    return client


def upload(s3, key, **how):
    at = {"Bucket": BUCKET, "Key": key}
    at["UploadId"] = s3.create_multipart_upload(**at, **how)["UploadId"]
    algorithm = how.get("ChecksumAlgorithm")
    own = {"ChecksumAlgorithm": algorithm} if algorithm else {}
    parts = []
    for number, content in enumerate(PARTS, 1):
        answer = s3.upload_part(**at, PartNumber=number, Body=content, **own)
        members = {"ETag", f"Checksum{algorithm}"} & set(answer)
        parts.append({"PartNumber": number, **{name: answer[name] for name in members}})
    return s3.complete_multipart_upload(**at, MultipartUpload={"Parts": parts})


def sha256(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def crc32(content: bytes) -> str:
    return base64.b64encode(zlib.crc32(content).to_bytes(4, "big")).decode()


def test_a_composite_checksum_has_those_of_its_parts(s3) -> None:
    made = upload(s3, "composite", ChecksumAlgorithm="SHA256")
    found = s3.get_object_attributes(Bucket=BUCKET, Key="composite", ObjectAttributes=ALL)
    assert found["ETag"] == made["ETag"].strip('"')
    assert found["Checksum"] == {"ChecksumSHA256": made["ChecksumSHA256"], "ChecksumType": "COMPOSITE"}
    assert (found["ObjectSize"], found["StorageClass"]) == (sum(map(len, PARTS)), "STANDARD")
    parts = found["ObjectParts"]
    assert (parts["TotalPartsCount"], parts["IsTruncated"]) == (2, False)
    assert parts["Parts"] == [
        {"PartNumber": number, "Size": len(content), "ChecksumSHA256": sha256(content)}
        for number, content in enumerate(PARTS, 1)
    ]


def test_parts_are_shown_in_pages(s3) -> None:
    upload(s3, "paged", ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    ask = {"Bucket": BUCKET, "Key": "paged", "ObjectAttributes": ["ObjectParts", "Checksum"]}
    page = s3.get_object_attributes(**ask, MaxParts=1)
    first = page["ObjectParts"]
    assert page["Checksum"] == {"ChecksumCRC32": crc32(b"".join(PARTS)), "ChecksumType": "FULL_OBJECT"}
    assert (first["IsTruncated"], first["NextPartNumberMarker"], len(first["Parts"])) == (True, 1, 1)
    rest = s3.get_object_attributes(**ask, PartNumberMarker=1)["ObjectParts"]
    assert (rest["IsTruncated"], rest["Parts"][0]["ChecksumCRC32"]) == (False, crc32(PARTS[1]))


def test_parts_without_checksums_are_only_counted(s3) -> None:
    upload(s3, "counted")
    found = s3.get_object_attributes(Bucket=BUCKET, Key="counted", ObjectAttributes=ALL)
    assert (found["ObjectParts"], "Checksum" in found) == ({"TotalPartsCount": 2}, False)
    s3.put_object(Bucket=BUCKET, Key="whole", Body=b"x")
    found = s3.get_object_attributes(Bucket=BUCKET, Key="whole", ObjectAttributes=["ObjectParts", "ObjectSize"])
    assert ("ObjectParts" in found, "ETag" in found, found["ObjectSize"]) == (False, False, 1)


def test_a_reader_of_a_part_gets_the_parts_checksum(s3) -> None:
    upload(s3, "read", ChecksumAlgorithm="SHA256")
    ask = {"Bucket": BUCKET, "Key": "read", "PartNumber": 2, "ChecksumMode": "ENABLED"}
    part = s3.get_object(**ask)
    # botocore compares the checksum with the body.
    assert (part["Body"].read(), part["ChecksumSHA256"], part["PartsCount"]) == (PARTS[1], sha256(PARTS[1]), 2)
    assert s3.head_object(**ask)["ChecksumSHA256"] == sha256(PARTS[1])


@pytest.mark.parametrize("headers", [{}, {"x-amz-object-attributes": "Size"}, {"x-amz-object-attributes": ""}])
def test_attributes_that_are_none_are_refused(service, s3, headers) -> None:
    s3.put_object(Bucket=BUCKET, Key="whole", Body=b"x")
    assert send(service, "GET", f"/{BUCKET}/whole?attributes", headers=headers).status == 400


def test_a_missing_object_has_no_attributes(s3) -> None:
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object_attributes(Bucket=BUCKET, Key="missing", ObjectAttributes=ALL)


def test_a_completion_that_comes_again_gets_the_same_answer(service, s3) -> None:
    at = {"Bucket": BUCKET, "Key": "repeated"}
    at["UploadId"] = s3.create_multipart_upload(**at)["UploadId"]
    etag = s3.upload_part(**at, PartNumber=1, Body=b"x")["ETag"]
    whole = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    first = s3.complete_multipart_upload(**at, MultipartUpload=whole)
    s3.put_object(Bucket=BUCKET, Key="repeated", Body=b"newer")
    again = s3.complete_multipart_upload(**at, MultipartUpload=whole)
    assert {name: again[name] for name in ("ETag", "Location", "Key")} == {
        name: first[name] for name in ("ETag", "Location", "Key")
    }
    assert s3.get_object(Bucket=BUCKET, Key="repeated")["Body"].read() == b"newer"
    other = {"Parts": [{"PartNumber": 2, "ETag": etag}]}
    for wrong in ({"MultipartUpload": other}, {"MultipartUpload": whole, "Key": "other"}):
        with pytest.raises(ClientError, match="NoSuchUpload"):
            s3.complete_multipart_upload(**(at | wrong))
    with pytest.raises(ClientError, match="NoSuchUpload"):
        s3.list_parts(**at)
