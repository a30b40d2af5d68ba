"""Signatures of both versions, in headers and in URLs, and what they must cover."""

import http.client
import time
from email.utils import formatdate
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.auth import HmacV1Auth, HmacV1QueryAuth, S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from local.core.settings import ACCESS_KEY

BUCKET = "signed"
CONTENT = b"0123456789"


@pytest.fixture(scope="module", autouse=True)
def _bucket(service) -> None:
    s3 = service.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="key", Body=CONTENT)


def request(service, method, target, headers=None, body=None):
    """Send a request as it is; return its status, its headers and its body."""
    parts = urlsplit(target)
    connection = http.client.HTTPConnection("127.0.0.1", service.settings.port, timeout=30)
    try:
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, path, body, {"Host": parts.netloc, **(headers or {})})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def credentials(service):
    return Credentials(ACCESS_KEY, service.settings.secret_key)


@pytest.mark.parametrize("style", ["path", "virtual"])
def test_a_client_may_sign_with_version_2(service, style, monkeypatch) -> None:
    reach_localhost(monkeypatch)
    s3 = client_at_localhost(service, "s3", style)
    key = "v2/é+ %"
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"x", Metadata={"a": "b  c"}, ContentType="text/plain")
    got = s3.get_object(Bucket=BUCKET, Key=key, ResponseContentType="text/x y")
    assert (got["Body"].read(), got["Metadata"], got["ContentType"]) == (b"x", {"a": "b  c"}, "text/x y")
    assert [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET, Prefix="v2/")["Contents"]] == [key]
    s3.copy_object(Bucket=BUCKET, Key="v2/copy", CopySource={"Bucket": BUCKET, "Key": key})
    at = {"Bucket": BUCKET, "Key": "v2/parts"}
    at["UploadId"] = s3.create_multipart_upload(**at)["UploadId"]
    etag = s3.upload_part(**at, PartNumber=1, Body=b"x")["ETag"]
    s3.complete_multipart_upload(**at, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})
    s3.put_object_tagging(Bucket=BUCKET, Key=key, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    s3.get_bucket_location(Bucket=BUCKET)
    names = [{"Key": name} for name in (key, "v2/copy", "v2/parts")]
    assert len(s3.delete_objects(Bucket=BUCKET, Delete={"Objects": names})["Deleted"]) == 3


def reach_localhost(monkeypatch) -> None:
    """Resolve *.localhost, as browsers do (RFC 6761) and some systems do not."""
    import socket

    resolve = socket.getaddrinfo

    def getaddrinfo(host, *arguments, **more):
        return resolve("127.0.0.1" if str(host).endswith(".localhost") else host, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def client_at_localhost(service, version, style):
    config = Config(signature_version=version, s3={"addressing_style": style}, retries={"total_max_attempts": 1})
    session = boto3.Session(ACCESS_KEY, service.settings.secret_key, region_name="us-east-1")
    return session.client("s3", endpoint_url=f"http://localhost:{service.settings.port}", config=config)


OPERATIONS: list[tuple[str, str, dict[str, Any], bytes | None, int]] = [
    ("get_object", "GET", {"ResponseContentDisposition": 'attachment; filename="a b"'}, None, 200),
    ("get_object", "GET", {"PartNumber": 1}, None, 206),
    ("head_object", "HEAD", {}, None, 200),
    ("get_object_tagging", "GET", {}, None, 200),
    ("put_object", "PUT", {"Key": "presigned"}, b"x", 200),
    ("create_multipart_upload", "POST", {"Key": "presigned"}, b"", 200),
    ("list_objects_v2", "GET", {"Key": None, "Prefix": "a b", "Delimiter": "/"}, None, 200),
    ("list_multipart_uploads", "GET", {"Key": None}, None, 200),
    ("head_bucket", "HEAD", {"Key": None}, None, 200),
    ("get_bucket_encryption", "GET", {"Key": None}, None, 200),
    ("delete_object", "DELETE", {"Key": "presigned"}, None, 204),
]


@pytest.mark.parametrize("version", ["s3", "s3v4"])
@pytest.mark.parametrize("style", ["path", "virtual"])
def test_urls_are_presigned_for_operations(service, version, style) -> None:
    s3 = client_at_localhost(service, version, style)
    for operation, method, arguments, body, status in OPERATIONS:
        given = {"Bucket": BUCKET, "Key": "key", **arguments}
        named = {name: value for name, value in given.items() if value is not None}
        url = s3.generate_presigned_url(operation, named, ExpiresIn=60)
        # http.client adds no Content-Type, as curl does not for an upload.
        found, headers, content = request(service, method, url, body=body)
        assert found == status, (operation, content)
        if "ResponseContentDisposition" in arguments:
            assert (headers["content-disposition"], content) == ('attachment; filename="a b"', CONTENT)


def test_a_version_2_url_covers_the_headers_that_it_has_in_its_query(service) -> None:
    s3 = client_at_localhost(service, "s3", "path")
    given = {"Bucket": BUCKET, "Key": "described", "Metadata": {"a": "b"}, "ContentType": "text/x"}
    url = s3.generate_presigned_url("put_object", given, ExpiresIn=60)
    assert "x-amz-meta-a=b" in url
    assert request(service, "PUT", url, body=b"x")[0] == 200
    head = service.client("s3").head_object(Bucket=BUCKET, Key="described")
    assert (head["Metadata"], head["ContentType"]) == ({"a": "b"}, "text/x")
    for altered in (url.replace("meta-a=b", "meta-a=c"), f"{url}&x-amz-meta-c=d", url.replace("text%2Fx", "text%2Fy")):
        status, _, body = request(service, "PUT", altered, body=b"x")
        assert (status, b"SignatureDoesNotMatch" in body) == (403, True)
    assert request(service, "PUT", url, {"x-amz-meta-evil": "1"}, b"x")[0] == 403
    assert request(service, "PUT", url, {"Content-Type": "text/y"}, b"x")[0] == 403


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_url_is_valid_for_its_method_key_and_query_only(service, version) -> None:
    s3 = client_at_localhost(service, version, "path")
    url = s3.generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": "key"}, ExpiresIn=60)
    assert request(service, "GET", url)[0] == 200
    for method, altered in (
        ("DELETE", url),
        ("PUT", url),
        ("GET", url.replace("/key?", "/kez?")),
        ("GET", f"{url}&response-content-type=text/x"),
        ("GET", f"{url}&uploadId=x"),
    ):
        assert request(service, method, altered)[0] == 403


def test_headers_that_a_version_4_signature_does_not_cover_are_refused(service) -> None:
    s3 = client_at_localhost(service, "s3v4", "path")
    url = s3.generate_presigned_url("put_object", {"Bucket": BUCKET, "Key": "uncovered"}, ExpiresIn=60)
    status, _, body = request(service, "PUT", url, {"x-amz-meta-evil": "1", "x-amz-acl": "private"}, b"x")
    assert (status, b"<Code>AccessDenied</Code><Message>There were headers present" in body) == (403, True)
    assert b"<HeadersNotSigned>x-amz-acl, x-amz-meta-evil</HeadersNotSigned>" in body
    signed = AWSRequest("PUT", f"{service.settings.endpoint_url}/{BUCKET}/uncovered", data=b"x")
    S3SigV4Auth(credentials(service), "s3", "us-east-1").add_auth(signed)
    headers = dict(signed.headers.items())
    assert request(service, "PUT", signed.url, {**headers, "x-amz-tagging": "a=b"}, b"x")[0] == 403
    assert request(service, "PUT", signed.url, headers, b"x")[0] == 200
    # A header in the signed query needs no other signature.
    hoisted = AWSRequest("PUT", f"{service.settings.endpoint_url}/{BUCKET}/hoisted?x-amz-meta-a=1")
    S3SigV4QueryAuth(credentials(service), "s3", "us-east-1", 60).add_auth(hoisted)
    assert request(service, "PUT", hoisted.url, body=b"x")[0] == 200
    assert service.client("s3").head_object(Bucket=BUCKET, Key="hoisted")["Metadata"] == {"a": "1"}


def test_a_request_has_one_signature(service) -> None:
    url = client_at_localhost(service, "s3v4", "path").generate_presigned_url("list_buckets")
    both = AWSRequest("GET", url)
    S3SigV4Auth(credentials(service), "s3", "us-east-1").add_auth(both)
    status, _, body = request(service, "GET", both.url, dict(both.headers.items()))
    assert (status, b"Only one auth mechanism allowed" in body) == (400, True)


def test_an_expired_url_says_when_it_expired(service) -> None:
    url = f"{service.settings.endpoint_url}/{BUCKET}/key"
    old = AWSRequest("GET", url)
    HmacV1QueryAuth(credentials(service), expires=-60).add_auth(old)
    status, _, body = request(service, "GET", old.url)
    assert (status, b"<Code>AccessDenied</Code><Message>Request has expired</Message><Expires>" in body) == (403, True)
    assert b"<ServerTime>" in body
    for query in ("X-Amz-Expires=604801", "X-Amz-Expires=0", "X-Amz-Expires=x"):
        fresh = AWSRequest("GET", url)
        S3SigV4QueryAuth(credentials(service), "s3", "us-east-1", 60).add_auth(fresh)
        status, _, body = request(service, "GET", str(fresh.url).replace("X-Amz-Expires=60", query))
        assert (status, b"<Code>AuthorizationQueryParametersError</Code>" in body) == (400, True)


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Date": formatdate(time.time() - 3600, usegmt=True)}, "RequestTimeTooSkewed"),
        ({"Date": formatdate(time.time() + 3600, usegmt=True)}, "RequestTimeTooSkewed"),
        ({"Date": "yesterday"}, "AccessDenied"),
        ({"Date": "99999999T999999Z"}, "AccessDenied"),
        ({"x-amz-date": "none"}, "AccessDenied"),
        ({"Authorization": "AWS local"}, "AuthorizationHeaderMalformed"),
        ({"Authorization": f"AWS {ACCESS_KEY}:aaaa"}, "SignatureDoesNotMatch"),
        ({"Authorization": "AWS stranger:aaaa"}, "InvalidAccessKeyId"),
        ({"x-amz-meta-a": "b"}, "SignatureDoesNotMatch"),
        ({"Content-Type": "text/x"}, "SignatureDoesNotMatch"),
        ({"Content-MD5": "aaaa"}, "SignatureDoesNotMatch"),
    ],
)
def test_a_version_2_header_that_is_not_right_is_refused(service, headers, code) -> None:
    signed = AWSRequest("GET", f"{service.settings.endpoint_url}/{BUCKET}/key")
    HmacV1Auth(credentials(service)).add_auth(signed)
    right = dict(signed.headers.items())
    assert request(service, "GET", signed.url, right)[0] == 200
    _, _, body = request(service, "GET", signed.url, {**right, **headers})
    assert f"<Code>{code}</Code>" in body.decode()


def test_an_upload_has_a_length(service) -> None:
    signed = AWSRequest("PUT", f"{service.settings.endpoint_url}/{BUCKET}/endless")
    HmacV1Auth(credentials(service)).add_auth(signed)
    connection = http.client.HTTPConnection("127.0.0.1", service.settings.port, timeout=30)
    headers = {**dict(signed.headers.items()), "Transfer-Encoding": "chunked"}
    connection.request("PUT", f"/{BUCKET}/endless", iter([b"x"]), headers, encode_chunked=True)
    answer = connection.getresponse()
    assert (answer.status, b"<Code>MissingContentLength</Code>" in answer.read()) == (411, True)
    connection.close()
    with pytest.raises(ClientError, match="404"):
        service.client("s3").head_object(Bucket=BUCKET, Key="endless")
