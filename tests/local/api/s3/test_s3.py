import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

KEY_PART = st.text(alphabet="ab-.é ", min_size=1, max_size=3).filter(lambda part: part not in (".", ".."))


@pytest.fixture
def s3(service):
    return service.client("s3")


@pytest.fixture
def bucket(service, s3, request):
    name = "bucket-" + str(abs(hash(request.node.name)))[:12]
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def folder(service, bucket):
    return service.settings.buckets / bucket


def keys(s3, bucket, **arguments):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, **arguments)
    return [item["Key"] for page in pages for item in page.get("Contents", [])]


def test_what_a_job_writes_as_a_file_is_an_object(s3, bucket, folder) -> None:
    (folder / "fold" / "vc1").mkdir(parents=True)
    (folder / "fold" / "vc1" / "part-0.csv").write_bytes(b"1,2\n")
    [item] = s3.list_objects_v2(Bucket=bucket)["Contents"]
    head = s3.head_object(Bucket=bucket, Key="fold/vc1/part-0.csv")
    assert (item["Key"], item["Size"], item["ETag"]) == ("fold/vc1/part-0.csv", 4, head["ETag"])
    assert head["ContentLength"] == 4
    assert head["ETag"].strip('"')
    assert s3.get_object(Bucket=bucket, Key="fold/vc1/part-0.csv")["Body"].read() == b"1,2\n"


def test_what_was_known_of_an_object_is_forgotten_when_a_job_overwrites_its_file(s3, bucket, folder) -> None:
    s3.put_object(Bucket=bucket, Key="model", Body=b"before", ContentType="text/plain", Metadata={"made-by": "me"})
    before = s3.head_object(Bucket=bucket, Key="model")
    assert (before["ContentType"], before["Metadata"]) == ("text/plain", {"made-by": "me"})
    (folder / "model.new").write_bytes(b"after.")
    (folder / "model.new").replace(folder / "model")
    after = s3.head_object(Bucket=bucket, Key="model")
    assert after["ETag"] != before["ETag"]
    assert after["Metadata"] == {}
    assert s3.get_object(Bucket=bucket, Key="model")["Body"].read() == b"after."


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    paths=st.sets(st.tuples(KEY_PART, KEY_PART), max_size=12),
    delimiter=st.sampled_from([None, "/", "a"]),
    page=st.integers(1, 4),
)
def test_pages_of_a_listing_hold_every_key_once_and_in_order(
    service, s3, bucket, folder, paths, delimiter, page
) -> None:
    wanted = sorted("/".join(path) for path in paths)
    for key in wanted:
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    arguments = {"Delimiter": delimiter} if delimiter else {}
    pages = list(
        s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": page}, **arguments)
    )
    found = [item["Key"] for each in pages for item in each.get("Contents", [])]
    common = [item["Prefix"] for each in pages for item in each.get("CommonPrefixes", [])]
    rolled = {key[: key.index(delimiter) + 1] for key in wanted if delimiter in key} if delimiter else set()
    assert found == [key for key in wanted if not delimiter or delimiter not in key]
    assert common == sorted(rolled)
    assert all(len(each.get("Contents", [])) + len(each.get("CommonPrefixes", [])) <= page for each in pages)
    for key in wanted:
        s3.delete_object(Bucket=bucket, Key=key)


@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        (".", [".a", ".b/c"]),
        ("d/.", ["d/.e"]),
        (".b", [".b/c"]),
        ("./", []),
        ("d/../", []),
        ("..", []),
        ("d", ["d/.e"]),
    ],
)
def test_a_prefix_may_end_or_begin_with_dots_as_no_key_may(s3, bucket, prefix, found) -> None:
    for key in (".a", ".b/c", "d/.e"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    assert [item["Key"] for item in listed] == found


def test_the_first_version_of_the_listing_ends_too(s3, bucket) -> None:
    for number in range(5):
        s3.put_object(Bucket=bucket, Key=f"key-{number}", Body=b"")
    pages = s3.get_paginator("list_objects").paginate(Bucket=bucket, PaginationConfig={"PageSize": 2})
    assert [item["Key"] for page in pages for item in page["Contents"]] == [f"key-{n}" for n in range(5)]


@pytest.mark.parametrize(
    ("wanted", "content", "shown"),
    [
        ("bytes=2-4", b"234", "bytes 2-4/10"),
        ("bytes=7-", b"789", "bytes 7-9/10"),
        ("bytes=7-100", b"789", "bytes 7-9/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
    ],
)
def test_ranges(s3, bucket, wanted, content, shown) -> None:
    s3.put_object(Bucket=bucket, Key="digits", Body=b"0123456789")
    answer = s3.get_object(Bucket=bucket, Key="digits", Range=wanted)
    assert (answer["Body"].read(), answer["ContentRange"]) == (content, shown)


def test_a_range_beyond_the_end_is_refused(s3, bucket) -> None:
    s3.put_object(Bucket=bucket, Key="digits", Body=b"0123456789")
    with pytest.raises(ClientError, match="InvalidRange"):
        s3.get_object(Bucket=bucket, Key="digits", Range="bytes=10-")


def test_multipart_uploads_and_copies(s3, bucket, folder, tmp_path) -> None:
    content = os.urandom(11 * 1024 * 1024)
    (tmp_path / "large").write_bytes(content)
    parts = TransferConfig(multipart_threshold=5 * 1024 * 1024, multipart_chunksize=5 * 1024 * 1024)
    extra = {"ContentType": "application/x-model", "Metadata": {"fold": "3"}}
    s3.upload_file(str(tmp_path / "large"), bucket, "large", Config=parts, ExtraArgs=extra)
    assert (folder / "large").read_bytes() == content
    head = s3.head_object(Bucket=bucket, Key="large")
    assert (head["ContentType"], head["Metadata"]) == ("application/x-model", {"fold": "3"})
    assert head["ETag"].endswith('-3"')
    s3.copy({"Bucket": bucket, "Key": "large"}, bucket, "copied/in parts", Config=parts)
    assert (folder / "copied" / "in parts").read_bytes() == content
    s3.copy_object(Bucket=bucket, Key="copied/whole", CopySource={"Bucket": bucket, "Key": "large"})
    assert s3.head_object(Bucket=bucket, Key="copied/whole")["Metadata"] == {"fold": "3"}


def test_a_copy_may_replace_the_metadata(s3, bucket) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"x", Metadata={"old": "1"})
    source = {"Bucket": bucket, "Key": "key"}
    with pytest.raises(ClientError, match="copy an object to itself"):
        s3.copy_object(Bucket=bucket, Key="key", CopySource=source)
    s3.copy_object(Bucket=bucket, Key="key", CopySource=source, MetadataDirective="REPLACE", Metadata={"new": "2"})
    assert s3.head_object(Bucket=bucket, Key="key")["Metadata"] == {"new": "2"}
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == b"x"


@pytest.mark.parametrize("key", ["../../x", "a/../../../x", "..", "x" * 1025])
def test_no_key_leaves_its_bucket(service, s3, bucket, key) -> None:
    before = sorted(service.settings.root.rglob("*"))
    with pytest.raises(ClientError):
        s3.put_object(Bucket=bucket, Key=key, Body=b"escaped")
    after = sorted(service.settings.root.rglob("*"))
    assert [path for path in after if path.is_file() and path not in before] == []
    assert not (service.settings.root / "x").exists()


def test_a_missing_object_is_an_error_even_for_conditional_requests(s3, bucket) -> None:
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket=bucket, Key="missing")
    with pytest.raises(ClientError, match="404"):
        s3.head_object(Bucket=bucket, Key="missing")


def test_writing_only_what_is_not_there_yet(s3, bucket) -> None:
    s3.put_object(Bucket=bucket, Key="once", Body=b"first", IfNoneMatch="*")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(Bucket=bucket, Key="once", Body=b"second", IfNoneMatch="*")
    assert s3.get_object(Bucket=bucket, Key="once")["Body"].read() == b"first"


def test_many_objects_are_deleted_at_once_and_then_the_bucket(s3, bucket) -> None:
    for number in range(3):
        s3.put_object(Bucket=bucket, Key=f"a/{number}", Body=b"")
    with pytest.raises(ClientError, match="BucketNotEmpty"):
        s3.delete_bucket(Bucket=bucket)
    versions = s3.list_object_versions(Bucket=bucket)["Versions"]
    assert [(v["Key"], v["VersionId"]) for v in versions] == [(f"a/{n}", "null") for n in range(3)]
    deleted = s3.delete_objects(
        Bucket=bucket, Delete={"Objects": [{"Key": v["Key"], "VersionId": v["VersionId"]} for v in versions]}
    )
    assert len(deleted["Deleted"]) == 3
    s3.delete_bucket(Bucket=bucket)
    assert bucket not in [b["Name"] for b in s3.list_buckets()["Buckets"]]


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_presigned_url_works_without_credentials_and_not_once_altered(service, bucket, version) -> None:
    s3 = service.client("s3", signature_version=version)
    url = s3.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "a b"}, ExpiresIn=60)
    urllib.request.urlopen(urllib.request.Request(url, data=b"presigned", method="PUT", headers={"Content-Type": ""}))
    url = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "a b"}, ExpiresIn=60)
    assert urllib.request.urlopen(url).read() == b"presigned"
    for altered in (url.replace("a%20b", "another"), url.replace("local", "stranger", 1)):
        with pytest.raises(urllib.error.HTTPError) as refusal:
            urllib.request.urlopen(altered)
        assert refusal.value.code == 403


def test_what_would_have_no_effect_is_refused(s3, bucket) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"content")
    with pytest.raises(ClientError, match="not implemented by the local service"):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    with pytest.raises(ClientError, match="not implemented by the local service"):
        s3.select_object_content(
            Bucket=bucket,
            Key="key",
            Expression="select 1",
            ExpressionType="SQL",
            InputSerialization={"CSV": {}},
            OutputSerialization={"CSV": {}},
        )
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == b"content"


@pytest.mark.slow
def test_the_aws_cli_copies_syncs_lists_and_removes(service, bucket, folder, tmp_path) -> None:
    def aws(*arguments):
        done = subprocess.run(
            [str(Path(sys.executable).with_name("aws")), "s3", *arguments],
            env=service.environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    (tmp_path / "data" / "deep").mkdir(parents=True)
    (tmp_path / "data" / "rows.csv").write_text("1,2\n")
    (tmp_path / "data" / "deep" / "more rows.csv").write_text("3,4\n")
    aws("sync", str(tmp_path / "data"), f"s3://{bucket}/data")
    assert (folder / "data" / "deep" / "more rows.csv").read_text() == "3,4\n"
    (folder / "data" / "by-a-job.csv").write_text("5,6\n")
    aws("sync", f"s3://{bucket}/data", str(tmp_path / "back"))
    assert {path.name for path in (tmp_path / "back").rglob("*.csv")} == {
        *("rows.csv", "more rows.csv", "by-a-job.csv")
    }
    assert aws("sync", f"s3://{bucket}/data", str(tmp_path / "back")) == ""
    assert "PRE deep/" in aws("ls", f"s3://{bucket}/data/")
    (tmp_path / "large").write_bytes(os.urandom(9_000_000))
    aws("cp", str(tmp_path / "large"), f"s3://{bucket}/in parts", "--metadata", "made-by=me")
    aws("cp", f"s3://{bucket}/in parts", f"s3://{bucket}/copy")
    aws("cp", f"s3://{bucket}/copy", str(tmp_path / "copy"))
    assert (tmp_path / "copy").read_bytes() == (folder / "in parts").read_bytes() == (tmp_path / "large").read_bytes()
    aws("mv", f"s3://{bucket}/copy", f"s3://{bucket}/moved")
    aws("rm", f"s3://{bucket}/data", "--recursive")
    assert sorted(path.name for path in folder.iterdir() if path.is_file()) == ["in parts", "moved"]
    aws("rb", f"s3://{bucket}", "--force")
    assert not folder.exists()
