"""Measures an endpoint of the local service: latency, throughput, and an update under load.

The service is one process and this program, which generates the load, another. Raw requests carry a signature made
once, as it holds for 15 minutes; a bare server that answers the same bytes without looking at the request tells
which part of a number is the protocol's.

Run: ``python -m benchmarks.endpoint``.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import io
import socket
import statistics
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import numpy as np
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from rich.console import Console
from rich.table import Table

from local.linear_learner import artifact
from local.settings import ACCESS_KEY, HOST, SECRET_KEY

REGION = "us-east-1"
ENDPOINT = "benchmark"
FEATURES = 11
CONNECTIONS = 50
_TURN = 50
_IMAGE = "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1"
_BARE_SERVER = """
import sys, uvicorn
answer = sys.stdin.buffer.read()
async def app(scope, receive, send):
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), http="httptools", lifespan="off", ws="none",
            log_config=None, access_log=False)
"""


@dataclass(frozen=True)
class Latency:
    """Times of one kind of request, sent one after the other.

    Attributes:
        p50: median, milliseconds.
        p99: 99th percentile, milliseconds.
        per_second: requests answered in a second.
    """

    p50: float
    p99: float
    per_second: float


@dataclass(frozen=True)
class Load:
    """What came of many connections at once.

    Attributes:
        answers: how often each right answer came.
        failures: how often each wrong or missing answer came.
        updates: how many times the endpoint was updated meanwhile.
        per_second: right answers in a second.
        p99: milliseconds.
    """

    answers: Counter[bytes]
    failures: Counter[str]
    updates: int
    per_second: float
    p99: float


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.endpoint", description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="how long the load with updates lasts")
    parser.add_argument("--requests", type=int, default=3000, help="requests of each kind")
    options = parser.parse_args()
    one_row, many_rows = rows(1), rows(1000)
    table = Table("request", "p50 ms", "p99 ms", "requests/s", "targets", "p50 / bare server")
    with tempfile.TemporaryDirectory() as folder, local_service(Path(folder)) as port:
        deploy(port, Path(folder))
        for name, body, count, target in (
            ("1 row, raw", one_row, options.requests, "p50 <= 0.5, p99 <= 1.5, >= 1900/s"),
            ("1000 rows, raw", many_rows, options.requests // 6, "p50 <= 2.2"),
        ):
            send = raw_sender(port, body)
            with bare_server(send()) as bare_port:
                latency, bare = measure(count, send, raw_sender(bare_port, body))
            table.add_row(name, *_cells(latency), target, f"{latency.p50 / bare.p50:.2f}")
        (boto,) = measure(options.requests // 3, boto_sender(port, one_row))
        table.add_row("1 row, boto3", *_cells(boto), "p50 <= 2", "")
        load = asyncio.run(load_with_updates(port, one_row, options.seconds))
    console = Console()
    console.print(table)
    console.print(
        f"{CONNECTIONS} connections for {options.seconds:g} s: {sum(load.answers.values())} right answers "
        f"({load.per_second:.0f}/s, p99 {load.p99:.1f} ms), {sum(load.failures.values())} dropped or wrong, "
        f"{load.updates} updates of the endpoint meanwhile"
    )
    if load.failures:
        sys.exit(f"failures: {dict(load.failures)}")


def _cells(latency: Latency) -> list[str]:
    return [f"{latency.p50:.3f}", f"{latency.p99:.3f}", f"{latency.per_second:.0f}"]


def rows(count: int) -> bytes:
    """CSV rows with as many features as the benchmark's models have."""
    values = np.random.default_rng(0).normal(size=(count, FEATURES)).round(4)
    return b"\n".join(b",".join(str(value).encode() for value in row) for row in values.tolist())


def measure(count: int, *senders: Callable[[], bytes]) -> list[Latency]:
    """Time ``count`` calls of every sender, taking turns so that all meet the same disturbances.

    Returns:
        A latency for each sender.
    """
    times: list[list[float]] = [[] for _ in senders]
    for turn in range(count // _TURN + 1):
        for send, measured in zip(senders, times, strict=True):
            for _ in range(_TURN):
                before = time.perf_counter()
                send()
                # The first turn warms up.
                if turn > 0:
                    measured.append(time.perf_counter() - before)
    return [_latency(measured) for measured in times]


def _latency(seconds: list[float]) -> Latency:
    p50, p99 = statistics.median(seconds), statistics.quantiles(seconds, n=100)[98]
    return Latency(p50 * 1000, p99 * 1000, len(seconds) / sum(seconds))


def raw_sender(port: int, body: bytes) -> Callable[[], bytes]:
    """Sends one signed request again and again over one connection."""
    connection = http.client.HTTPConnection(HOST, port)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    headers = signed_headers(port, body)

    def send() -> bytes:
        connection.request("POST", f"/endpoints/{ENDPOINT}/invocations", body, headers)
        response = connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise RuntimeError(f"HTTP {response.status}: {answer.decode()}")
        return answer

    return send


def boto_sender(port: int, body: bytes) -> Callable[[], bytes]:
    """Sends through boto3, which signs every request."""
    runtime = client("sagemaker-runtime", port)

    def send() -> bytes:
        answer: bytes = runtime.invoke_endpoint(EndpointName=ENDPOINT, ContentType="text/csv", Body=body)["Body"].read()
        return answer

    return send


def signed_headers(port: int, body: bytes) -> dict[str, str]:
    """Headers of an invocation, signed as boto3 signs it."""
    url = f"http://{HOST}:{port}/endpoints/{ENDPOINT}/invocations"
    request = AWSRequest("POST", url, data=body, headers={"Content-Type": "text/csv", "Host": f"{HOST}:{port}"})
    SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "sagemaker", REGION).add_auth(request)
    return dict(request.headers.items())


async def load_with_updates(port: int, body: bytes, seconds: float) -> Load:
    """Send from many connections at once while the endpoint is updated from one model to the other and back."""
    expected = {_prediction(port, body, f"reference-{letter}") for letter in "ab"}
    answers: Counter[bytes] = Counter()
    failures: Counter[str] = Counter()
    times: list[float] = []
    stop = threading.Event()
    updates: list[str] = []
    updater = threading.Thread(target=_update_until, args=(port, stop, updates))
    updater.start()
    ends = time.perf_counter() + seconds
    lines = "".join(f"{name}: {value}\r\n" for name, value in signed_headers(port, body).items())
    request = (
        f"POST /endpoints/{ENDPOINT}/invocations HTTP/1.1\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body
    )

    async def connection() -> None:
        reader, writer = await asyncio.open_connection(HOST, port)
        while time.perf_counter() < ends:
            before = time.perf_counter()
            try:
                writer.write(request)
                status, answer = await _read_response(reader)
            except (OSError, asyncio.IncompleteReadError, ValueError) as error:
                failures[type(error).__name__] += 1
                break
            times.append((time.perf_counter() - before) * 1000)
            if status == 200 and answer in expected:
                answers[answer] += 1
            else:
                failures[f"HTTP {status}: {answer[:200]!r}"] += 1
        writer.close()

    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    stop.set()
    await asyncio.to_thread(updater.join)
    for problem in (update for update in updates if update != "InService"):
        failures[problem] += 1
    return Load(
        answers, failures, len(updates), sum(answers.values()) / seconds, statistics.quantiles(times, n=100)[98]
    )


async def _read_response(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return int(head[9:12]), await reader.readexactly(int(length))


def _update_until(port: int, stop: threading.Event, updates: list[str]) -> None:
    """Update the endpoint again and again; note the status that each update ends with."""
    sagemaker = client("sagemaker", port)
    for number in range(1_000_000):
        if stop.wait(0.2):
            return
        sagemaker.update_endpoint(EndpointName=ENDPOINT, EndpointConfigName=f"config-{'ab'[(number + 1) % 2]}")
        while (status := sagemaker.describe_endpoint(EndpointName=ENDPOINT)["EndpointStatus"]) == "Updating":
            time.sleep(0.01)
        updates.append(status)


def _prediction(port: int, body: bytes, endpoint: str) -> bytes:
    """What a model answers, asked of an endpoint of its own."""
    runtime = client("sagemaker-runtime", port)
    answer: bytes = runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=body)["Body"].read()
    return answer


def deploy(port: int, folder: Path, bucket: str = "models") -> None:
    """Put two models in service, each at an endpoint of its own, and the first at the one that is measured."""
    s3, sagemaker = client("s3", port), client("sagemaker", port)
    s3.create_bucket(Bucket=bucket)
    for letter, bias in (("a", 0.0), ("b", 100.0)):
        s3.put_object(Bucket=bucket, Key=f"{letter}/model.tar.gz", Body=_model(folder, bias))
        container = {"Image": _IMAGE, "ModelDataUrl": f"s3://{bucket}/{letter}/model.tar.gz"}
        role = "arn:aws:iam::123456789012:role/local"
        sagemaker.create_model(ModelName=f"model-{letter}", PrimaryContainer=container, ExecutionRoleArn=role)
        variant = {
            "VariantName": "AllTraffic",
            "ModelName": f"model-{letter}",
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
        }
        sagemaker.create_endpoint_config(EndpointConfigName=f"config-{letter}", ProductionVariants=[variant])
    for endpoint, letter in (("reference-a", "a"), ("reference-b", "b"), (ENDPOINT, "a")):
        sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=f"config-{letter}")
        sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=endpoint, WaiterConfig={"Delay": 1})


def _model(folder: Path, bias: float) -> bytes:
    file = folder / "model_algo-1"
    artifact.write(file, np.linspace(-1, 1, FEATURES, dtype=np.float32), np.float32(bias))
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        tar.add(file, file.name)
    return packed.getvalue()


def client(name: str, port: int) -> Any:
    """A boto3 client of the local service."""
    session = boto3.Session(ACCESS_KEY, SECRET_KEY, region_name=REGION)
    once = Config(retries={"total_max_attempts": 1})
    return session.client(name, endpoint_url=f"http://{HOST}:{port}", config=once)


@contextmanager
def local_service(folder: Path) -> Iterator[int]:
    """Run the local service in a process of its own; gives its port."""
    port = _free_port()
    command = [sys.executable, "-m", "local", "--root", str(folder / ".local"), "--port", str(port)]
    with _process(command, port):
        yield port


@contextmanager
def bare_server(answer: bytes) -> Iterator[int]:
    """Run a server that answers every request with the same bytes; gives its port."""
    port = _free_port()
    with _process([sys.executable, "-c", _BARE_SERVER, str(port)], port, answer):
        yield port


@contextmanager
def _process(command: list[str], port: int, given: bytes = b"") -> Iterator[None]:
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert process.stdin is not None
    try:
        process.stdin.write(given)
        process.stdin.close()
        _wait_for(port, process)
        yield
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"no server answers at {HOST}:{port}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
