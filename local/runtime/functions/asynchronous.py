"""Asynchronous invocations: their events are kept until they have ended, and failures are tried again.

Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from typing import Any

from local.core.errors import ServiceError
from local.records.kinds import ASYNCHRONOUS_INVOCATION
from local.runtime.supervisor import Supervisor
from local.runtime.work_queue import WorkQueue
from local.storage.store import Document, Store

RETRY_PAUSES = (60.0, 120.0)
"""Seconds before a function that has failed gets the event again."""
_MOST_AT_ONCE = 50
_LONGEST_PAUSE = 300.0
_LONGEST_AGE = 6 * 3600.0
"""Limits in seconds for an event that cannot reach its function. The pause doubles from one second."""
_log = logging.getLogger(__name__)


class AsynchronousInvocations:
    """Invokes functions with accepted events.

    An event is a record until its function has succeeded or failed for the last time, so a stop of the service does not
    lose it. As in Lambda, a function may get an event more than once, always with the same request id.

    Args:
        store: keeps the events.
        supervisor: runs the invocations in the background.
        run: invokes a function, given its ARN, the event and the request id. Returns whether it has succeeded.
    """

    def __init__(self, store: Store, supervisor: Supervisor, run: Callable[[str, Any, str], bool]) -> None:
        self._queue = WorkQueue(store, supervisor, ASYNCHRONOUS_INVOCATION, _MOST_AT_ONCE, self._attempt)
        self._run = run

    def accept(self, function_arn: str, payload: Any) -> None:
        """Invoke a function with an event as soon as there is room, and drop the result."""
        request_id = str(uuid.uuid4())
        work = {"RequestId": request_id, "FunctionArn": function_arn, "Payload": payload}
        self._queue.put(request_id, work | {"Accepted": time.time(), "Failures": 0, "Faults": 0})

    def begin(self) -> None:
        """Begin with the invocations, first with those that an earlier run of the service has accepted."""
        self._queue.begin()

    def waiting(self) -> int:
        """Return how many accepted invocations have not ended."""
        return self._queue.waiting()

    def _attempt(self, work: Document) -> Document | None:
        """Invoke the function once. Return what is left to do."""
        try:
            if self._run(work["FunctionArn"], work["Payload"], work["RequestId"]):
                return None
        except (ServiceError, OSError) as error:
            _log.warning("the event %s did not reach %s: %s", work["RequestId"], work["FunctionArn"], error)
            return _after_fault(work, error)
        failures = work["Failures"]
        if failures == len(RETRY_PAUSES):
            _log.warning("%s has failed with the event %s for the last time", work["FunctionArn"], work["RequestId"])
            return None
        return work | {"Failures": failures + 1, "Due": time.time() + RETRY_PAUSES[failures]}


def _after_fault(work: Document, error: Exception) -> Document | None:
    """Return what is left to do after a fault that is not the function's."""
    now, faults = time.time(), work["Faults"]
    if now - work["Accepted"] > _LONGEST_AGE or getattr(error, "code", "") == "ResourceNotFoundException":
        return None
    return work | {"Faults": faults + 1, "Due": now + min(2.0**faults, _LONGEST_PAUSE)}
