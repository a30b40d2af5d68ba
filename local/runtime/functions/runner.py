"""Run functions: wait for the result, or accept an event and run the function later."""

from __future__ import annotations

import contextlib
import threading
import uuid
from typing import Any

from local.aws.credentials import KeyRing
from local.core.errors import ServiceError
from local.core.settings import Settings
from local.records import functions as records
from local.runtime.functions.asynchronous import AsynchronousInvocations
from local.runtime.functions.forking import fork_server
from local.runtime.functions.invocation import Invocation, InvocationResult
from local.runtime.interpreters import interpreter_of
from local.runtime.supervisor import Supervisor
from local.storage.log_files import Logs
from local.storage.store import Document, Store

MOST_INVOCATIONS = 200
"""Maximum number of synchronous invocations at once, each with a process. Lambda's quota for an account is 1,000.
Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""


class FunctionRunner:
    """Runs Lambda functions.

    Args:
        store: the records of functions, and of accepted events.
        settings: where the code of functions is.
        logs: gets what functions print.
        keys: gives functions their credentials.
        supervisor: runs their programs.
    """

    def __init__(self, store: Store, settings: Settings, logs: Logs, keys: KeyRing, supervisor: Supervisor) -> None:
        self._store, self._settings, self._logs = store, settings, logs
        self._keys, self._supervisor = keys, supervisor
        self._free = threading.Semaphore(MOST_INVOCATIONS)
        self._events = AsynchronousInvocations(store, supervisor, self._succeeds)

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
        record = records.find(self._store, self._settings.region, function_name_or_arn)
        self._events.accept(record["FunctionArn"], payload)

    def begin_asynchronous(self) -> None:
        """Begin with asynchronous invocations, first with those that an earlier run of the service has accepted."""
        self._events.begin()

    def waiting(self) -> int:
        """Return how many accepted asynchronous invocations have not ended."""
        return self._events.waiting()

    def prepare(self, function_name_or_arn: str) -> None:
        """Let Python import the SDK in the background, before a function's first invocation needs it.

        Does nothing if the function does not exist: its invocation will say so.
        """
        with contextlib.suppress(ServiceError):
            runtime = records.find(self._store, self._settings.region, function_name_or_arn)["Runtime"]
            self._supervisor.run_in_background(lambda: self._prepare(runtime), f"fork server of {runtime}")

    def _prepare(self, runtime: str) -> None:
        interpreter, _ = interpreter_of(runtime)
        self._supervisor.prepare(fork_server(interpreter))

    def _succeeds(self, function_arn: str, payload: Any, request_id: str) -> bool:
        return self._run(function_arn, payload, request_id).error is None

    def _run(self, function_name_or_arn: str, payload: Any, request_id: str) -> InvocationResult:
        record = records.find(self._store, self._settings.region, function_name_or_arn)
        code = records.code_folder(self._settings, record["FunctionName"], record["_Code"])
        if record["State"] == "Failed" or not code.is_dir():
            raise _code_is_missing(record)
        invocation = Invocation(
            self._settings, self._logs, self._keys, self._supervisor, record=record, request_id=request_id
        )
        return invocation.run(payload)


def _code_is_missing(record: Document) -> ServiceError:
    message = (
        "The operation cannot be performed at this time. The function is currently in the following state: Failed"
        f" (local service: the code of {record['FunctionName']} is missing; publish it again)"
    )
    return ServiceError("ResourceConflictException", message, 409)
