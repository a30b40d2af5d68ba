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
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.endpoint_load import CONNECTIONS, load_with_updates
from benchmarks.served_models import ENDPOINT, bare_server, client, deploy, local_service, rows, signed_headers
from local.core.settings import HOST, Settings

_TURN = 50


@dataclass(frozen=True)
class Latency:
    """The times of sequential requests of one kind.

    Attributes:
        p50: median, milliseconds.
        p99: 99th percentile, milliseconds.
        per_second: requests answered in a second.
    """

    p50: float
    p99: float
    per_second: float


def main() -> None:
    """Run the benchmark and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.endpoint", description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="how long the load with updates lasts")
    parser.add_argument("--requests", type=int, default=3000, help="requests of each kind")
    options = parser.parse_args()
    busy = os.getloadavg()[0]
    one_row, many_rows = rows(1), rows(1000)
    table = Table("request", "p50 ms", "p99 ms", "requests/s", "targets", "bare server p50 ms", "ratio")
    with tempfile.TemporaryDirectory() as folder, local_service(Path(folder)) as settings:
        deploy(settings, Path(folder))
        for name, body, count, target in (
            ("1 row, raw", one_row, options.requests, "p50 <= 0.5, p99 <= 1.5, >= 1900/s"),
            ("1000 rows, raw", many_rows, options.requests // 6, "p50 <= 2.2"),
        ):
            send = raw_sender(settings, body)
            with bare_server(send()) as bare_port:
                latency, bare = measure(count, send, raw_sender(replace(settings, port=bare_port), body))
            table.add_row(name, *_cells(latency), target, f"{bare.p50:.3f}", f"{latency.p50 / bare.p50:.2f}")
        (boto,) = measure(options.requests // 3, boto_sender(settings, one_row))
        table.add_row("1 row, boto3", *_cells(boto), "p50 <= 2", "", "")
        load = asyncio.run(load_with_updates(settings, one_row, options.seconds))
    console = Console()
    console.print(table)
    console.print(
        f"{CONNECTIONS} connections for {options.seconds:g} s: {sum(load.answers.values())} right answers "
        f"({load.per_second:.0f}/s, p99 {load.p99:.1f} ms), {sum(load.failures.values())} dropped or wrong, "
        f"{load.updates} updates of the endpoint meanwhile"
    )
    console.print(f"When this began, other programs kept {busy:.1f} of {os.cpu_count()} processors busy.")
    if load.failures:
        sys.exit(f"failures: {dict(load.failures)}")


def _cells(latency: Latency) -> list[str]:
    return [f"{latency.p50:.3f}", f"{latency.p99:.3f}", f"{latency.per_second:.0f}"]


def measure(count: int, *senders: Callable[[], bytes]) -> list[Latency]:
    """Time ``count`` calls of every sender, in turns, so that disturbances affect all of them alike.

    Returns:
        A latency for each sender.
    """
    times: list[list[float]] = [[] for _ in senders]
    for turn in range(count // _TURN + 1):
        for send, measured in zip(senders, times, strict=True):
            for _ in range(_TURN):
                before = time.perf_counter()
                send()
                # The first turn is a warm-up.
                if turn > 0:
                    measured.append(time.perf_counter() - before)
    return [_latency(measured) for measured in times]


def _latency(seconds: list[float]) -> Latency:
    p50, p99 = statistics.median(seconds), statistics.quantiles(seconds, n=100)[98]
    return Latency(p50 * 1000, p99 * 1000, len(seconds) / sum(seconds))


def raw_sender(settings: Settings, body: bytes) -> Callable[[], bytes]:
    """Sends one signed request again and again over one connection."""
    connection = http.client.HTTPConnection(HOST, settings.port)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    headers = signed_headers(settings, body)

    def send() -> bytes:
        connection.request("POST", f"/endpoints/{ENDPOINT}/invocations", body, headers)
        response = connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise RuntimeError(f"HTTP {response.status}: {answer.decode()}")
        return answer

    return send


def boto_sender(settings: Settings, body: bytes) -> Callable[[], bytes]:
    """Sends through boto3, which signs every request."""
    runtime = client("sagemaker-runtime", settings)

    def send() -> bytes:
        answer: bytes = runtime.invoke_endpoint(EndpointName=ENDPOINT, ContentType="text/csv", Body=body)["Body"].read()
        return answer

    return send


if __name__ == "__main__":
    main()
