"""Nothing that a request or a job names is read or written outside the service's folder."""

from __future__ import annotations

import io
import json
import os
import urllib.error
import urllib.request
import zipfile
from typing import Any

import botocore.session
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from definition_language.expressions import ExpressionError
from local.core.errors import ServiceError
from local.core.paths import UnsafeNameError, below
from local.core.settings import ACCESS_KEY
from local.interpreter.definition import Definition
from local.interpreter.scope import ExecutionScope
from local.runtime.errors import JobFailedError
from local.runtime.jobs import inputs
from local.runtime.jobs.uploads import upload
from local.storage.object_paths import BucketPaths, RefusedNameError
from local.storage.objects import Objects, S3Uri
from tests.local.conftest import RunningService
from tests.local.runtime.jobs.conftest import ROLE, SCIKIT_LEARN, training_request

BUCKET = "contained"
REFUSED = ["", "..", "../x", "a/../../x", "a/./../../x", "//../x", "\ud800", "a" * 1025, "é" * 513]
AWKWARD = [
    *("/abs", "a//b", "a/", "a/./b", "a/../b", ".", "a\\..\\..\\x", "a\0b", "a\nb", "a\rb", "+/", "a%2Fb/", "é//"),
    *(".nanio/x", "a/.nanio-meta/x", ".nanio-keys/a", "a" * 256, "b" * 250, "é" * 128, "a/" * 512, "?" * 1024),
    *("x" * 240 + "/", "x" * 241 + "/", "/" * 80, "/" * 81, "a.json/b", "a.json", "~/", "a#b?c"),
]


@pytest.fixture
def secret(tmp_path: Any) -> Any:
    """A file outside the service's folder."""
    file = tmp_path / "secret.json"
    file.write_text('{"value": 41}')
    return file


@pytest.fixture(scope="module")
def s3(service: RunningService) -> Any:
    client = service.client("s3")
    client.create_bucket(Bucket=BUCKET)
    client.put_object(Bucket=BUCKET, Key="there", Body=b"there")
    return client


def raw(service: RunningService, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
    """A signed request to a path that no client would send."""
    url = f"{service.settings.endpoint_url}{path}"
    request = AWSRequest(method, url, data=body, headers=headers)
    credentials = botocore.session.get_session()
    credentials.set_credentials(ACCESS_KEY, service.settings.secret_key)
    S3SigV4Auth(credentials.get_credentials(), "s3", service.settings.region).add_auth(request)  # type: ignore[arg-type]
    sent = urllib.request.Request(url, body or None, dict(request.headers.items()), method=method)
    try:
        with urllib.request.urlopen(sent) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@pytest.mark.parametrize("key", REFUSED)
def test_a_key_that_s3_refuses_has_no_path(tmp_path, key) -> None:
    paths = BucketPaths(tmp_path)
    for use in (paths.plain, paths.escaped, lambda *names: next(paths.sidecars(*names))):
        with pytest.raises(RefusedNameError) as refused:
            use(BUCKET, key)
        assert refused.value.s3_code in {"InvalidRequest", "InvalidURI", "KeyTooLongError"}


def test_no_two_keys_share_a_path(tmp_path) -> None:
    paths, owners = BucketPaths(tmp_path), dict[Any, str]()
    for key in {*AWKWARD, *(f"{key}/x" for key in AWKWARD if len(key) < 300), *"ab"}:
        found = [paths.plain(BUCKET, key), paths.escaped(BUCKET, key), *paths.sidecars(BUCKET, key)]
        for path in filter(None, found):
            assert owners.setdefault(path, key) == key
            assert os.path.commonpath([tmp_path / BUCKET, os.path.normpath(path)]) == str(tmp_path / BUCKET)
            assert max(len(part.encode()) for part in path.parts) <= 255
    # No file that is escaped is the folder of another one.
    escaped = {path for path in owners if ".nanio-keys" in path.relative_to(tmp_path).parts[1:2]}
    assert not escaped.intersection(folder for path in escaped for folder in path.parents)


@pytest.mark.parametrize("bucket", ["..", ".", "", ".nanio", "a", "A-bucket", "a/b", "bucket\n", "10.0.0.1", "a..b"])
def test_no_bucket_is_a_folder_elsewhere(tmp_path, bucket) -> None:
    with pytest.raises(RefusedNameError) as refused:
        BucketPaths(tmp_path).bucket(bucket)
    assert refused.value.s3_code == "InvalidBucketName"


NAMES = st.text(alphabet="a./\\\0 é", max_size=8)


@given(NAMES, NAMES)
def test_two_names_have_two_paths_below_their_folder(tmp_path_factory, first, second) -> None:
    folder = tmp_path_factory.getbasetemp()
    found = []
    for name in (first, second):
        try:
            found.append(below(folder, name))
        except UnsafeNameError:
            return
    for path in found:
        assert os.path.commonpath([folder, os.path.normpath(path)]) == str(folder)
    assert (found[0] == found[1]) == (first == second)


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD", "DELETE"])
@pytest.mark.parametrize("form", ["/contained/{secret}", "/contained/x/..%2f..%2f..%2f..{secret}", "/..{secret}"])
def test_raw_requests_reach_nothing_outside(service, s3, secret, method, form) -> None:
    status, answer = raw(service, method, form.format(secret=secret), b"overwritten" if method == "PUT" else b"")
    assert status in {400, 403, 404} or (form.startswith("/contained/{") and method in {"PUT", "DELETE"})
    assert b"41" not in answer.partition(b"<RequestId>")[0].replace(str(secret).encode(), b"")
    assert secret.read_text() == '{"value": 41}'


def test_two_keys_that_are_not_utf_8_do_not_become_one(service, s3) -> None:
    assert raw(service, "PUT", "/contained/%FF", b"x")[0] == 400
    assert "�" not in [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]


def test_a_copy_and_a_deletion_of_many_name_nothing_outside(service, s3, secret) -> None:
    status, _ = raw(service, "PUT", "/contained/copy", **{"x-amz-copy-source": f"/contained/../..{secret}"})  # type: ignore[arg-type]
    assert status == 400
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.copy_object(Bucket=BUCKET, Key="copy", CopySource={"Bucket": BUCKET, "Key": str(secret)})
    [error] = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": f"../..{secret}"}]})["Errors"]
    assert error["Code"] == "InvalidURI"
    s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": str(secret)}]})
    assert secret.exists()


def test_an_uploads_id_names_that_upload_only(service, s3) -> None:
    one = s3.create_multipart_upload(Bucket=BUCKET, Key="one")["UploadId"]
    for upload_id, key in ((".", "one"), ("..", "one"), (one, "two")):
        with pytest.raises(ClientError, match="NoSuchUpload"):
            s3.abort_multipart_upload(Bucket=BUCKET, Key=key, UploadId=upload_id)
    assert [each["UploadId"] for each in s3.list_multipart_uploads(Bucket=BUCKET)["Uploads"]] == [one]
    s3.abort_multipart_upload(Bucket=BUCKET, Key="one", UploadId=one)


def test_a_link_that_a_job_put_into_a_bucket_is_no_way_out(service, s3, secret) -> None:
    bucket = service.settings.buckets / BUCKET
    (bucket / "link").symlink_to(secret)
    (bucket / "folder").symlink_to(secret.parent)
    try:
        listed = [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
        assert not {"link", "folder/secret.json"}.intersection(listed)
        for key in ("link", "folder/secret.json", "folder/new"):
            for call in (
                lambda key=key: s3.get_object(Bucket=BUCKET, Key=key)["Body"].read(),
                lambda key=key: s3.put_object(Bucket=BUCKET, Key=key, Body=b"x"),
                lambda key=key: s3.delete_object(Bucket=BUCKET, Key=key),
            ):
                with pytest.raises(ClientError, match="AccessDenied"):
                    call()
            with pytest.raises(ServiceError, match="symbolic link"):
                service.parts.objects.read(f"s3://{BUCKET}/{key}")
        assert service.parts.objects.keys(f"s3://{BUCKET}/folder") == []
        assert sorted(path.name for path in secret.parent.iterdir()) == ["secret.json"]
    finally:
        (bucket / "link").unlink()
        (bucket / "folder").unlink()


@pytest.mark.parametrize("uri", ["s3://contained/..{}", "s3://../contained{}", "s3://contained/a/../../../..{}"])
def test_no_object_of_the_service_is_a_file_elsewhere(service, s3, secret, uri) -> None:
    uri = uri.format(secret)
    objects = service.parts.objects
    for use in (objects.exists, objects.read, objects.keys, objects.delete, objects.bucket_exists):
        with pytest.raises(ServiceError):
            use(uri)
    with pytest.raises(ServiceError):
        objects.write(uri, b"overwritten")
    assert secret.read_text() == '{"value": 41}'


def test_jobs_are_not_made_whose_data_lie_elsewhere(service, s3, secret) -> None:
    client = service.client("sagemaker")
    outside = f"s3://{BUCKET}/..{secret.parent}"
    training: dict[str, Any] = training_request("contained")
    with pytest.raises(ClientError, match="ValidationException"):
        client.create_training_job(**training | {"OutputDataConfig": {"S3OutputPath": outside}})
    with pytest.raises(ClientError, match="ValidationException"):
        client.create_processing_job(
            ProcessingJobName="contained",
            RoleArn=ROLE,
            AppSpecification={"ImageUri": SCIKIT_LEARN, "ContainerEntrypoint": ["python3", "/opt/ml/x.py"]},
            ProcessingOutputConfig={
                "Outputs": [
                    {
                        "OutputName": "out",
                        "S3Output": {
                            "S3Uri": outside,
                            "LocalPath": "/opt/ml/processing/out",
                            "S3UploadMode": "EndOfJob",
                        },
                    }
                ]
            },
            ProcessingResources={
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 30}
            },
        )
    assert sorted(path.name for path in secret.parent.iterdir()) == ["secret.json"]


def test_the_code_of_a_function_is_not_a_file_elsewhere(service, s3, tmp_path) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("main.py", "def handler(event, context): return 1")
    (tmp_path / "code.zip").write_bytes(archive.getvalue())
    with pytest.raises(ClientError):
        service.client("lambda").create_function(
            FunctionName="contained",
            Runtime="python3.12",
            Role=ROLE,
            Handler="main.handler",
            Code={"S3Bucket": BUCKET, "S3Key": str(tmp_path / "code.zip")},
        )


def test_json_that_a_pipeline_reads_is_not_a_file_elsewhere(service, s3, secret) -> None:
    scope = ExecutionScope(service.parts.store, service.parts.objects, Definition.__new__(Definition), {})
    for key in (secret, f"a/../../../..{secret}"):
        with pytest.raises(ExpressionError):
            scope.json_file(f"s3://{BUCKET}/{key}")


@pytest.mark.parametrize("stream", ["{}", "../../..{}", "a//b", "x" * 300])
def test_a_log_stream_is_not_a_file_elsewhere(service, tmp_path, stream) -> None:
    logs = service.client("logs")
    if not service.parts.logs.has_group("contained"):
        logs.create_log_group(logGroupName="contained")
    with pytest.raises(ClientError, match="InvalidParameterException"):
        logs.create_log_stream(logGroupName="contained", logStreamName=stream.format(tmp_path / "stream"))
    assert list(tmp_path.iterdir()) == []


def test_no_group_spoils_or_takes_the_place_of_another(service) -> None:
    logs = service.client("logs")
    logs.create_log_group(logGroupName="/of-two/names")
    for name in ("of-two/.log-group", ".log-groups/x"):
        with pytest.raises(ClientError, match="InvalidParameterException"):
            logs.create_log_group(logGroupName=name)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        logs.describe_log_streams(logGroupName="of-two/names")
    assert "/of-two/names" in [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]


@pytest.fixture
def objects(tmp_path: Any) -> Objects:
    (tmp_path / "s3" / BUCKET).mkdir(parents=True)
    return Objects(tmp_path / "s3")


@pytest.mark.parametrize("key", ["../x", "/x", "./x", "a//x"])
def test_a_manifests_key_has_its_place_in_the_inputs_folder(objects, tmp_path, key) -> None:
    objects.write(f"s3://{BUCKET}/a../x", b"x")
    objects.write(f"s3://{BUCKET}/a./x", b"x")
    objects.write(f"s3://{BUCKET}/list", json.dumps([{"prefix": f"s3://{BUCKET}/a"}, key]).encode())
    with pytest.raises(inputs.InputError):
        inputs.find(objects, "ManifestFile", f"s3://{BUCKET}/list")
    with pytest.raises(inputs.InputError):
        inputs.download(objects, [inputs.InputFile(f"s3://{BUCKET}/a../x", key)], tmp_path / "input" / "a", link=False)
    assert not (tmp_path / "input" / "x").exists()


@pytest.mark.parametrize("name", ["link", b"\xff"])
def test_an_output_that_cannot_become_an_object_fails_the_job_and_stores_none(objects, tmp_path, secret, name) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "a-file").write_text("")
    if name == "link":
        (folder / name).symlink_to(secret)
    else:
        (folder / os.fsdecode(name)).write_text("")
    with pytest.raises(JobFailedError, match=r"Failed to upload to s3://contained/out: "):
        upload(objects, folder, f"s3://{BUCKET}/out")
    assert objects.keys(f"s3://{BUCKET}/") == []


def test_a_link_within_an_output_is_a_file_of_it(objects, tmp_path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "file").write_text("content")
    (folder / "link").symlink_to(folder / "file")
    assert upload(objects, folder, f"s3://{BUCKET}/out") == ["out/file", "out/link"]
    assert objects.read(f"s3://{BUCKET}/out/link") == b"content"


def test_a_prefix_is_no_object(objects) -> None:
    objects.write(f"s3://{BUCKET}/a/b", b"")
    assert not objects.exists(f"s3://{BUCKET}/a/b/")
    assert objects.keys(str(S3Uri(BUCKET, "a/"))) == ["a/b"]
