"""What a client or a job hands over takes little time and memory of the service, whatever it holds."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import threading
import tracemalloc
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.algorithms.linear_learner.inference import MAXIMUM_BODY_BYTES, Model
from local.api.s3.chunked import Body
from local.aws.credentials import KeyRing
from local.aws.sigv4 import Signature
from local.core.archives import ArchiveError, open_zip
from local.core.settings import Settings
from local.records.kinds import MODEL, TRANSFORM_JOB
from local.runtime.jobs import inputs, transform
from local.runtime.jobs.training_folder import TrainingFolder
from local.runtime.lines import LONGEST_LINE, read_lines
from local.runtime.models.servers import ModelServers
from local.runtime.program_output import OutputReader
from local.runtime.supervisor import Supervisor
from local.storage.log_files import Logs
from local.storage.objects import Objects
from local.storage.store import Store
from tests.local.conftest import IMAGE
from tests.within_limits import run_within_limits


def test_a_zip_files_list_of_files_is_not_read_if_it_is_huge() -> None:
    code = """\
    import io, struct, zipfile
    from local.core.archives import ArchiveError, open_zip
    entry = struct.pack("<4s4B4HL2L5H2L", b"PK\\1\\2", 20, 3, 20, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    names = entry * 400_000
    end = struct.pack("<4s4H2LH", b"PK\\5\\6", 0, 0, 65535, 65535, len(names), 0, 0)
    file = io.BytesIO(names + end)
    # limited
    try:
        open_zip(file)
    except ArchiveError as error:
        print(error)
    """
    assert "its list of files takes more than" in run_within_limits(code, mebibytes=60)


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_a_zip_file_of_another_compression_is_refused(method) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", method) as opened:
        opened.writestr("main.py", "")
    with pytest.raises(ArchiveError, match=r"main\.py is encrypted, or its compression is not deflate"):
        open_zip(archive)


def test_an_uploads_chunk_is_handed_on_as_it_comes() -> None:
    parts = iter([b"40000000\r\n", b"x" * 100, b"y" * 50])

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": next(parts), "more_body": True}

    async def begin() -> list[bytes]:
        signature = Signature("local", ("20260131", "us-east-1", "s3"), b"host", b"5" * 64, b"20260131T120000Z")
        body = Body(receive, b"STREAMING-UNSIGNED-PAYLOAD-TRAILER", signature, b"key")
        return [(await body())["body"], (await body())["body"]]

    assert asyncio.run(begin()) == [b"x" * 100, b"y" * 50]


def test_a_line_without_an_end_comes_in_pieces() -> None:
    content = b"first\n" + b"x" * (5 * LONGEST_LINE) + b"\nlast\r\nrest"
    chunks = (content[start : start + 70_000] for start in range(0, len(content), 70_000))
    lines: list[str] = []
    program: Any = SimpleNamespace(read_output=lambda: chunks, process=1)
    last = OutputReader(program, lines.extend).finish()
    assert max(map(len, lines)) == LONGEST_LINE
    assert "".join(lines) == content.decode().replace("\n", "").replace("\r", "")
    assert (lines[0], lines[-2:], last[-2:]) == ("first", ["last", "rest"], ["last", "rest"])


def test_a_line_that_is_split_keeps_its_characters() -> None:
    text = "x" + "é€😀" * 400_000
    lines = [line for some in read_lines([text.encode()]) for line in some]
    assert "".join(lines) == text
    assert max(len(line.encode()) for line in lines) <= LONGEST_LINE


def test_a_log_line_that_grows_is_not_read_again_and_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []

    class Counted(io.FileIO):
        def read(self, size: int | None = -1) -> bytes:
            content = super().read(-1 if size is None else size)
            read.append(len(content))
            return content

    (tmp_path / "output").mkdir()
    path = tmp_path / "output" / "log.txt"
    pieces: list[str] = []
    log: Any = SimpleNamespace(write=pieces.extend)
    record = {"TrainingJobName": "job", "AlgorithmSpecification": {}}
    unused: Any = None
    folder = TrainingFolder(record, tmp_path, log, None, unused)
    for _ in range(40):
        with path.open("ab") as file:
            file.write(b"x" * (LONGEST_LINE // 4))
        with monkeypatch.context() as patch:
            patch.setattr(Path, "open", lambda path, _: Counted(path))
            folder.read_log()
    folder.read_log(to_end=True)
    assert "".join(pieces) == path.read_text()
    assert max(map(len, pieces)) == LONGEST_LINE
    assert sum(read) < 5 * path.stat().st_size


@pytest.fixture
def objects(tmp_path: Any) -> Objects:
    (tmp_path / "bucket").mkdir()
    return Objects(tmp_path)


def test_a_manifest_that_is_nested_deeply_or_huge_says_so(objects, monkeypatch) -> None:
    objects.write("s3://bucket/list", b"[" * 200_000)
    with pytest.raises(inputs.InputError, match="its JSON is nested too deeply"):
        inputs.find(objects, "ManifestFile", "s3://bucket/list")
    monkeypatch.setattr(inputs, "LARGEST_MANIFEST", 10)
    with pytest.raises(inputs.InputError, match="has 200000 bytes, and at most 10 are read"):
        inputs.find(objects, "ManifestFile", "s3://bucket/list")


def test_a_batch_transform_unpacks_no_more_than_the_largest_request(objects, tmp_path, monkeypatch) -> None:
    size = 20 * MAXIMUM_BODY_BYTES
    objects.write("s3://bucket/model.tar.gz", b"")
    objects.write("s3://bucket/rows.gz", gzip.compress(b"1\n" * (size // 2), compresslevel=1))
    sent: list[int] = []

    def invoke(body: bytes, *_: str) -> tuple[bytes, str]:
        sent.append(len(body))
        return b"", ""

    monkeypatch.setattr(Model, "load", lambda _: SimpleNamespace(invoke=invoke))
    settings = Settings(tmp_path / ".local")
    store = Store(settings.database)
    store.insert(MODEL.name, "any", {"_Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://bucket/model.tar.gz"}]})
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/rows.gz"}}
    record = {
        "TransformJobName": "job",
        "TransformJobStatus": "InProgress",
        "ModelName": "any",
        "TransformInput": {
            "DataSource": source,
            "CompressionType": "Gzip",
            "ContentType": "text/csv",
            "SplitType": "None",
        },
        "TransformOutput": {"S3OutputPath": "s3://bucket/out"},
    }
    store.insert(TRANSFORM_JOB.name, "job", record)
    servers = ModelServers(settings, KeyRing("key"), Supervisor(settings))
    runner = transform.TransformRunner(store, settings, objects, Logs(settings.logs), servers)
    tracemalloc.start()
    try:
        runner.run("job")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    job = store.get(TRANSFORM_JOB.name, "job")
    store.close()
    assert (job["TransformJobStatus"], sent) == ("Failed", [])
    assert "Too much data for max payload size" in job["FailureReason"]
    assert peak < size / 4


def test_a_function_takes_no_more_than_lambda_sends(service) -> None:
    client = service.client("lambda")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("main.py", "def handler(event, context): return len(event)")
    role = "arn:aws:iam::123456789012:role/function"
    client.create_function(
        FunctionName="limits",
        Runtime="python3.11",
        Role=role,
        Handler="main.handler",
        Code={"ZipFile": archive.getvalue()},
    )
    with pytest.raises(ClientError, match="RequestTooLargeException"):
        client.invoke(FunctionName="limits", Payload=json.dumps("x" * 6 * 1024 * 1024))
    with pytest.raises(ClientError, match="RequestTooLargeException"):
        client.invoke(FunctionName="limits", InvocationType="Event", Payload=json.dumps("x" * 1024 * 1024))
    with pytest.raises(ClientError, match="nested too deeply"):
        client.invoke(FunctionName="limits", Payload="[" * 200_000)


@pytest.mark.parametrize(("size", "in_the_loop"), [(100_000, True), (1_000_000, False)])
def test_a_large_request_to_an_endpoint_leaves_the_gateways_thread_to_others(
    service, monkeypatch, size, in_the_loop
) -> None:
    threads: list[str] = []

    def invoke(*_: Any) -> Any:
        threads.append(threading.current_thread().name)
        return 200, [], b""

    monkeypatch.setattr(service.parts.hosting, "invoke", invoke)
    service.client("sagemaker-runtime").invoke_endpoint(EndpointName="any", Body=b"1" * size)
    assert [name == "gateway" for name in threads] == [in_the_loop]


def test_listings_leave_the_gateways_thread_to_other_requests(service, monkeypatch) -> None:
    s3, threads = service.client("s3"), []
    s3.create_bucket(Bucket="listed")
    original = Objects.listing

    def listing(*arguments: Any) -> Any:
        threads.append(threading.current_thread().name)
        return original(*arguments)

    monkeypatch.setattr(Objects, "listing", listing)
    s3.list_objects_v2(Bucket="listed")
    s3.list_objects(Bucket="listed")
    s3.list_object_versions(Bucket="listed")
    assert len(threads) == 3
    assert "gateway" not in threads


def test_the_times_of_a_long_log_are_read_from_its_ends(tmp_path, monkeypatch) -> None:
    logs = Logs(tmp_path)
    assert logs.ends("group", "stream") is None
    logs.put("group", "stream", [])
    assert logs.ends("group", "stream") is None
    logs.put("group", "stream", [(1_000, "first"), *((2_000, "x" * 999) for _ in range(50)), (3_000, "y" * 9_999)])
    with logs.path("group", "stream").open("a") as file:
        file.write("2026-01-31T12:00:00.000Z half")
    monkeypatch.setattr(Logs, "stream_events", None)
    assert logs.ends("group", "stream") == (1_000, 3_000)
