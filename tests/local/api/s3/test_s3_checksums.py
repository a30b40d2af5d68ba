"""Digests that clients send are checked, and checksums are kept and given back."""

import base64
import hashlib
import re
import zlib

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from local.api.s3.crc import Crc
from tests.local.api.s3.raw_s3 import send

CONTENT = b"123456789"
# The first three: https://reveng.sourceforge.io/crc-catalogue/all.htm
DIGESTS = {
    "CRC32": bytes.fromhex("cbf43926"),
    "CRC32C": bytes.fromhex("e3069283"),
    "CRC64NVME": bytes.fromhex("ae8b14860a799888"),
    "SHA1": hashlib.sha1(CONTENT).digest(),
    "SHA256": hashlib.sha256(CONTENT).digest(),
    "SHA512": hashlib.sha512(CONTENT).digest(),
    "MD5": hashlib.md5(CONTENT).digest(),
}
RIGHT = {name: base64.b64encode(digest).decode() for name, digest in DIGESTS.items()}
WRONG = {name: base64.b64encode(bytes(len(digest))).decode() for name, digest in DIGESTS.items()}


@pytest.fixture(scope="module")
def s3(service):
    service.client("s3").create_bucket(Bucket="checked")
    return service.client("s3")


def bit_by_bit(polynomial, size, content):
    state = inverted = (1 << 8 * size) - 1
    for byte in content:
        state ^= byte
        for _ in range(8):
            state = (state >> 1) ^ (polynomial if state & 1 else 0)
    return (state ^ inverted).to_bytes(size, "big")


@settings(max_examples=10, deadline=None)
@given(pieces=st.lists(st.integers(0, 70_000), max_size=3), seed=st.integers(0, 255))
def test_crcs_are_those_of_their_definition_whatever_the_pieces(pieces, seed) -> None:
    content = hashlib.shake_128(bytes([seed])).digest(sum(pieces))
    for polynomial, size in ((0x82F63B78, 4), (0x9A6C9329AC4BC9B5, 8)):
        crc, start = Crc(polynomial, size), 0
        for piece in pieces:
            crc.update(content[start : start + piece])
            start += piece
        assert crc.digest() == bit_by_bit(polynomial, size, content)


@pytest.mark.parametrize("algorithm", RIGHT)
def test_a_checksum_is_checked_kept_and_given_back(s3, algorithm) -> None:
    name = f"Checksum{algorithm}"
    put = s3.put_object(Bucket="checked", Key=algorithm, Body=CONTENT, **{name: RIGHT[algorithm]})
    assert (put[name], put["ChecksumType"]) == (RIGHT[algorithm], "FULL_OBJECT")
    head = s3.head_object(Bucket="checked", Key=algorithm, ChecksumMode="ENABLED")
    assert (head[name], head["ChecksumType"]) == (RIGHT[algorithm], "FULL_OBJECT")
    assert name not in s3.head_object(Bucket="checked", Key=algorithm)
    got = s3.get_object(Bucket="checked", Key=algorithm, ChecksumMode="ENABLED")
    assert (got[name], got["Body"].read()) == (RIGHT[algorithm], CONTENT)
    assert name not in s3.get_object(Bucket="checked", Key=algorithm, ChecksumMode="ENABLED", Range="bytes=0-1")
    [listed] = s3.list_objects_v2(Bucket="checked", Prefix=algorithm, MaxKeys=1)["Contents"]
    assert (listed["ChecksumAlgorithm"], listed["ChecksumType"]) == ([algorithm], "FULL_OBJECT")


@pytest.mark.parametrize("algorithm", RIGHT)
def test_a_body_other_than_the_checksum_says_is_not_kept(service, s3, algorithm) -> None:
    key = f"wrong-{algorithm}"
    with pytest.raises(ClientError, match="BadDigest"):
        s3.put_object(Bucket="checked", Key=key, Body=CONTENT, **{f"Checksum{algorithm}": WRONG[algorithm]})
    for value in ("AAAA", "no base64", ""):
        answer = send(
            service, "PUT", f"/checked/{key}", CONTENT, headers={f"x-amz-checksum-{algorithm.lower()}": value}
        )
        assert (answer.status, b"header is invalid" in answer.body) == (400, True)
    with pytest.raises(ClientError, match="404"):
        s3.head_object(Bucket="checked", Key=key)


def framed(trailer) -> bytes:
    return b"%x\r\n%s\r\n0\r\n%s\r\n\r\n" % (len(CONTENT), CONTENT, trailer)


def put_framed(service, key, body, **headers):
    named = {"Content-Encoding": "aws-chunked", "X-Amz-Decoded-Content-Length": str(len(CONTENT))}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    return send(service, "PUT", f"/checked/{key}", body, has_trailer=True, headers=named)


@pytest.mark.parametrize("algorithm", RIGHT)
def test_a_trailing_checksum_is_checked_and_kept(service, s3, algorithm) -> None:
    header, key = f"x-amz-checksum-{algorithm.lower()}", f"trailing-{algorithm}"
    said = {"x_amz_trailer": header, "x_amz_sdk_checksum_algorithm": algorithm}
    wrong = put_framed(service, key, framed(f"{header}:{WRONG[algorithm]}".encode()), **said)
    assert (wrong.status, b"BadDigest" in wrong.body) == (400, True)
    missing = put_framed(service, key, b"%x\r\n%s\r\n0\r\n\r\n" % (len(CONTENT), CONTENT), **said)
    assert (missing.status, b"MalformedTrailerError" in missing.body) == (400, True)
    with pytest.raises(ClientError, match="404"):
        s3.head_object(Bucket="checked", Key=key)
    right = put_framed(service, key, framed(f"{header}: {RIGHT[algorithm]}".encode()), **said)
    assert (right.status, right.headers[header]) == (200, RIGHT[algorithm])
    head = s3.head_object(Bucket="checked", Key=key, ChecksumMode="ENABLED")
    assert (head[f"Checksum{algorithm}"], "ContentEncoding" in head) == (RIGHT[algorithm], False)


def test_trailers_that_cannot_be_checked_are_refused(service) -> None:
    for trailer in ("x-amz-checksum-xxhash64", "x-amz-strange"):
        answer = put_framed(service, "key", framed(f"{trailer}:AAAA".encode()), x_amz_trailer=trailer)
        assert answer.status == 501
        assert trailer.rpartition("-")[2].encode() in answer.body
    answer = put_framed(service, "key", framed(f"x-amz-checksum-crc32:{RIGHT['CRC32']}".encode()))
    assert (answer.status, b"was not announced" in answer.body) == (400, True)


def test_the_length_of_a_framed_body_is_checked(service) -> None:
    for length in ("8", "10", "x"):
        answer = send(
            *(service, "PUT", "/checked/key", framed(f"x-amz-checksum-crc32:{RIGHT['CRC32']}".encode())),
            has_trailer=True,
            headers={"X-Amz-Decoded-Content-Length": length, "X-Amz-Trailer": "x-amz-checksum-crc32"},
        )
        assert answer.status == 400


@pytest.mark.parametrize("algorithm", ["XXHASH64", "XXHASH3", "XXHASH128"])
def test_an_algorithm_that_nobody_can_compute_here_is_refused_by_name(service, algorithm) -> None:
    headers = {f"x-amz-checksum-{algorithm.lower()}": "AAAAAAAAAAA="}
    answer = send(service, "PUT", "/checked/key", CONTENT, headers=headers)
    assert (answer.status, algorithm.lower().encode() in answer.body) == (501, True)


def test_content_md5_is_checked(service, s3) -> None:
    put = s3.put_object(Bucket="checked", Key="md5", Body=CONTENT, ContentMD5=RIGHT["MD5"])
    assert put["ETag"] == f'"{DIGESTS["MD5"].hex()}"'
    for value, code in ((WRONG["MD5"], b"BadDigest"), ("AAAA", b"InvalidDigest"), ("", b"InvalidDigest")):
        answer = send(service, "PUT", "/checked/md5-wrong", CONTENT, headers={"Content-MD5": value})
        assert (answer.status, code in answer.body) == (400, True)
    with pytest.raises(ClientError, match="404"):
        s3.head_object(Bucket="checked", Key="md5-wrong")


def test_one_checksum_is_sent_and_it_is_the_one_that_is_declared(service) -> None:
    both = {"x-amz-checksum-crc32": RIGHT["CRC32"], "x-amz-checksum-sha1": RIGHT["SHA1"]}
    answer = send(service, "PUT", "/checked/key", CONTENT, headers=both)
    assert (answer.status, b"Multiple checksum Types" in answer.body) == (400, True)
    for said in ({}, {"x-amz-checksum-crc32": RIGHT["CRC32"]}):
        headers = {"x-amz-sdk-checksum-algorithm": "SHA256", **said}
        answer = send(service, "PUT", "/checked/key", CONTENT, headers=headers)
        assert (answer.status, b"no corresponding x-amz-checksum-" in answer.body) == (400, True)


def test_bodies_of_other_operations_are_checked_too(service, s3) -> None:
    body = b"<Delete><Object><Key>kept</Key></Object></Delete>"
    s3.put_object(Bucket="checked", Key="kept", Body=b"")
    for headers in ({"Content-MD5": WRONG["MD5"]}, {"x-amz-checksum-crc32": WRONG["CRC32"]}):
        assert send(service, "POST", "/checked?delete", body, headers=headers).status == 400
    tags = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
    assert send(service, "PUT", "/checked?tagging", tags, headers={"Content-MD5": WRONG["MD5"]}).status == 400
    assert send(service, "PUT", "/new-bucket", headers={"Content-MD5": WRONG["MD5"]}).status == 400
    s3.head_object(Bucket="checked", Key="kept")


def test_a_copy_has_the_checksum_of_its_source_or_the_one_that_is_wanted(s3) -> None:
    s3.put_object(Bucket="checked", Key="source", Body=CONTENT, ChecksumSHA1=RIGHT["SHA1"])
    source = {"Bucket": "checked", "Key": "source"}
    copied = s3.copy_object(Bucket="checked", Key="copy", CopySource=source)["CopyObjectResult"]
    assert copied["ChecksumSHA1"] == RIGHT["SHA1"]
    copied = s3.copy_object(Bucket="checked", Key="copy", CopySource=source, ChecksumAlgorithm="CRC64NVME")
    assert copied["CopyObjectResult"]["ChecksumCRC64NVME"] == RIGHT["CRC64NVME"]
    head = s3.head_object(Bucket="checked", Key="copy", ChecksumMode="ENABLED")
    assert (head["ChecksumCRC64NVME"], "ChecksumSHA1" in head) == (RIGHT["CRC64NVME"], False)


MEBIBYTES = 5 * 1024 * 1024
PARTS = [b"a" * MEBIBYTES, b"b" * 1000]


def begin(s3, **how):
    return {"Bucket": "checked", "Key": "parts"} | {
        "UploadId": s3.create_multipart_upload(Bucket="checked", Key="parts", **how)["UploadId"]
    }


def upload(s3, at, algorithm=None):
    said = {"ChecksumAlgorithm": algorithm} if algorithm else {}
    answers = [s3.upload_part(**at, PartNumber=n, Body=part, **said) for n, part in enumerate(PARTS, 1)]
    names = {"ETag", f"Checksum{algorithm}"}
    return [{k: v for k, v in answer.items() if k in names} | {"PartNumber": n} for n, answer in enumerate(answers, 1)]


def test_the_checksum_of_parts_is_that_of_their_checksums(s3) -> None:
    at = begin(s3, ChecksumAlgorithm="SHA256")
    parts = upload(s3, at, "SHA256")
    listed = s3.list_parts(**at)
    assert (listed["ChecksumAlgorithm"], listed["ChecksumType"]) == ("SHA256", "COMPOSITE")
    assert [part["ChecksumSHA256"] for part in listed["Parts"]] == [part["ChecksumSHA256"] for part in parts]
    without = [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in parts]
    with pytest.raises(ClientError, match="must include the checksum for each part"):
        s3.complete_multipart_upload(**at, MultipartUpload={"Parts": without})
    swapped = [part | {"ChecksumSHA256": parts[0]["ChecksumSHA256"]} for part in parts]
    with pytest.raises(ClientError, match="InvalidPart"):
        s3.complete_multipart_upload(**at, MultipartUpload={"Parts": swapped})
    with pytest.raises(ClientError, match="same checksum mode"):
        s3.complete_multipart_upload(**at, MultipartUpload={"Parts": parts}, ChecksumType="FULL_OBJECT")
    digests = b"".join(hashlib.sha256(part).digest() for part in PARTS)
    expected = base64.b64encode(hashlib.sha256(digests).digest()).decode()
    with pytest.raises(ClientError, match="BadDigest"):
        s3.complete_multipart_upload(**at, MultipartUpload={"Parts": parts}, ChecksumSHA256=WRONG["SHA256"])
    done = s3.complete_multipart_upload(
        **at, MultipartUpload={"Parts": parts}, ChecksumSHA256=expected, ChecksumType="COMPOSITE"
    )
    assert (done["ChecksumSHA256"], done["ChecksumType"]) == (f"{expected}-2", "COMPOSITE")
    got = s3.get_object(Bucket="checked", Key="parts", ChecksumMode="ENABLED")
    assert (got["ChecksumSHA256"], got["Body"].read()) == (f"{expected}-2", b"".join(PARTS))


def crc_of(algorithm, content):
    if algorithm == "CRC32":
        return base64.b64encode(zlib.crc32(content).to_bytes(4, "big")).decode()
    crc = Crc(0x9A6C9329AC4BC9B5, 8)
    crc.update(content)
    return base64.b64encode(crc.digest()).decode()


@pytest.mark.parametrize(("algorithm", "said"), [("CRC32", {"ChecksumType": "FULL_OBJECT"}), ("CRC64NVME", {})])
def test_the_checksum_of_a_whole_object_is_that_of_its_bytes(service, s3, algorithm, said) -> None:
    at = begin(s3, ChecksumAlgorithm=algorithm, **said)
    parts = []
    for number, part in enumerate(PARTS, 1):
        value = crc_of(algorithm, part)
        answer = s3.upload_part(**at, PartNumber=number, Body=part, **{f"Checksum{algorithm}": value})
        parts.append({"PartNumber": number, "ETag": answer["ETag"]})
    done = s3.complete_multipart_upload(**at, MultipartUpload={"Parts": parts}, ChecksumType="FULL_OBJECT")
    expected = crc_of(algorithm, b"".join(PARTS))
    assert (done[f"Checksum{algorithm}"], done["ChecksumType"]) == (expected, "FULL_OBJECT")


def test_parts_have_the_algorithm_of_their_upload(s3) -> None:
    at = begin(s3, ChecksumAlgorithm="SHA256")
    with pytest.raises(ClientError, match="expected checksum Type: sha256, actual checksum Type: sha1"):
        s3.upload_part(**at, PartNumber=1, Body=b"x", ChecksumAlgorithm="SHA1")
    s3.abort_multipart_upload(**at)
    for how in ({"ChecksumAlgorithm": "SHA1", "ChecksumType": "FULL_OBJECT"},):
        with pytest.raises(ClientError, match="cannot be used with"):
            begin(s3, **how)


def test_parts_of_an_upload_without_an_algorithm_are_checked(service, s3) -> None:
    s3_without = service.client("s3", request_checksum_calculation="when_required")
    at = begin(s3_without)
    with pytest.raises(ClientError, match="BadDigest"):
        s3.upload_part(**at, PartNumber=1, Body=CONTENT, ChecksumSHA1=WRONG["SHA1"])
    with pytest.raises(ClientError, match="BadDigest"):
        s3.upload_part(**at, PartNumber=1, Body=CONTENT, ContentMD5=WRONG["MD5"])
    assert "Parts" not in s3.list_parts(**at)
    assert re.fullmatch(r"[\w-]+", at["UploadId"])
