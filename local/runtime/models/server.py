"""A running model server: a program that answers ``/ping`` and ``/invocations``."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import Enum

import psutil

from local.algorithms.errors import InferenceError
from local.core.settings import HOST
from local.runtime.errors import JobFailedError
from local.runtime.models.containers import UnservableError
from local.runtime.models.http_client import ATTRIBUTES, Answer, AnswerTimeoutError, HttpClient, NoAnswerError
from local.runtime.models.program import ServingProgram
from local.runtime.program_output import OutputReader
from local.runtime.supervisor import Program, ServiceStoppingError, Supervisor

CONTAINER_PORT = 8080
"""The port at which a container answers on AWS."""
_PING_SECONDS = 2.0
"""SageMaker's limit for the response to a ping."""
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.02, 0.5
"""Seconds between two pings while a program starts."""
_FIRST_DELAY, _LONGEST_DELAY = 1.0, 60.0
"""Seconds before a program that has ended is started again. They double each time."""
_SECONDS_TO_STOP = 30.0
"""Seconds between SIGTERM and SIGKILL, as on AWS."""
_SECONDS_BETWEEN_CHECKS = 1.0

TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container primary. Review the latency metrics for "
    "each container in Amazon CloudWatch, resolve the issue, and try again."
)
NO_ANSWER = (
    "Amazon SageMaker could not get a response from the {name} endpoint. This can occur when CPU or memory "
    "utilization is high. To check your utilization, see Amazon CloudWatch. To fix this problem, use an instance type "
    "with more CPU capacity or memory."
)


class _State(Enum):
    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"
    CLOSED = "closed"


@dataclass(frozen=True)
class ServerLimits:
    """Time limits of a model server, in seconds.

    Attributes:
        start: until the first successful ping.
        invocation: SageMaker's, for a response.
        container: the container's own server's, for a response; None if it is not known.
    """

    start: float
    invocation: float
    container: float | None = None


@dataclass(frozen=True)
class ServerPlan:
    """How to make a server's program.

    Attributes:
        name: What the server is for, for messages.
        key: The key of its program in the supervisor.
        prepare: Makes the program. The stack is closed when the server is.
        write: Appends lines to the log.
        limits: Its time limits.
    """

    name: str
    key: str
    prepare: Callable[[ExitStack], ServingProgram]
    write: Callable[[list[str]], None]
    limits: ServerLimits


class ModelServer:
    """A model that a program serves. Its program is started again when it ends.

    Threads share it. It is a ``local.runtime.algorithms.Model``.
    """

    def __init__(self, supervisor: Supervisor, plan: ServerPlan) -> None:
        self._supervisor, self._plan = supervisor, plan
        self._resources = ExitStack()
        self._changed = threading.Condition()
        self._state, self._failure = _State.STARTING, ""
        self._client: HttpClient | None = None
        self._program: Program | None = None
        self._busy = 0
        self._ended = threading.Event()
        if not supervisor.run_in_background(self._run, plan.key):
            raise ServiceStoppingError

    def wait_until_ready(self) -> None:
        """Wait for the first successful ping.

        Raises:
            UnservableError: the program cannot be made, has ended, or has not answered in time.
            ServiceStoppingError: the service is going down.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._state is not _State.STARTING)
            if self._state is _State.READY:
                return
            if not self._failure:
                raise ServiceStoppingError
            raise UnservableError(self._failure)

    def invoke(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        """Respond to one request.

        Raises:
            InferenceError: the container answered with an error. The status is 0 if it did not answer.
        """
        answer = self.ask(body, content_type, accept)
        return answer.body, answer.content_type

    def ask(self, body: bytes, content_type: str, accept: str, attributes: str = "") -> Answer:
        """Respond to one request with custom attributes.

        Raises:
            InferenceError: as ``invoke``.
        """
        limits = self._plan.limits
        seconds = min(limits.invocation, limits.container or limits.invocation)
        given = {"Content-Type": content_type, "Accept": accept, ATTRIBUTES: attributes}
        headers = {name: value for name, value in given.items() if value}
        deadline = time.monotonic() + seconds
        try:
            with self._ready_client(deadline) as client:
                answer = client.ask("POST", "/invocations", body, headers, max(0.001, deadline - time.monotonic()))
        except AnswerTimeoutError:
            raise self._timed_out(seconds) from None
        except NoAnswerError as error:
            self._plan.write([f"local service: no response from the model's container: {error}"])
            raise InferenceError(0, NO_ANSWER.format(name=self._plan.name)) from None
        if not 200 <= answer.status < 300:
            raise InferenceError(answer.status, answer.body.decode(errors="replace"))
        return answer

    def close(self, drain_seconds: float = 0.0) -> None:
        """Stop the program, after the requests in progress if they end in time. Returns when it has ended."""
        with self._changed:
            self._changed.wait_for(lambda: self._busy == 0, drain_seconds)
            self._state = _State.CLOSED
            self._changed.notify_all()
            program = self._program
        if program is not None:
            program.terminate(grace=_SECONDS_TO_STOP)
        self._ended.wait()

    @contextmanager
    def _ready_client(self, deadline: float) -> Iterator[HttpClient]:
        with self._changed:
            starts = self._changed.wait_for(lambda: self._state is not _State.STARTING, deadline - time.monotonic())
            if not starts:
                raise NoAnswerError("the program is still starting")
            if self._state is not _State.READY or self._client is None:
                raise NoAnswerError(self._failure)
            client = self._client
            self._busy += 1
        try:
            yield client
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()

    def _timed_out(self, seconds: float) -> InferenceError:
        limits = self._plan.limits
        if limits.container is None or limits.container > limits.invocation:
            return InferenceError(0, TIMED_OUT)
        # The container's server ends a worker that is silent for so long, and starts another.
        self._plan.write([f"local service: no response in {seconds:g} s: the model server is started again"])
        if self._program is not None:
            self._program.kill()
        if limits.container == limits.invocation:
            return InferenceError(0, TIMED_OUT)
        return InferenceError(504, f"504 Gateway Time-out: SAGEMAKER_MODEL_SERVER_TIMEOUT is {seconds:g} s")

    # The server's own thread

    def _run(self) -> None:
        try:
            with self._resources:
                self._run_again_and_again()
        except ServiceStoppingError:
            raise
        except Exception as error:
            self._become(_State.FAILED, f"{type(error).__name__}: {error}")
            raise
        finally:
            self._become(_State.CLOSED)
            self._ended.set()

    def _run_again_and_again(self) -> None:
        program: ServingProgram | None = None
        delay = _FIRST_DELAY
        while not self._is_closed():
            started = time.monotonic()
            try:
                program = program or self._plan.prepare(self._resources)
                self._serve(program)
            except (UnservableError, JobFailedError, OSError) as error:
                self._plan.write([str(error)])
                self._become(_State.FAILED, str(error).removeprefix("ClientError: "))
            if time.monotonic() - started > _LONGEST_DELAY:
                delay = _FIRST_DELAY
            with self._changed:
                self._changed.wait_for(lambda: self._state is _State.CLOSED, delay)
            delay = min(2 * delay, _LONGEST_DELAY)
            self._become(_State.STARTING)

    def _serve(self, serving: ServingProgram) -> None:
        """Run the program to its end."""
        with _reserved_port() as port, contextlib.closing(HttpClient(port)) as client:
            started = self._supervisor.start(
                self._plan.key, serving.command, folder=serving.folder, environment=serving.variables(port)
            )
            reader = OutputReader(started, self._plan.write)
            with self._changed:
                self._program, self._client = started, client
                if self._state is _State.CLOSED:
                    started.kill()
            reason = self._first_ping(started, client, port)
            if reason is None:
                self._become(_State.READY)
            else:
                started.kill()
            status = started.wait()
            last = next((line for line in reversed(reader.finish()) if line.strip()), "")
            with self._changed:
                self._program = None
            self._become(_State.FAILED, reason or f"the program has ended with status {status}: {last.strip()}")

    def _first_ping(self, program: Program, client: HttpClient, port: int) -> str | None:
        """Ping until the server answers. Return why it does not: "" if the program has ended."""
        started = checked = time.monotonic()
        pause = _SHORTEST_PAUSE
        while not program.has_ended():
            with contextlib.suppress(NoAnswerError, AnswerTimeoutError):
                if client.ask("GET", "/ping", b"", {}, _PING_SECONDS).status == 200:
                    return None
            now = time.monotonic()
            if now - started > self._plan.limits.start:
                return f"no successful response to /ping within {self._plan.limits.start:g} s"
            if now - checked > _SECONDS_BETWEEN_CHECKS:
                checked = now
                if _listens_elsewhere(program.process, port):
                    return (
                        f"the image's program listens on port {CONTAINER_PORT}. Here, several containers share this "
                        "machine's ports, so it must listen on the port in SAGEMAKER_BIND_TO_PORT"
                    )
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        return ""

    def _become(self, state: _State, failure: str = "") -> None:
        with self._changed:
            if self._state is not _State.CLOSED:
                self._state, self._failure = state, failure or self._failure
                self._changed.notify_all()

    def _is_closed(self) -> bool:
        with self._changed:
            return self._state is _State.CLOSED


_PORTS = range(20_000, 32_000)
"""Systems do not give these ports to outgoing connections, which could take one before its program listens."""
_ports_lock = threading.Lock()
_ports: set[int] = set()


@contextmanager
def _reserved_port() -> Iterator[int]:
    """Find a free port. No other server of this process gets it meanwhile."""
    with _ports_lock:
        port = _free_port()
        while port in _ports:
            port = _free_port()
        _ports.add(port)
    try:
        yield port
    finally:
        with _ports_lock:
            _ports.discard(port)


def _free_port() -> int:
    while True:
        port = random.choice(_PORTS)
        with socket.socket() as opened, contextlib.suppress(OSError):
            opened.bind((HOST, port))
            return port


def _listens_elsewhere(process: int, port: int) -> bool:
    """Return whether a program listens on a container's usual port, and not on its own."""
    listening: set[int] = set()
    with contextlib.suppress(psutil.Error):
        root = psutil.Process(process)
        for each in (root, *root.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                found = each.net_connections("tcp")
                listening |= {item.laddr.port for item in found if item.status == psutil.CONN_LISTEN}
    return CONTAINER_PORT in listening and port not in listening
