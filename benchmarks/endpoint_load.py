"""Measures an endpoint with many concurrent connections while it is updated."""

from __future__ import annotations

import asyncio
import statistics
import threading
import time
from collections import Counter
from dataclasses import dataclass

from benchmarks.served_models import ENDPOINT, client, signed_headers
from local.core.settings import HOST, Settings

CONNECTIONS = 50


@dataclass(frozen=True)
class Load:
    """The results of many concurrent connections.

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


async def load_with_updates(settings: Settings, body: bytes, seconds: float) -> Load:
    """Send requests over many connections while the endpoint is updated from one model to the other and back."""
    expected = {_prediction(settings, body, f"reference-{letter}") for letter in "ab"}
    answers: Counter[bytes] = Counter()
    failures: Counter[str] = Counter()
    times: list[float] = []
    stop = threading.Event()
    updates: list[str] = []
    updater = threading.Thread(target=_update_until, args=(settings, stop, updates))
    updater.start()
    ends = time.perf_counter() + seconds
    lines = "".join(f"{name}: {value}\r\n" for name, value in signed_headers(settings, body).items())
    request = (
        f"POST /endpoints/{ENDPOINT}/invocations HTTP/1.1\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body
    )

    async def connection() -> None:
        reader, writer = await asyncio.open_connection(HOST, settings.port)
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


def _update_until(settings: Settings, stop: threading.Event, updates: list[str]) -> None:
    """Update the endpoint repeatedly and record the final status of each update."""
    sagemaker = client("sagemaker", settings)
    for number in range(1_000_000):
        if stop.wait(0.2):
            return
        sagemaker.update_endpoint(EndpointName=ENDPOINT, EndpointConfigName=f"config-{'ab'[(number + 1) % 2]}")
        while (status := sagemaker.describe_endpoint(EndpointName=ENDPOINT)["EndpointStatus"]) == "Updating":
            time.sleep(0.01)
        updates.append(status)


def _prediction(settings: Settings, body: bytes, endpoint: str) -> bytes:
    """Return the answer of a model, from its own endpoint."""
    runtime = client("sagemaker-runtime", settings)
    answer: bytes = runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=body)["Body"].read()
    return answer
