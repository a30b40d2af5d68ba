"""Objects' tags and the other properties that S3 keeps: written, returned, copied, or refused."""

import base64
import hashlib

import pytest
from botocore.exceptions import ClientError

from local.app.server import LocalService
from local.core.settings import Settings
from tests.local.api.s3.raw_s3 import send
from tests.local.conftest import RunningService

BUCKET = "tagged"


@pytest.fixture(scope="module")
def s3(service):
    client = service.client("s3")
    client.create_bucket(Bucket=BUCKET)
    return client


def tags(s3, key):
    return {tag["Key"]: tag["Value"] for tag in s3.get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"]}


def tag_set(**pairs):
    return {"TagSet": [{"Key": key, "Value": value} for key, value in pairs.items()]}


def test_tags_are_written_with_an_object_and_counted(s3) -> None:
    s3.put_object(Bucket=BUCKET, Key="with", Tagging="team=risk&note=a+b%20%C3%A9&empty=")
    assert tags(s3, "with") == {"team": "risk", "note": "a b é", "empty": ""}
    assert s3.get_object(Bucket=BUCKET, Key="with")["TagCount"] == 3
    assert s3.head_object(Bucket=BUCKET, Key="with")["TagCount"] == 3
    s3.put_object(Bucket=BUCKET, Key="with")
    assert tags(s3, "with") == {}
    assert "TagCount" not in s3.get_object(Bucket=BUCKET, Key="with")


def test_tags_are_changed_and_nothing_else_is(service, s3) -> None:
    s3.put_object(Bucket=BUCKET, Key="changed", Body=b"content", Metadata={"a": "b"}, ChecksumAlgorithm="SHA256")
    before = s3.get_object(Bucket=BUCKET, Key="changed", ChecksumMode="ENABLED")
    s3.put_object_tagging(Bucket=BUCKET, Key="changed", Tagging=tag_set(a="1"))
    s3.put_object_tagging(Bucket=BUCKET, Key="changed", Tagging=tag_set(b="2"))
    assert tags(s3, "changed") == {"b": "2"}
    after = s3.get_object(Bucket=BUCKET, Key="changed", ChecksumMode="ENABLED")
    for name in ("ETag", "LastModified", "Metadata", "ChecksumSHA256", "ContentType"):
        assert after[name] == before[name]
    assert s3.delete_object_tagging(Bucket=BUCKET, Key="changed")["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert tags(s3, "changed") == {}


def test_an_object_that_a_job_wrote_has_tags_until_it_is_overwritten(service, s3) -> None:
    path = service.settings.buckets / BUCKET / "by-a-job"
    path.write_bytes(b"before")
    before = s3.head_object(Bucket=BUCKET, Key="by-a-job")
    s3.put_object_tagging(Bucket=BUCKET, Key="by-a-job", Tagging=tag_set(a="1"))
    after = s3.head_object(Bucket=BUCKET, Key="by-a-job")
    assert (after["ETag"], after["LastModified"]) == (before["ETag"], before["LastModified"])
    assert tags(s3, "by-a-job") == {"a": "1"}
    path.write_bytes(b"after, which is longer")
    assert tags(s3, "by-a-job") == {}


def test_a_copy_has_the_sources_tags_or_its_own(s3) -> None:
    s3.put_object(Bucket=BUCKET, Key="source", Tagging="a=1")
    source = f"{BUCKET}/source"
    s3.copy_object(Bucket=BUCKET, Key="copied", CopySource=source, Tagging="b=2")
    s3.copy_object(Bucket=BUCKET, Key="replaced", CopySource=source, Tagging="b=2", TaggingDirective="REPLACE")
    s3.copy_object(Bucket=BUCKET, Key="cleared", CopySource=source, TaggingDirective="REPLACE")
    assert [tags(s3, key) for key in ("copied", "replaced", "cleared")] == [{"a": "1"}, {"b": "2"}, {}]


def test_an_upload_has_tags(s3) -> None:
    at = {"Bucket": BUCKET, "Key": "uploaded"}
    at["UploadId"] = s3.create_multipart_upload(**at, Tagging="a=1")["UploadId"]
    etag = s3.upload_part(**at, PartNumber=1, Body=b"x")["ETag"]
    s3.complete_multipart_upload(**at, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})
    assert tags(s3, "uploaded") == {"a": "1"}


def test_tags_survive_the_service(tmp_path) -> None:
    settings = Settings(tmp_path / ".local", port=0)
    with LocalService(settings) as running:
        client = RunningService(running).client("s3")
        client.create_bucket(Bucket=BUCKET)
        client.put_object(Bucket=BUCKET, Key="key", Tagging="a=1")
    with LocalService(settings) as running:
        assert tags(RunningService(running).client("s3"), "key") == {"a": "1"}


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("a=1&a=2", "InvalidArgument"),
        ("&", "InvalidArgument"),
        ("=x", "InvalidTag"),
        ("aws:a=x", "InvalidTag"),
        ("a=%00", "InvalidTag"),
        ("a=%3C", "InvalidTag"),
        ("a" * 129 + "=", "InvalidTag"),
        ("a=" + "b" * 257, "InvalidTag"),
        ("a=%FF", "InvalidArgument"),
        ("&".join(f"{number}=" for number in range(11)), "BadRequest"),
    ],
)
def test_tags_that_are_none_are_refused_and_nothing_is_written(s3, header, code) -> None:
    with pytest.raises(ClientError, match=code):
        s3.put_object(Bucket=BUCKET, Key="refused", Tagging=header)
    with pytest.raises(ClientError, match="404"):
        s3.head_object(Bucket=BUCKET, Key="refused")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("<Tagging/>", "MalformedXML"),
        ("<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>", "MalformedXML"),
        ("<Tagging><TagSet><Other/></TagSet></Tagging>", "MalformedXML"),
        ("<Tagging><TagSet>" + "<Tag><Key>a</Key><Value/></Tag>" * 2 + "</TagSet></Tagging>", "InvalidTag"),
    ],
)
def test_a_tagging_that_is_none_is_refused(service, s3, body, code) -> None:
    s3.put_object(Bucket=BUCKET, Key="kept", Tagging="a=1")
    digest = base64.b64encode(hashlib.md5(body.encode()).digest()).decode()
    answer = send(service, "PUT", f"/{BUCKET}/kept?tagging", body.encode(), headers={"Content-MD5": digest})
    assert (answer.status, f"<Code>{code}</Code>" in answer.body.decode()) == (400, True)
    assert tags(s3, "kept") == {"a": "1"}


def test_tags_need_an_object_and_a_digest(service, s3) -> None:
    for call in (s3.get_object_tagging, s3.delete_object_tagging):
        with pytest.raises(ClientError, match="NoSuchKey"):
            call(Bucket=BUCKET, Key="missing")
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.put_object_tagging(Bucket=BUCKET, Key="missing", Tagging=tag_set(a="1"))
    body = b"<Tagging><TagSet/></Tagging>"
    answer = send(service, "PUT", f"/{BUCKET}/with?tagging", body)
    assert (answer.status, b"Content-MD5 OR" in answer.body) == (400, True)


def test_a_redirect_is_kept_and_not_copied(s3) -> None:
    s3.put_object(Bucket=BUCKET, Key="moved", WebsiteRedirectLocation="/elsewhere")
    assert s3.get_object(Bucket=BUCKET, Key="moved")["WebsiteRedirectLocation"] == "/elsewhere"
    s3.copy_object(Bucket=BUCKET, Key="moved-copy", CopySource=f"{BUCKET}/moved")
    assert "WebsiteRedirectLocation" not in s3.head_object(Bucket=BUCKET, Key="moved-copy")
    # A new redirect is a change that permits a copy of an object to itself.
    s3.copy_object(Bucket=BUCKET, Key="moved", CopySource=f"{BUCKET}/moved", WebsiteRedirectLocation="https://a/b")
    assert s3.head_object(Bucket=BUCKET, Key="moved")["WebsiteRedirectLocation"] == "https://a/b"
    with pytest.raises(ClientError, match="InvalidRedirectLocation"):
        s3.put_object(Bucket=BUCKET, Key="moved", WebsiteRedirectLocation="elsewhere")


def test_metadata_that_is_not_ascii_is_encoded_as_s3_does(service, s3) -> None:
    for key, sent, returned in (
        ("words", "=?UTF-8?Q?caf=C3=A9?=", "=?UTF-8?B?Y2Fmw6k=?="),
        ("plain", "=?UTF-8?Q?cafe?=", "cafe"),
        ("none", "=?no-charset?Q?a?=", "=?no-charset?Q?a?="),
    ):
        assert send(service, "PUT", f"/{BUCKET}/{key}", headers={"x-amz-meta-note": sent}).status == 200
        assert s3.head_object(Bucket=BUCKET, Key=key)["Metadata"] == {"note": returned}
    # A line break in an encoded word cannot become one of the response's headers.
    send(service, "PUT", f"/{BUCKET}/split", headers={"x-amz-meta-note": "=?UTF-8?Q?a=0D=0Ax-evil:1?="})
    head = send(service, "HEAD", f"/{BUCKET}/split")
    assert (head.headers["x-amz-meta-note"], "x-evil" in head.headers) == ("=?UTF-8?B?YQ0KeC1ldmlsOjE=?=", False)


def test_metadata_is_measured_in_bytes_of_utf_8(s3) -> None:
    word = "=?UTF-8?Q?" + "=C3=A9" * 100 + "?="
    fits = {"a": word, "b": "x" * (2048 - 202)}
    s3.put_object(Bucket=BUCKET, Key="measured", Metadata=fits)
    with pytest.raises(ClientError, match="MetadataTooLarge"):
        s3.put_object(Bucket=BUCKET, Key="measured", Metadata=fits | {"c": ""})
