"""Run functions. Each invocation is a new process with the function's environment, time and memory."""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import json
import re
import shutil
import sys
import threading
import time
import uuid
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from local.aws.credentials import KeyRing
from local.core.arns import assumed_role
from local.core.errors import ServiceError
from local.core.settings import Settings
from local.records import functions as records
from local.runtime.functions.asynchronous import AsynchronousInvocations
from local.runtime.functions.forking import can_be_forked, fork_server, starting_environment
from local.runtime.interpreters import OURS, find_interpreter
from local.runtime.lines import read_lines
from local.runtime.supervisor import Supervisor
from local.storage.log_files import Logs
from local.storage.store import Store

if TYPE_CHECKING:
    from local.aws.credentials import Credentials
    from local.runtime.supervisor import Program
    from local.storage.store import Document

MOST_INVOCATIONS = 200
"""Maximum number of synchronous invocations at once, each with a process. Lambda's quota for an account is 1,000.
Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

_INITIALISATION_SECONDS = 10.0
"""Time limit for the import. In Lambda, a function's Timeout covers only the handler."""
_WATCH_SECONDS = 0.05
_TAIL_BYTES = 4096
_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class InvocationResult:
    """The result of an invocation.

    Attributes:
        payload: the handler's answer as JSON has it, or Lambda's description of the error.
        error: ``Unhandled`` when the function failed, else None.
        log: the last four KiB of the invocation's log.
    """

    payload: Any
    error: str | None = None
    log: bytes = b""


@dataclass(frozen=True)
class FunctionRunner:
    """Runs Lambda functions."""

    store: Store
    settings: Settings
    logs: Logs
    keys: KeyRing
    supervisor: Supervisor
    _free: threading.Semaphore = field(init=False, default_factory=lambda: threading.Semaphore(MOST_INVOCATIONS))
    _events: AsynchronousInvocations = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_events", AsynchronousInvocations(self.store, self.supervisor, self._succeeds))

    def invoke(self, function_name_or_arn: str, payload: Any) -> InvocationResult:
        """Run a function's handler with an event and wait for the result.

        Args:
            function_name_or_arn: which function.
            payload: the event, anything that JSON has.

        Raises:
            ServiceError: ResourceNotFoundException, TooManyRequestsException, or ResourceConflictException: its code is
                missing.
            ServiceStoppingError: the service is going down.
        """
        # Refused instead of queued, as by Lambda: a function that waits for another would keep it from starting.
        if not self._free.acquire(blocking=False):
            raise ServiceError("TooManyRequestsException", "Rate Exceeded.", 429)
        try:
            return self._run(function_name_or_arn, payload, str(uuid.uuid4()))
        finally:
            self._free.release()

    def invoke_later(self, function_name_or_arn: str, payload: Any) -> None:
        """Run a function's handler with an event as soon as there is room, and drop the result.

        Raises:
            ServiceError: ResourceNotFoundException.
        """
        record = records.find(self.store, self.settings.region, function_name_or_arn)
        self._events.accept(record["FunctionArn"], payload)

    def begin_asynchronous(self) -> None:
        """Begin with asynchronous invocations, first with those that an earlier run of the service has accepted."""
        self._events.begin()

    def prepare(self, function_name_or_arn: str) -> None:
        """Let Python import the SDK in the background, before a function's first invocation needs it.

        Does nothing if the function does not exist: its invocation will say so.
        """
        with contextlib.suppress(ServiceError):
            runtime = records.find(self.store, self.settings.region, function_name_or_arn)["Runtime"]
            self.supervisor.run_in_background(lambda: self._prepare(runtime), f"fork server of {runtime}")

    def _prepare(self, runtime: str) -> None:
        interpreter, _ = _interpreter(runtime)
        self.supervisor.prepare(fork_server(interpreter))

    def _succeeds(self, function_arn: str, payload: Any, request_id: str) -> bool:
        return self._run(function_arn, payload, request_id).error is None

    def _run(self, function_name_or_arn: str, payload: Any, request_id: str) -> InvocationResult:
        record = records.find(self.store, self.settings.region, function_name_or_arn)
        code = records.code_folder(self.settings, record["FunctionName"], record["_Code"])
        if record["State"] == "Failed" or not code.is_dir():
            raise _code_is_missing(record)
        invocation = _Invocation(self, record, request_id)
        try:
            return invocation.run(payload)
        finally:
            shutil.rmtree(invocation.folder, ignore_errors=True)


class _Invocation:
    """One run of one function."""

    def __init__(self, runner: FunctionRunner, record: Document, request_id: str) -> None:
        self._runner = runner
        self._record = record
        self._request_id = request_id
        name = record["FunctionName"]
        self.folder = self._runner.settings.functions / name / "invocations" / self._request_id
        self._group = records.log_group(record)
        self._stream = datetime.now(UTC).strftime("%Y/%m/%d/[$LATEST]") + uuid.uuid4().hex
        self._last_lines: deque[str] = deque(maxlen=_TAIL_BYTES)
        self._peak_bytes = 0
        self._stopped_by: str | None = None
        self._ended = threading.Event()

    def run(self, payload: Any) -> InvocationResult:
        interpreter, remark = _interpreter(self._record["Runtime"])
        code = records.code_folder(self._runner.settings, self._record["FunctionName"], self._record["_Code"])
        self.folder.mkdir(parents=True)
        (self.folder / "event.json").write_text(json.dumps(payload))
        (self.folder / "invocation.json").write_text(json.dumps(self._description(code)))
        self._log(f"INIT_START Runtime: {remark}")
        self._log(f"START RequestId: {self._request_id} Version: {records.LATEST}")
        started = time.monotonic()
        identity = assumed_role(self._record["Role"], self._record["FunctionName"])
        server = fork_server(interpreter)
        with self._runner.keys.of_invocation(identity) as credentials:
            program = self._runner.supervisor.start(
                f"function/{self._request_id}",
                [*server.command, str(self.folder)],
                folder=code,
                environment=self._environment(code, credentials),
                server=server if can_be_forked(code, self._variables()) else None,
            )
            watch = threading.Thread(target=self._watch, args=(program,), name="watch", daemon=True)
            watch.start()
            for lines in read_lines(program.read_output()):
                self._log(*lines)
            status = program.wait()
        outcome = self._outcome()
        whole_seconds = time.monotonic() - started
        self._ended.set()
        watch.join()
        return self._finish(outcome, status, whole_seconds)

    def _finish(self, outcome: dict[str, Any] | None, status: int, whole_seconds: float) -> InvocationResult:
        failure: dict[str, Any] | None = None
        seconds = whole_seconds if outcome is None else outcome["seconds"]
        if outcome is not None:
            failure = outcome.get("error")
        elif self._stopped_by == "time":
            seconds = float(self._record["Timeout"])
            said = f"Task timed out after {seconds:.2f} seconds"
            self._log(f"{_instant()} {self._request_id} {said}")
            failure = self._failure("Sandbox.Timedout", said)
        else:
            why = "signal: killed" if status < 0 else f"exit status {status}"
            failure = self._failure("Runtime.ExitError", f"Runtime exited with error: {why}")
            self._log(f"RequestId: {self._request_id} {failure['errorMessage'].partition(' ')[2]}")
        milliseconds = seconds * 1000
        self._log(f"END RequestId: {self._request_id}")
        self._log(
            f"REPORT RequestId: {self._request_id}\tDuration: {milliseconds:.2f} ms"
            f"\tBilled Duration: {int(milliseconds) + 1} ms\tMemory Size: {self._record['MemorySize']} MB"
            f"\tMax Memory Used: {self._peak_bytes // _MEBIBYTE} MB"
        )
        log = "\n".join(self._last_lines).encode()[-_TAIL_BYTES:]
        if failure is not None:
            return InvocationResult(failure | {"requestId": self._request_id}, "Unhandled", log)
        assert outcome is not None
        return InvocationResult(json.loads(outcome["text"]), None, log)

    def _failure(self, kind: str, message: str) -> dict[str, Any]:
        return {"errorType": kind, "errorMessage": f"RequestId: {self._request_id} Error: {message}"}

    def _watch(self, program: Program) -> None:
        """Stop the process when it times out or exceeds its memory."""
        limit = self._record["MemorySize"] * _MEBIBYTE
        latest_start = time.monotonic() + _INITIALISATION_SECONDS
        deadline: float | None = None
        while not program.has_ended() and (used := _resident_bytes(program.process)) is not None:
            self._peak_bytes = max(self._peak_bytes, used)
            now = time.monotonic()
            if deadline is None and (now > latest_start or (self.folder / "initialised").exists()):
                deadline = now + self._record["Timeout"]
            if used > limit:
                self._stopped_by = "memory"
                break
            if deadline is not None and now > deadline:
                self._stopped_by = "time"
                break
            if self._ended.wait(_WATCH_SECONDS):
                break
        program.kill()

    def _outcome(self) -> dict[str, Any] | None:
        with contextlib.suppress(FileNotFoundError):
            outcome: dict[str, Any] = json.loads((self.folder / "result.json").read_text())
            return outcome
        return None

    def _log(self, *lines: str) -> None:
        # Keep the last 4 KiB. The log has the rest.
        self._last_lines.extend(line[-_TAIL_BYTES:] for line in lines)
        self._runner.logs.append(self._group, self._stream, lines)

    def _description(self, code: Path) -> dict[str, Any]:
        return {
            "request_id": self._request_id,
            "function_arn": self._record["FunctionArn"],
            "timeout": self._record["Timeout"],
            "memory_bytes": self._record["MemorySize"] * _MEBIBYTE,
            "code": str(code),
        }

    def _environment(self, code: Path, credentials: Credentials) -> dict[str, str]:
        """Return the environment variables of the function's process.

        docs/local-service.md has the table.
        Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
        """
        settings = self._runner.settings
        return {
            **starting_environment(),
            "TMPDIR": str(self.folder),
            "HOME": str(self.folder),
            "AWS_REGION": settings.region,
            "AWS_DEFAULT_REGION": settings.region,
            **credentials.variables(),
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{self._record['Runtime']}",
            "AWS_LAMBDA_FUNCTION_NAME": self._record["FunctionName"],
            "AWS_LAMBDA_FUNCTION_VERSION": records.LATEST,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self._record["MemorySize"]),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": self._group,
            "AWS_LAMBDA_LOG_STREAM_NAME": self._stream,
            "LAMBDA_TASK_ROOT": str(code),
            "_HANDLER": self._record["Handler"],
            "AWS_ENDPOINT_URL": settings.endpoint_url,
            **self._variables(),
        }

    def _variables(self) -> dict[str, str]:
        """Return the environment variables that the function's configuration sets."""
        variables: dict[str, str] = self._record.get("Environment", {}).get("Variables", {})
        return variables


def _code_is_missing(record: Document) -> ServiceError:
    message = (
        "The operation cannot be performed at this time. The function is currently in the following state: Failed"
        f" (local service: the code of {record['FunctionName']} is missing; publish it again)"
    )
    return ServiceError("ResourceConflictException", message, 409)


def _instant() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _interpreter(runtime: str) -> tuple[str, str]:
    """Return the Python for a runtime (for example ``python3.12``) and a note for the log."""
    version = runtime.removeprefix("python")
    if int(version.partition(".")[2]) < _oldest_with_sdk():
        return sys.executable, f"python{OURS}, because the service's boto3 does not run in {runtime}"
    found = find_interpreter(version)
    if found is not None:
        return found, runtime
    return sys.executable, f"python{OURS}, because no {runtime} is on this machine"


@functools.cache
def _oldest_with_sdk() -> int:
    """Return the minor version of the oldest Python 3 that the service's boto3 runs in."""
    found = re.fullmatch(r">= ?3\.(\d+)", importlib.metadata.metadata("boto3")["Requires-Python"])
    assert found is not None
    return int(found[1])


def _resident_bytes(process: int) -> int | None:
    """Return the memory that a process uses, or None if it has ended."""
    try:
        # A zombie process uses no memory.
        return psutil.Process(process).memory_info().rss or None
    except psutil.NoSuchProcess:
        return None
