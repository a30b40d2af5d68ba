"""What the SDKs for C++, Java and JavaScript, s3fs and curl send, beside what boto3 sends."""

import base64
import hashlib
import socket
import zlib
from http.client import HTTPResponse

import boto3
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from local.core.settings import ACCESS_KEY
from tests.local.api.s3.raw_s3 import send

BUCKET = "habits"
CONTENT = b"0123456789"


@pytest.fixture(scope="module")
def s3(service):
    client = service.client("s3")
    client.create_bucket(Bucket=BUCKET)
    client.put_object(Bucket=BUCKET, Key="key", Body=CONTENT, ChecksumAlgorithm="CRC32")
    return client


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("?x-id=GetObject", {"x-amz-user-agent": "aws-sdk-js/3.0.0"}),
        ("?x-id=GetObject&x-amz-checksum-mode=ENABLED", {}),
        ("", {"x-amz-api-version": "2006-03-01", "x-amz-checksum-mode": "enabled"}),
        ("", {"x-amz-te": "append-md5"}),
        ("", {"amz-sdk-invocation-id": "one", "amz-sdk-request": "attempt=1", "Content-Type": "application/xml"}),
    ],
)
def test_headers_of_sdks_change_nothing_or_what_they_name(service, s3, query, headers) -> None:
    answer = send(service, "GET", f"/{BUCKET}/key{query}", headers=headers)
    assert (answer.status, answer.body) == (200, CONTENT)
    wants_checksum = "checksum-mode" in query or "x-amz-checksum-mode" in headers
    assert ("x-amz-checksum-crc32" in answer.headers) == wants_checksum


@pytest.mark.parametrize("headers", [{"x-amz-api-version": "2030-01-01"}, {"x-amz-te": "gzip"}])
def test_other_values_of_these_headers_are_refused(service, s3, headers) -> None:
    assert send(service, "GET", f"/{BUCKET}/key", headers=headers).status == 501


def test_an_empty_acl_is_none(service, s3) -> None:
    assert send(service, "PUT", f"/{BUCKET}/acl", b"x", headers={"x-amz-acl": ""}).status == 200


TRAILERS = {
    "crc32": base64.b64encode(zlib.crc32(CONTENT).to_bytes(4, "big")),
    "crc32c": b"KAwGng==",
    "sha1": base64.b64encode(hashlib.sha1(CONTENT).digest()),
    "sha256": base64.b64encode(hashlib.sha256(CONTENT).digest()),
}


@pytest.mark.parametrize("algorithm", TRAILERS)
@pytest.mark.parametrize("is_right", [True, False])
def test_a_checksum_may_come_after_the_body(service, s3, algorithm, is_right) -> None:
    value = TRAILERS[algorithm] if is_right else base64.b64encode(bytes(len(base64.b64decode(TRAILERS[algorithm]))))
    framed = b"4\r\n0123\r\n6\r\n456789\r\n0\r\nx-amz-checksum-%b:%b\r\n\r\n" % (algorithm.encode(), value)
    headers = {
        "Content-Encoding": "gzip,aws-chunked",
        "x-amz-decoded-content-length": str(len(CONTENT)),
        "x-amz-trailer": f"x-amz-checksum-{algorithm}",
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    }
    answer = send(service, "PUT", f"/{BUCKET}/{algorithm}", framed, headers=headers, has_trailer=True)
    if not is_right:
        assert (answer.status, b"<Code>BadDigest</Code>" in answer.body) == (400, True)
        return
    head = send(service, "HEAD", f"/{BUCKET}/{algorithm}", headers={"x-amz-checksum-mode": "ENABLED"})
    assert head.headers[f"x-amz-checksum-{algorithm}"].encode() == value
    assert (head.headers["content-encoding"], head.headers["content-length"]) == ("gzip", str(len(CONTENT)))


@pytest.mark.parametrize(("secret", "status"), [(None, b"200"), ("wrong", b"403")])
def test_a_client_that_asks_before_it_sends_is_told(service, s3, secret, status) -> None:
    signed = AWSRequest("PUT", f"{service.settings.endpoint_url}/{BUCKET}/asked", data=CONTENT)
    credentials = Credentials(ACCESS_KEY, secret or service.settings.secret_key)
    S3SigV4Auth(credentials, "s3", "us-east-1").add_auth(signed)
    lines = [f"PUT /{BUCKET}/asked HTTP/1.1", f"Host: 127.0.0.1:{service.settings.port}", "Expect: 100-continue"]
    lines += [f"{name}: {value}" for name, value in signed.headers.items()] + [f"Content-Length: {len(CONTENT)}"]
    with socket.create_connection(("127.0.0.1", service.settings.port), timeout=30) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        first = connection.recv(65536)
        if secret is None:
            assert first.startswith(b"HTTP/1.1 100 ")
            connection.sendall(CONTENT)
            first = connection.recv(65536)
        assert first.split()[1] == status


def test_a_form_is_refused_by_its_name(service, s3) -> None:
    post = s3.generate_presigned_post(BUCKET, "key")
    form = b'--b\r\nContent-Disposition: form-data; name="key"\r\n\r\nkey\r\n--b--\r\n'
    with socket.create_connection(("127.0.0.1", service.settings.port), timeout=30) as connection:
        head = f"POST /{BUCKET} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        connection.sendall(f"{head}Content-Length: {len(form)}\r\n\r\n".encode() + form)
        # The body may come after the head.
        answer = HTTPResponse(connection)
        answer.begin()
        content = answer.read()
    assert post["fields"]["key"] == "key"
    assert answer.status == 501
    assert b"<Code>NotImplemented</Code>" in content
    assert b"form" in content


def test_settings_may_be_signed_with_version_2(service, s3) -> None:
    session = boto3.Session(ACCESS_KEY, service.settings.secret_key, region_name="us-east-1")
    config = Config(signature_version="s3", retries={"total_max_attempts": 1})
    old = session.client("s3", endpoint_url=service.settings.endpoint_url, config=config)
    old.put_bucket_tagging(Bucket=BUCKET, Tagging={"TagSet": [{"Key": "team", "Value": "risk"}]})
    assert s3.get_bucket_tagging(Bucket=BUCKET)["TagSet"] == [{"Key": "team", "Value": "risk"}]
