"""S3's requests: any method, path, query, headers and body."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.local.fuzz.conftest import fuzzed
from tests.local.fuzz.sender import check
from tests.local.fuzz.values import MARK, SEED, STRANGE_TEXTS

METHODS = ["GET", "HEAD", "PUT", "POST", "DELETE", "GET", "PUT", "PATCH", "OPTIONS"]
SEGMENTS = [
    *(
        b"seed",
        b"seed",
        b"seed",
        b"other",
        b"a",
        b"",
        b".",
        b"..",
        b"%2e%2e",
        b"%2F",
        b"%00",
        b"%ff",
        b"%",
        b"%zz",
        b"%E2%82",
    ),
    *(
        b"a" * 300,
        b"b" * 1100,
        b"a%20b",
        b"+",
        b"%0d%0a",
        b"%3Cfuzz%3E%26%22%27",
        b".nanio",
        b".nanio-meta",
        b"seed.json",
    ),
    *(
        b"%F0%9F%82%A1",
        b"seed%2F..%2Fother",
        b"..%5c..",
        b"~",
        b"*",
        b"\xc3\xa9",
        b"x.localhost",
        b"1.2.3.4",
        b"AB",
        b"a..b",
    ),
]
NAMES = [
    *(
        "uploads",
        "uploadId",
        "partNumber",
        "versionId",
        "versions",
        "list-type",
        "prefix",
        "delimiter",
        "marker",
        "max-keys",
    ),
    *(
        "continuation-token",
        "start-after",
        "encoding-type",
        "fetch-owner",
        "key-marker",
        "version-id-marker",
        "max-parts",
    ),
    *(
        "part-number-marker",
        "max-uploads",
        "upload-id-marker",
        "tagging",
        "location",
        "delete",
        "acl",
        "policy",
        "cors",
    ),
    *("lifecycle", "encryption", "notification", "logging", "max-buckets", "bucket-region", "response-content-type"),
    *("response-expires", "response-cache-control", "attributes", "x-amz-acl", "X-Amz-Meta-a", "strange", "", "x-id"),
]
QUERIES = [
    *(b"", b"", b"", b"uploads", b"uploadId=x&partNumber=1", b"uploadId=x", b"list-type=2", b"versions", b"tagging"),
    *(b"location", b"delete", b"acl", b"cors", b"policy", b"notification", b"encryption", b"list-type=2&prefix=s"),
]
VALUES = ["", "1", "2", "url", "true", "seed", "/", "null", "0", "-1", "10000", *STRANGE_TEXTS]
HEADERS = [
    *("if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "range", "content-md5", "content-type"),
    *(
        "x-amz-copy-source",
        "x-amz-copy-source",
        "x-amz-copy-source-range",
        "x-amz-copy-source-if-match",
        "x-amz-meta-a",
    ),
    *("x-amz-copy-source-if-modified-since", "x-amz-acl", "x-amz-storage-class", "x-amz-server-side-encryption"),
    *(
        "x-amz-server-side-encryption-aws-kms-key-id",
        "x-amz-checksum-crc32",
        "x-amz-checksum-algorithm",
        "x-amz-trailer",
    ),
    *("x-amz-sdk-checksum-algorithm", "x-amz-checksum-type", "x-amz-mp-object-size", "x-amz-decoded-content-length"),
    *("x-amz-metadata-directive", "x-amz-tagging", "x-amz-expected-bucket-owner", "content-encoding", "expires"),
    *("cache-control", "content-disposition", "content-language", "x-amz-checksum-mode", "x-amz-object-lock-mode"),
]
HEADER_VALUES: list[bytes] = [
    *(
        b"seed/seed",
        b"/seed/seed?versionId=null",
        b"seed",
        b"*",
        b'"x"',
        b"bytes=0-1",
        b"bytes=0-",
        b"bytes=-5",
        b"bytes=9-1",
    ),
    *(
        b"bytes=0-1,3-4",
        b"COPY",
        b"REPLACE",
        b"CRC32",
        b"SHA256",
        b"aws:kms",
        b"AAAAAA==",
        b"Thu, 01 Jan 2026 00:00:00 GMT",
    ),
    *(
        b"Thu, 01 Jan 99999 00:00:00 GMT",
        b"31 Feb 2026 00:00 +9999",
        b"gzip",
        b"aws-chunked",
        b"x-amz-checksum-crc32",
        b"0",
    ),
    *(text.encode(errors="replace").translate(None, b"\r\n\0")[:4000].strip() for text in STRANGE_TEXTS),
    *(
        b"\xff\xfe",
        b"\xe9",
        b"seed/%ff",
        b"seed/..%2f..",
        b"/%2e%2e/seed",
        b"seed/seed?versionId=\xff",
        b"seed/seed?a",
        b"%",
    ),
]
DOCUMENTS: list[bytes] = [
    *(
        b"",
        b"a",
        b"x" * 5000,
        b"<a/>",
        b"<",
        b"<Delete><Object><Key>seed</Key></Object></Delete>",
        b"\xff\xfe<\0a\0/\0>\0",
    ),
    *(
        b"<Delete><Object><Key>../../x</Key></Object><Object/></Delete>",
        b"<Delete><Quiet>x</Quiet></Delete>",
        b"<Delete/>",
    ),
    *(
        b"<Delete><Object><Key>" + b"a" * 2000 + b"</Key></Object></Delete>",
        b"<Delete><Object><Key>&#0;</Key></Object></Delete>",
    ),
    *(b"<Delete><Object><Key>&lt;fuzz&gt;&amp;</Key><VersionId>&lt;fuzz&gt;</VersionId></Object></Delete>",),
    *(b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>",),
    *(
        b"<CompleteMultipartUpload><Part><PartNumber>"
        + b"9" * 5000
        + b"</PartNumber></Part></CompleteMultipartUpload>",
    ),
    *(
        b"<CompleteMultipartUpload><Part><PartNumber>\xd9\xa1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>",
    ),
    *(
        b"<CompleteMultipartUpload/>",
        b"<CreateBucketConfiguration><LocationConstraint>x</LocationConstraint>",
    ),
    *(b"<CreateBucketConfiguration><LocationConstraint/></CreateBucketConfiguration>", b"<a>" * 20_000, b"<?xml"),
    *(
        b"<a>" * 5000 + b"</a>" * 5000,
        b'<!DOCTYPE a [<!ENTITY b "b">]><a>&b;</a>',
        b'<?xml version="1.0" encoding="utf-7"?><a/>',
    ),
    *(
        b"<Tagging><TagSet><Tag><Key>a</Key><Value>&lt;fuzz&gt;</Value></Tag></TagSet></Tagging>",
        b"<Tagging/>",
        b"{}",
        b"[[[",
    ),
    *(
        b"<LifecycleConfiguration><Rule/></LifecycleConfiguration>",
        b"<NotificationConfiguration><a/></NotificationConfiguration>",
    ),
    *(
        b"<CORSConfiguration><CORSRule/></CORSConfiguration>",
        b"<BucketLoggingStatus><LoggingEnabled/></BucketLoggingStatus>",
    ),
    *(b"<ServerSideEncryptionConfiguration/>", b"<AccessControlPolicy/>", b"<PublicAccessBlockConfiguration/>"),
    *(
        b"5\r\nseed1\r\n0\r\n\r\n",
        b"ffffffffffffffffffff\r\na",
        b"-1\r\n",
        b"5;chunk-signature=x\r\nseed1\r\n0;chunk-signature=x\r\n\r\n",
    ),
]
HASHES = [
    *(
        None,
        None,
        None,
        b"UNSIGNED-PAYLOAD",
        b"STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    ),
    *(b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", b"0" * 64, b"x", b"STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"),
]


def _quoted(text: str) -> bytes:
    return b"".join(b"%%%02X" % byte for byte in text.encode(errors="surrogatepass"))


@st.composite
def targets(draw: st.DrawFn) -> bytes:
    segments = draw(st.lists(st.sampled_from(SEGMENTS), min_size=0, max_size=4))
    if draw(st.booleans()):
        segments = [b"seed", *segments]
    fields = draw(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)), max_size=1))
    query = b"&".join([draw(st.sampled_from(QUERIES)), *(b"%b=%b" % (n.encode(), _quoted(v)) for n, v in fields)])
    if draw(st.integers(0, 19)) == 0:
        query += draw(
            st.sampled_from([b"&%ff=%ff", b"&\xff", b"&a=%zz", b"&&", b"=", b"&uploads&uploads", b"&prefix=a&prefix=b"])
        )
    return b"/" + b"/".join(segments) + (b"?" + query if query else b"")


def _send_many(target: Any, examples: int) -> None:
    headers = st.dictionaries(st.sampled_from(HEADERS), st.sampled_from(HEADER_VALUES), max_size=2)

    @fuzzed(examples)
    @given(st.sampled_from(METHODS), targets(), headers, st.sampled_from(DOCUMENTS), st.sampled_from(HASHES))
    def run(
        method: str, place: bytes, given_headers: dict[str, bytes], body: bytes, payload_hash: bytes | None
    ) -> None:
        encoded = {name.encode(): value for name, value in given_headers.items()}
        reply = target.sender.send("s3", method, place, encoded, b"" if method == "GET" else body, payload_hash)
        check(reply, "rest-xml", None, (method, place, given_headers, body[:200], payload_hash))

    target.seed()
    run()


def test_s3_requests(target) -> None:
    _send_many(target, 60)


@pytest.mark.slow
def test_s3_requests_at_length(target) -> None:
    _send_many(target, 700)


ODD_IDS = ["..", "../../..", ".", "", "a/b", "\0", "é", "x" * 300, "%2e%2e", MARK, "\ud800"]


@pytest.mark.parametrize("upload", ODD_IDS)
@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
def test_an_upload_that_cannot_be_is_not_found(target, method, upload) -> None:
    body = b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>"
    place = b"/%b/%b?partNumber=1&uploadId=%b" % (SEED.encode(), SEED.encode(), _quoted(upload))
    if method != "PUT":
        place = place.replace(b"partNumber=1&", b"")
    reply = target.sender.send("s3", method, place, {}, body if method in ("PUT", "POST") else b"")
    assert reply.status in (400, 404), reply
    check(reply, "rest-xml", None, upload)
