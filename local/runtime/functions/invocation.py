"""Run a function once, in a new process with the function's environment, time and memory."""

from __future__ import annotations

import contextlib
import json
import shutil
import threading
import time
import uuid
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psutil

from local.aws.credentials import Credentials, KeyRing
from local.core.arns import assumed_role
from local.core.settings import Settings
from local.records import functions as records
from local.runtime.functions.forking import can_be_forked, fork_server, starting_environment
from local.runtime.interpreters import interpreter_of
from local.runtime.lines import read_lines
from local.runtime.supervisor import Program, Supervisor
from local.storage.log_files import Logs
from local.storage.store import Document

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


class Invocation:
    """One run of one function.

    Args:
        settings: the folders of the code and of invocations, and the service's region and URL.
        logs: gets what the function prints.
        keys: gives the function its credentials.
        supervisor: runs the program.
        record: the function.
        request_id: identifies the invocation.
    """

    def __init__(  # noqa: PLR0913 - what an invocation uses
        self,
        settings: Settings,
        logs: Logs,
        keys: KeyRing,
        supervisor: Supervisor,
        *,
        record: Document,
        request_id: str,
    ) -> None:
        self._settings, self._logs, self._keys, self._supervisor = settings, logs, keys, supervisor
        self._record = record
        self._request_id = request_id
        name = record["FunctionName"]
        self._code = records.code_folder(settings, name, record["_Code"])
        self._folder = settings.functions / name / "invocations" / request_id
        self._group = records.log_group(record)
        self._stream = datetime.now(UTC).strftime("%Y/%m/%d/[$LATEST]") + uuid.uuid4().hex
        self._last_lines: deque[str] = deque(maxlen=_TAIL_BYTES)
        self._peak_bytes = 0
        self._stopped_by: str | None = None
        self._ended = threading.Event()

    def run(self, payload: Any) -> InvocationResult:
        """Call the function's handler with an event, and wait for the result.

        Raises:
            ServiceStoppingError: the service is going down.
        """
        try:
            return self._run(payload)
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, payload: Any) -> InvocationResult:
        interpreter, remark = interpreter_of(self._record["Runtime"])
        self._folder.mkdir(parents=True)
        (self._folder / "event.json").write_text(json.dumps(payload))
        (self._folder / "invocation.json").write_text(json.dumps(self._description()))
        self._log(f"INIT_START Runtime: {remark}")
        self._log(f"START RequestId: {self._request_id} Version: {records.LATEST}")
        started = time.monotonic()
        identity = assumed_role(self._record["Role"], self._record["FunctionName"])
        server = fork_server(interpreter)
        with self._keys.of_invocation(identity) as credentials:
            program = self._supervisor.start(
                f"function/{self._request_id}",
                [*server.command, str(self._folder)],
                folder=self._code,
                environment=self._environment(credentials),
                server=server if can_be_forked(self._code, self._variables()) else None,
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
            if deadline is None and (now > latest_start or (self._folder / "initialised").exists()):
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
            outcome: dict[str, Any] = json.loads((self._folder / "result.json").read_text())
            return outcome
        return None

    def _log(self, *lines: str) -> None:
        # Keep the last 4 KiB. The log has the rest.
        self._last_lines.extend(line[-_TAIL_BYTES:] for line in lines)
        self._logs.append(self._group, self._stream, lines)

    def _description(self) -> dict[str, Any]:
        return {
            "request_id": self._request_id,
            "function_arn": self._record["FunctionArn"],
            "timeout": self._record["Timeout"],
            "memory_bytes": self._record["MemorySize"] * _MEBIBYTE,
            "code": str(self._code),
        }

    def _environment(self, credentials: Credentials) -> dict[str, str]:
        """Return the environment variables of the function's process.

        docs/local-service.md has the table.
        Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
        """
        return {
            **starting_environment(),
            "TMPDIR": str(self._folder),
            "HOME": str(self._folder),
            "AWS_REGION": self._settings.region,
            "AWS_DEFAULT_REGION": self._settings.region,
            **credentials.variables(),
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{self._record['Runtime']}",
            "AWS_LAMBDA_FUNCTION_NAME": self._record["FunctionName"],
            "AWS_LAMBDA_FUNCTION_VERSION": records.LATEST,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self._record["MemorySize"]),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": self._group,
            "AWS_LAMBDA_LOG_STREAM_NAME": self._stream,
            "LAMBDA_TASK_ROOT": str(self._code),
            "_HANDLER": self._record["Handler"],
            "AWS_ENDPOINT_URL": self._settings.endpoint_url,
            **self._variables(),
        }

    def _variables(self) -> dict[str, str]:
        """Return the environment variables that the function's configuration sets."""
        variables: dict[str, str] = self._record.get("Environment", {}).get("Variables", {})
        return variables


def _instant() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _resident_bytes(process: int) -> int | None:
    """Return the memory that a process uses, or None if it has ended."""
    try:
        # A zombie process uses no memory.
        return psutil.Process(process).memory_info().rss or None
    except psutil.NoSuchProcess:
        return None
