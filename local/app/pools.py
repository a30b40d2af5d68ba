"""Threads for requests: a pool for each kind of work, so that a slow kind delays no other."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from local.aws.wire import HttpResponse, RequestHead
from local.runtime.functions.runner import MOST_INVOCATIONS

Answer = Callable[[RequestHead, bytes], HttpResponse]

_FUNCTION_INVOCATION = re.compile(rb"/[^/]+/functions/[^/]+/invocations/?")
_FUNCTIONS, _PREDICTIONS = "functions", "predictions"
MODEL_SERVERS = "model-servers"
"""The kind of invocations that wait for a program."""
_THREADS_OF_OTHERS = 16
_THREADS = {
    # All that may run, and some that are refused. So none waits, as functions may invoke functions.
    _FUNCTIONS: MOST_INVOCATIONS + _THREADS_OF_OTHERS,
    # Consumers wait for messages, for up to 20 seconds.
    "sqs": 64,
    # 6 MB of JSON may take 100 MB in memory.
    _PREDICTIONS: 2,
    # They only wait. An endpoint that hangs does so for a minute.
    MODEL_SERVERS: 128,
}


class RequestPools:
    """Pools by kind of work. The kinds are invocations of functions, of endpoints, and each service's operations."""

    def __init__(self, services: frozenset[str]) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._pools: dict[str, ThreadPoolExecutor] = {}

    async def run(self, kind: str, answer: Answer, head: RequestHead, body: bytes) -> HttpResponse:
        """Answer a request in a thread of its kind's pool."""
        return await asyncio.get_running_loop().run_in_executor(self._pool(kind), answer, head, body)

    def kind(self, service: str, head: RequestHead) -> str:
        """Return a request's kind of work.

        Args:
            service: the request's signing name.
            head: the request.
        """
        if service == "lambda" and _FUNCTION_INVOCATION.fullmatch(head.raw_path):
            return _FUNCTIONS
        if is_prediction(service, head):
            return _PREDICTIONS
        return service if service in self._services else "others"

    def close(self) -> None:
        """Start no more work."""
        with self._lock:
            for pool in self._pools.values():
                pool.shutdown(wait=False, cancel_futures=True)

    def _pool(self, kind: str) -> ThreadPoolExecutor:
        with self._lock:
            if kind not in self._pools:
                self._pools[kind] = ThreadPoolExecutor(_THREADS.get(kind, _THREADS_OF_OTHERS), kind)
            return self._pools[kind]


def is_prediction(service: str, head: RequestHead) -> bool:
    """Return whether a request invokes an endpoint."""
    return service == "sagemaker" and head.raw_path.startswith(b"/endpoints/")
