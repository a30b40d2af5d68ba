"""The XML and the headers of S3's errors."""

import http.client
import re
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest

from tests.local.api.s3.raw_s3 import send

BUCKET = "errors"


@pytest.fixture(scope="module", autouse=True)
def _bucket(service) -> None:
    s3 = service.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="key", Body=b"content")


def members(answer) -> dict[str, str]:
    return {element.tag: element.text or "" for element in ET.fromstring(answer.body)}


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "shown"),
    [
        ("GET", "/errors/no%20%3Ckey%3E", {}, 404, {"Code": "NoSuchKey", "Key": "no <key>"}),
        ("GET", "/no-bucket/key", {}, 404, {"Code": "NoSuchBucket", "BucketName": "no-bucket"}),
        ("GET", "/errors/key?uploadId=none", {}, 404, {"Code": "NoSuchUpload", "UploadId": "none"}),
        ("GET", "/errors/key", {"If-Match": '"x"'}, 412, {"Code": "PreconditionFailed", "Condition": "If-Match"}),
        (
            *("PUT", "/errors/copy", {"x-amz-copy-source": "errors/absent"}, 404),
            {"Code": "NoSuchKey", "Key": "absent"},
        ),
        (
            *("PUT", "/errors/copy", {"x-amz-copy-source": "absent-bucket/key"}, 404),
            {"Code": "NoSuchBucket", "BucketName": "absent-bucket"},
        ),
        ("PUT", "/errors/key", {"If-None-Match": "*"}, 412, {"Condition": "If-None-Match"}),
        ("PATCH", "/errors/key", {}, 405, {"Code": "MethodNotAllowed"}),
    ],
)
def test_an_error_says_what_it_is_about(service, method, path, headers, status, shown) -> None:
    answer = send(service, method, path, headers=headers)
    found = members(answer)
    assert answer.status == status
    assert found.items() >= shown.items()
    assert found["Resource"] == unquote(path.partition("?")[0])
    assert found["RequestId"] == answer.headers["x-amz-request-id"]
    assert found["HostId"] == answer.headers["x-amz-id-2"]
    assert answer.headers["content-type"] == "application/xml"


def test_every_response_has_one_request_id_of_its_own(service) -> None:
    ids = {send(service, method, "/errors/key").headers["x-amz-request-id"] for method in ("GET", "HEAD", "PUT")}
    assert len(ids) == 3
    assert all(re.fullmatch(r"[0-9a-f-]+", each) for each in ids)


@pytest.mark.parametrize(
    ("headers", "query", "code"),
    [
        ({}, "", "AccessDenied"),
        ({"Authorization": "AWS local"}, "", "AuthorizationHeaderMalformed"),
        ({"Authorization": "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/s3/aws4_request"}, "", "Authorization"),
        ({}, "?X-Amz-Signature=0&X-Amz-Credential=a%2F20260101%2Fus-east-1%2Fs3%2Faws4_request", "AuthorizationQuery"),
        ({}, "?AWSAccessKeyId=a&Signature=b&Expires=1", "AccessDenied"),
    ],
)
def test_a_request_whose_signature_is_missing_or_malformed_gets_an_error_of_s3(service, headers, query, code) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", service.settings.port, timeout=30)
    connection.request("GET", f"/errors/key{query}", headers=headers)
    answer = connection.getresponse()
    assert 400 <= answer.status < 500
    found = {element.tag: element.text or "" for element in ET.fromstring(answer.read())}
    connection.close()
    assert (found["Code"].startswith(code), found["Resource"]) == (True, "/errors/key")


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/errors/missing", {}, 404),
        ("/missing-bucket", {}, 404),
        ("/errors/key", {"If-Match": '"x"'}, 412),
        ("/errors/key?partNumber=2", {}, 416),
    ],
)
def test_the_error_of_a_head_request_has_no_body(service, path, headers, status) -> None:
    answer = send(service, "HEAD", path, headers=headers)
    assert (answer.status, answer.body) == (status, b"")
    assert answer.headers["x-amz-request-id"]
