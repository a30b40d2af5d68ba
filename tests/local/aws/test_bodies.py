"""Bodies that nobody has vouched for yet: bounded, whoever sends them and however many."""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Never

import boto3
import psutil
import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from local.aws import bodies
from local.aws.bodies import BodyReader, ClientDisconnectedError
from local.aws.refusals import Fault, SignatureError
from local.core.errors import ServiceError
from local.core.secret import secret_key
from local.core.settings import ACCESS_KEY
from tests.local.conftest import environment_without_aws

REPOSITORY = Path(__file__).resolve().parents[3]
MEBIBYTE = 1024 * 1024


def receive_from(parts, then_leaves=False):
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    messages.append({"type": "http.disconnect"} if then_leaves else {"type": "http.request", "body": b""})
    remaining = iter(messages)

    async def receive():
        return next(remaining)

    return receive, remaining


def read(folder, parts, limit=10 * MEBIBYTE, verify=lambda _: None, **how):
    receive, remaining = receive_from(parts, **how)
    return asyncio.run(BodyReader(folder).read(receive, limit, verify)), list(remaining)


@settings(max_examples=40, deadline=None)
@given(parts=st.lists(st.binary(max_size=30), max_size=6), in_memory=st.integers(1, 60))
def test_a_body_is_read_whole_and_its_hash_is_that_of_all_parts(tmp_path_factory, parts, in_memory) -> None:
    folder = tmp_path_factory.mktemp("bodies")
    hashes: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bodies, "IN_MEMORY", in_memory)
        content, _ = read(folder, parts, verify=hashes.append)
    assert content == b"".join(parts)
    assert hashes == [hashlib.sha256(content).hexdigest().encode()]
    assert list(folder.iterdir()) == []


def test_a_body_that_is_not_the_signed_one_is_not_given_away(tmp_path) -> None:
    def refuse(_) -> Never:
        raise SignatureError(Fault.WRONG, "wrong")

    for part in (b"short", b"x" * 3 * MEBIBYTE):
        with pytest.raises(SignatureError):
            read(tmp_path, [part, part], verify=refuse)


@pytest.mark.parametrize("size", [1, 3 * MEBIBYTE])
def test_a_body_that_is_too_long_is_read_to_its_end_and_refused(tmp_path, size) -> None:
    receive, remaining = receive_from([b"x" * size] * 4)
    with pytest.raises(ServiceError, match=f"exceeded {4 * size - 1} bytes") as refusal:
        asyncio.run(BodyReader(tmp_path).read(receive, 4 * size - 1, lambda _: pytest.fail("it was taken")))
    assert refusal.value.status == 413
    assert list(remaining) == []


def test_a_client_that_leaves_within_a_body_is_noticed(tmp_path) -> None:
    with pytest.raises(ClientDisconnectedError):
        read(tmp_path, [b"half"], then_leaves=True)


def test_only_so_many_bodies_are_read_at_once_and_a_slow_one_makes_way(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(bodies, "AT_ONCE", 2)
    monkeypatch.setattr(bodies, "SECONDS", 0.3)

    def slow():
        parts = iter([{"type": "http.request", "body": b"x", "more_body": True}])

        async def receive():
            return next(parts, None) or await asyncio.sleep(600)  # type: ignore[func-returns-value]

        return receive

    async def run():
        reader = BodyReader(tmp_path)
        slow_ones = [asyncio.create_task(reader.read(slow(), 100, lambda _: None)) for _ in range(3)]
        await asyncio.sleep(0)
        quick, _ = receive_from([b"a", b"b"])
        content = await reader.read(quick, 100, lambda _: None)
        return content, await asyncio.gather(*slow_ones, return_exceptions=True)

    content, outcomes = asyncio.run(run())
    assert content == b"ab"
    assert [outcome.code for outcome in outcomes] == ["RequestTimeout"] * 3


class ServiceProcess:
    """A service of its own, whose memory is watched."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._process = subprocess.Popen(
            [sys.executable, "-m", "local", "--root", str(root), "--port", "0"],
            cwd=REPOSITORY,
            env=environment_without_aws(),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        found = re.search(r":(\d+)$", self._process.stdout.readline().strip())
        assert found
        self.port = int(found[1])
        self._memory = psutil.Process(self._process.pid).memory_info

    def end(self) -> None:
        self._process.terminate()
        self._process.communicate(timeout=20)

    def client(self, name: Any):
        session = boto3.Session(ACCESS_KEY, secret_key(self.root), region_name="us-east-1")
        return session.client(name, endpoint_url=f"http://127.0.0.1:{self.port}")

    def growth(self, work) -> int:
        """How many bytes of memory the service takes more, at the most, while some work is done."""
        before = most = self._memory().rss
        ended = threading.Event()

        def watch() -> None:
            nonlocal most
            while not ended.wait(0.005):
                most = max(most, self._memory().rss)

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            work()
        finally:
            ended.set()
            watcher.join()
        return most - before


@pytest.fixture(scope="module")
def process(tmp_path_factory) -> Iterator[ServiceProcess]:
    started = ServiceProcess(tmp_path_factory.mktemp("bounded") / ".local")
    started.client("sagemaker").list_pipelines()
    yield started
    started.end()


def send(port, service, path, body, access_key=ACCESS_KEY, **headers):
    """Send a body with a signature that is well-formed and wrong; return the answer's status and text."""
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    signed = ";".join(["host", *sorted(name for name in headers), "x-amz-date"])
    credential = f"{access_key}/{now[:8]}/us-east-1/{service}/aws4_request"
    authorization = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={signed}, Signature={'0' * 64}"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        connection.request("POST", path, body, {"Authorization": authorization, "X-Amz-Date": now, **headers})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


HASH = {"x-amz-content-sha256": hashlib.sha256(b"").hexdigest()}


@pytest.mark.parametrize(
    ("service", "path", "size", "headers", "status"),
    [
        pytest.param("sagemaker", "/", 100_000_000, {}, 413, marks=pytest.mark.slow),
        pytest.param("sagemaker", "/endpoints/e/invocations", 100_000_000, {}, 413, marks=pytest.mark.slow),
        pytest.param("lambda", "/2015-03-31/functions", 100_000_000, {}, 413, marks=pytest.mark.slow),
        # The largest body that any operation takes.
        ("lambda", "/2015-03-31/functions", 69_900_000, {}, 403),
        pytest.param("lambda", "/2015-03-31/functions", 69_900_000, HASH, 403, marks=pytest.mark.slow),
        pytest.param("iam", "/", 100_000_000, {}, 413, marks=pytest.mark.slow),
        ("s3", "/bucket/key", 100_000_000, HASH, 403),
    ],
)
def test_wrongly_signed_uploads_cost_the_service_no_memory(process, service, path, size, headers, status) -> None:
    body = b"x" * size

    def upload() -> None:
        with ThreadPoolExecutor(8) as clients:
            sent = [clients.submit(send, process.port, service, path, body, **headers) for _ in range(8)]
        assert {answer.result()[0] for answer in sent} == {status}

    assert process.growth(upload) < 40 * MEBIBYTE


def test_a_stranger_is_refused_before_the_body_is_kept_and_hears_why(process) -> None:
    body = b"x" * 60_000_000

    def upload() -> None:
        status, text = send(process.port, "lambda", "/2015-03-31/functions", body, access_key="ASIAAAAAAAAAAAAAAAAA")
        assert status == 403
        assert "security token included in the request is invalid" in json.loads(text)["message"]

    assert process.growth(upload) < 10 * MEBIBYTE


@pytest.mark.slow
def test_what_the_owner_sends_is_still_taken_up_to_lambdas_limit(process) -> None:
    with pytest.raises(ClientError, match="unzip"):
        process.client("lambda").create_function(
            FunctionName="large",
            Runtime="python3.12",
            Handler="main.handler",
            Role="arn:aws:iam::123456789012:role/functions",
            Code={"ZipFile": b"x" * 52_000_000},
        )
