"""A write to S3 is whole or absent: with a full disk, a client that goes away, a kill; and it takes little memory."""

import hashlib
import socket
import subprocess
import sys
import time
from pathlib import Path

import boto3
import psutil
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.core.secret import secret_key
from local.core.settings import ACCESS_KEY
from tests.local.conftest import environment_without_aws

REPOSITORY = Path(__file__).resolve().parents[4]
MEBIBYTE = 1024 * 1024
LIMITED = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, ({0}, {0})); import runpy; " + (
    "sys.argv = ['local', *sys.argv[1:]]; runpy.run_module('local', run_name='__main__')"
)


class Process:
    """A service in a process of its own, which can be killed, and whose files can be limited."""

    def __init__(self, root, limit=None) -> None:
        start = ["-m", "local"] if limit is None else ["-c", LIMITED.format(limit)]
        self.root = root
        self.process = subprocess.Popen(
            [sys.executable, *start, "--root", str(root), "--port", "0"],
            cwd=REPOSITORY,
            env=environment_without_aws(),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline().strip().rpartition(":")[2])
        self.s3 = boto3.Session(ACCESS_KEY, secret_key(root), region_name="us-east-1").client(
            "s3", endpoint_url=f"http://127.0.0.1:{self.port}", config=Config(retries={"total_max_attempts": 1})
        )

    @property
    def leftovers(self):
        return list((self.root / "s3" / ".nanio" / "uploads").iterdir())

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def start(tmp_path):
    started = []

    def start(**how):
        started.append(Process(tmp_path / ".local", **how))
        return started[-1]

    yield start
    for each in started:
        each.end()


def test_parts_and_copies_that_a_full_disk_cuts_short_are_not_there(start) -> None:
    service = start()
    service.s3.create_bucket(Bucket="bucket")
    service.s3.put_object(Bucket="bucket", Key="large", Body=b"x" * 3 * MEBIBYTE)
    service.end()
    service = start(limit=2 * MEBIBYTE)
    s3 = service.s3
    at = {"Bucket": "bucket", "Key": "parts"}
    at["UploadId"] = s3.create_multipart_upload(**at)["UploadId"]
    source = {"Bucket": "bucket", "Key": "large"}
    for write in (
        lambda: s3.upload_part(**at, PartNumber=1, Body=b"y" * 3 * MEBIBYTE),
        lambda: s3.upload_part_copy(**at, PartNumber=1, CopySource=source),
        lambda: s3.copy_object(Bucket="bucket", Key="copy", CopySource=source),
    ):
        with pytest.raises(ClientError, match="no space is left") as refusal:
            write()
        assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 507
    assert "Parts" not in s3.list_parts(**at)
    assert [item["Key"] for item in s3.list_objects_v2(Bucket="bucket")["Contents"]] == ["large"]
    assert service.leftovers == []


def test_a_part_whose_client_goes_away_is_not_there(start) -> None:
    service = start()
    service.s3.create_bucket(Bucket="bucket")
    at = {"Bucket": "bucket", "Key": "key"}
    at["UploadId"] = service.s3.create_multipart_upload(**at)["UploadId"]
    url = service.s3.generate_presigned_url("upload_part", at | {"PartNumber": 1})
    with socket.create_connection(("127.0.0.1", service.port)) as client:
        head = f"PUT {url.partition(str(service.port))[2]} HTTP/1.1\r\nHost: 127.0.0.1:{service.port}\r\n"
        client.sendall(f"{head}Content-Length: 10000000\r\n\r\n".encode() + b"x" * 3 * MEBIBYTE)
        while not service.leftovers:
            time.sleep(0.01)
    while service.leftovers:
        time.sleep(0.01)
    assert "Parts" not in service.s3.list_parts(**at)


@pytest.mark.slow
def test_a_large_upload_and_its_way_back_take_little_memory(start, tmp_path) -> None:
    service = start()
    service.s3.create_bucket(Bucket="bucket")
    service.s3.put_object(Bucket="bucket", Key="small", Body=b"x")
    path = tmp_path / "large"
    with path.open("wb") as file:
        for number in range(200):
            file.write(bytes([number]) * MEBIBYTE)
    memory = psutil.Process(service.process.pid).memory_info
    before = memory().rss
    with path.open("rb") as file:
        service.s3.put_object(Bucket="bucket", Key="large", Body=file, ChecksumAlgorithm="SHA256")
    assert memory().rss - before < 40 * MEBIBYTE
    service.s3.copy_object(Bucket="bucket", Key="copy", CopySource={"Bucket": "bucket", "Key": "large"})
    digest = hashlib.sha256()
    for part in service.s3.get_object(Bucket="bucket", Key="copy")["Body"].iter_chunks(MEBIBYTE):
        digest.update(part)
    assert digest.hexdigest() == hashlib.sha256(path.read_bytes()).hexdigest()
    assert memory().rss - before < 60 * MEBIBYTE
    assert (service.root / "s3" / "bucket" / "copy").stat().st_size == 200 * MEBIBYTE
