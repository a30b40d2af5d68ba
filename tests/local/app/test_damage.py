"""Damaged files and records never keep the service from starting: they are set aside and named."""

from __future__ import annotations

import io
import json
import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.app.server import LocalService
from local.core.settings import Settings
from tests.local.conftest import IMAGE, ROLE, RunningService, make_artifact

PIPELINE = {
    "Version": "2020-12-01",
    "Parameters": [],
    "Steps": [{"Name": "Fail", "Type": "Fail", "Arguments": {"ErrorMessage": "as wanted"}}],
}


def function_zip() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("main.py", "def handler(event, context):\n    return event\n")
    return archive.getvalue()


def populate(service: RunningService, folder: Path) -> None:
    """Create one resource of each kind, and an execution that has ended."""
    s3, sagemaker, functions = service.client("s3"), service.client("sagemaker"), service.client("lambda")
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="folder/key", Body=b"content", Metadata={"name": "value"})
    s3.put_object(Bucket="bucket", Key="model.tar.gz", Body=make_artifact(folder, [1.0]))
    s3.put_bucket_tagging(Bucket="bucket", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    service.client("logs").create_log_group(logGroupName="/aws/lambda/group", tags={"a": "b"})
    code = {"ZipFile": function_zip()}
    functions.create_function(FunctionName="f", Runtime="python3.11", Role=ROLE, Handler="main.handler", Code=code)
    container = {"Image": IMAGE, "ModelDataUrl": "s3://bucket/model.tar.gz"}
    sagemaker.create_model(ModelName="m", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="c")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="e", WaiterConfig={"Delay": 1})
    sagemaker.create_model_package_group(ModelPackageGroupName="g", Tags=[{"Key": "a", "Value": "b"}])
    sagemaker.create_model_package(
        ModelPackageGroupName="g",
        InferenceSpecification={
            "Containers": [container],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )
    document = json.dumps(PIPELINE)
    sagemaker.create_pipeline(PipelineName="p", PipelineDefinition=document, RoleArn=ROLE, ClientRequestToken="x" * 32)
    arn = sagemaker.start_pipeline_execution(PipelineName="p", ClientRequestToken="x" * 32)["PipelineExecutionArn"]
    parts = service.parts
    assert parts.store.wait_until(lambda: _has_ended(sagemaker_status(parts.store, arn)), 20)


def sagemaker_status(store: Any, arn: str) -> str:
    status: str = store.get("pipeline-execution", arn)["PipelineExecutionStatus"]
    return status


def _has_ended(status: str) -> bool:
    return status in ("Succeeded", "Failed", "Stopped")


def look_at_everything(service: RunningService) -> None:
    """Call what lists resources. None of them may fail."""
    sagemaker = service.client("sagemaker")
    sagemaker.list_pipelines()
    for pipeline in sagemaker.list_pipelines()["PipelineSummaries"]:
        sagemaker.list_pipeline_executions(PipelineName=pipeline["PipelineName"])
    for kind in ("models", "model_package_groups", "endpoints", "endpoint_configs", "training_jobs", "processing_jobs"):
        getattr(sagemaker, f"list_{kind}")()
    for group in sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]:
        sagemaker.list_model_packages(ModelPackageGroupName=group["ModelPackageGroupName"])
    service.client("lambda").list_functions()
    service.client("logs").describe_log_groups()
    s3 = service.client("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        for found in s3.list_objects_v2(Bucket=bucket["Name"]).get("Contents", []):
            s3.head_object(Bucket=bucket["Name"], Key=found["Key"])


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A service's folder with one resource of each kind."""
    folder = tmp_path_factory.mktemp("before")
    with LocalService(Settings(folder / ".local", port=0)) as running:
        populate(RunningService(running), folder)
    return folder / ".local"


@pytest.fixture
def root(before: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(before, tmp_path / ".local"))


def start(root: Path) -> list[str]:
    """Start the service, look at everything, and return what it says about damage."""
    with LocalService(Settings(root, port=0)) as running:
        look_at_everything(RunningService(running))
        return running.damaged


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def fill_with_garbage(path: Path) -> None:
    path.write_bytes(b"\x00\xff garbage \x80" * 400)


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES = [empty, cut, fill_with_garbage, make_folder, Path.unlink]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_no_damaged_file_keeps_the_service_from_starting(before, tmp_path, damage: Callable[[Path], None]) -> None:
    # All files of the service at once; each of them alone is the slow test below.
    root = Path(shutil.copytree(before, tmp_path / ".local"))
    own = [path for path in root.rglob("*") if path.is_file() and not path.name.endswith(("-wal", "-shm"))]
    for path in own:
        damage(path)
    said = start(root)
    # Half a key is a key, and no store is a new one.
    named = {"cut": ("records.sqlite", ".log-group"), "empty": ("secret-key", ".log-group"), "unlink": ()}
    for name in named.get(damage.__name__, ("records.sqlite", "secret-key", ".log-group")):
        assert any(name in sentence for sentence in said), said
    for sentence in said:
        assert str(root / "damaged") in sentence
    assert start(root) == []


@pytest.mark.slow
@pytest.mark.parametrize("damage", [fill_with_garbage, make_folder], ids=lambda damage: damage.__name__)
def test_no_single_damaged_file_does(before, tmp_path, damage: Callable[[Path], None]) -> None:
    files = [path.relative_to(before) for path in before.rglob("*") if path.is_file()]
    assert len(files) > 8
    for number, file in enumerate(files):
        root = Path(shutil.copytree(before, tmp_path / str(number)))
        damage(root / file)
        start(root)


def records(root: Path) -> list[tuple[str, str, str]]:
    with sqlite3.connect(root / "records.sqlite") as database:
        return database.execute("SELECT kind, key, document FROM records").fetchall()


def change_records(root: Path, change: Callable[[str], Any]) -> int:
    rows = records(root)
    with sqlite3.connect(root / "records.sqlite") as database:
        for kind, key, document in rows:
            database.execute(
                "UPDATE records SET document = ? WHERE kind = ? AND key = ?", (change(document), kind, key)
            )
    return len(rows)


GARBAGE = {
    "text": "garbage",
    "bytes": b"\xff\xfe",
    "list": "[]",
    "number": 5,
    "empty object": "{}",
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
def test_records_that_are_garbage_are_set_aside(root, garbage) -> None:
    count = change_records(root, lambda _: garbage)
    said = start(root)
    assert len(said) == count
    (file,) = (root / "damaged").glob("*/records.jsonl")
    assert len(file.read_text().splitlines()) == count
    assert records(root) == []


def test_a_record_that_lacks_a_member_is_set_aside_and_the_others_stay(root) -> None:
    with sqlite3.connect(root / "records.sqlite") as database:
        database.execute("UPDATE records SET document = json_remove(document, '$.ModelArn') WHERE kind = 'model'")
    (sentence,) = start(root)
    assert "record of model 'm' lacks the member ModelArn" in sentence
    with LocalService(Settings(root, port=0)) as running:
        client = RunningService(running).client("sagemaker")
        assert client.list_models()["Models"] == []
        assert client.describe_endpoint(EndpointName="e")["EndpointStatus"] == "InService"


@pytest.mark.slow
def test_no_record_without_any_one_member_keeps_the_service_from_starting(before, tmp_path) -> None:
    for number, (kind, key, document) in enumerate(records(before)):
        root = Path(shutil.copytree(before, tmp_path / str(number)))
        with sqlite3.connect(root / "records.sqlite") as database:
            for member in json.loads(document):
                fewer = {name: value for name, value in json.loads(document).items() if name != member}
                database.execute(
                    "INSERT INTO records VALUES (?, ?, 999, ?)", (kind, f"{key}-{member}", json.dumps(fewer))
                )
        with LocalService(Settings(root, port=0)):
            pass


def test_what_can_be_read_of_a_damaged_store_is_kept(root) -> None:
    path = root / "records.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for number in range(300):
            row = ("tags", f"arn:{number:04d}", 1000 + number, json.dumps({"Values": {"key": "x" * 200}}))
            database.execute("INSERT INTO records VALUES (?, ?, ?, ?)", row)
    database.close()
    content = bytearray(path.read_bytes())
    page = content.index(b"arn:0150") // 4096 * 4096
    content[page : page + 4096] = b"\xff" * 4096
    path.write_bytes(content)
    (sentence,) = start(root)
    assert "records could be read and are kept" in sentence
    kept = {key for _, key, _ in records(root)}
    assert 100 < len([key for key in kept if key.startswith("arn:0")]) < 300
    assert "arn:0000" in kept


def test_a_function_without_its_code_says_so_until_it_is_published_again(root) -> None:
    shutil.rmtree(root / "functions")
    with LocalService(Settings(root, port=0)) as running:
        assert any("function f: Failed, because its code is missing" in sentence for sentence in running.restored)
        client = RunningService(running).client("lambda")
        described = client.get_function_configuration(FunctionName="f")
        assert (described["State"], described["CodeSha256"]) == ("Failed", "")
        with pytest.raises(ClientError, match=r"ResourceConflictException.*code of f is missing"):
            client.invoke(FunctionName="f", Payload=b"1")
        assert client.update_function_code(FunctionName="f", ZipFile=function_zip())["State"] == "Active"
        assert client.invoke(FunctionName="f", Payload=b"1")["Payload"].read() == b"1"


def test_garbage_in_the_lock_of_a_running_service_does_not_hide_that_it_runs(root) -> None:
    with LocalService(Settings(root, port=0)):
        (root / "service.lock").write_bytes(b'{"process": 1, "environment": []}')
        with pytest.raises(Exception, match="in use by the local service"):
            LocalService(Settings(root, port=0)).start()
