"""One step of one execution, with access to its record, its references and the execution's signals."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from local.interpreter.definition import Definition, Step
from local.interpreter.scope import ExecutionScope
from local.interpreter.services import StepServices
from local.records import executions as records
from local.records.execution_events import announce_step
from local.runtime.supervisor import ServiceStoppingError

_FOREVER = 1e8


@dataclass
class Signals:
    """Tells the threads of one execution when to stop.

    Attributes:
        stop: Set when the execution must stop.
        shutdown: Set when the service must stop.
    """

    stop: threading.Event = field(default_factory=threading.Event)
    shutdown: threading.Event = field(default_factory=threading.Event)


class StepRun:
    """Runs as one step of one execution, and keeps the step's record.

    Attributes:
        services: The parts of the service that steps use.
        execution_arn: The execution.
        step: The step.
        is_resumed: Whether the step was waiting for a callback when the service stopped.
    """

    def __init__(  # noqa: PLR0913 - these are what a step needs
        self,
        services: StepServices,
        execution_arn: str,
        definition: Definition,
        step: Step,
        signals: Signals,
        *,
        is_resumed: bool = False,
    ) -> None:
        self.services = services
        self.execution_arn = execution_arn
        self.step = step
        self.is_resumed = is_resumed
        self._definition = definition
        self._signals = signals
        self._status: str | None = None

    @property
    def pipeline_arn(self) -> str:
        """The pipeline's ARN."""
        return self.execution_arn.partition("/execution/")[0]

    @property
    def role_arn(self) -> str:
        """The execution's role. Steps without their own role use it."""
        role: str = records.execution(self.services.store, self.execution_arn)["RoleArn"]
        return role

    @property
    def stopping(self) -> bool:
        """Whether the execution is stopping."""
        return self._signals.stop.is_set()

    @property
    def shutting_down(self) -> bool:
        """Whether the service is shutting down."""
        return self._signals.shutdown.is_set()

    def scope(self, job_name: str | None = None) -> ExecutionScope:
        """Return the scope that resolves this step's references.

        Args:
            job_name: The name of the job that the step will create, if any.
        """
        record = records.execution(self.services.store, self.execution_arn)
        return ExecutionScope(self.services.store, self.services.objects, self._definition, record, job_name)

    def begin(self, record: dict[str, Any]) -> None:
        """Create the step's record and send the event."""
        with self.services.store.transaction():
            records.start_step(self.services.store, self.execution_arn, record)
            self._announce(record)

    def resume(self) -> None:
        """Go on with the step of an earlier run of the service, whose record exists."""
        self._status = self.record()["StepStatus"]

    def record(self) -> dict[str, Any]:
        """Return the step's record."""
        record = records.step(self.services.store, self.execution_arn, self.step.name)
        assert record is not None
        return record

    def change(self, **members: Any) -> None:
        """Change members of the step's record. If the status changes, send the event."""
        store = self.services.store
        with store.transaction():
            record = records.change_step(store, self.execution_arn, self.step.name, **members)
            if record["StepStatus"] != self._status:
                self._announce(record)

    def _announce(self, record: dict[str, Any]) -> None:
        announce_step(self.services.events, self.execution_arn, self.step.type, record, self._status)
        self._status = record["StepStatus"]

    def wait_until(
        self, reached: Callable[[], bool], timeout: float = _FOREVER, *, even_when_stopping: bool = False
    ) -> None:
        """Wait until a condition is reached, the timeout is over, or the execution stops.

        Args:
            reached: Returns whether the condition is reached. It must be quick.
            timeout: The longest wait, in seconds.
            even_when_stopping: Whether to keep waiting while the execution is stopping.

        Raises:
            ServiceStoppingError: The service is shutting down.
        """

        def done() -> bool:
            stopped = self.stopping and not even_when_stopping
            return stopped or self._signals.shutdown.is_set() or reached()

        self.services.store.wait_until(done, timeout)
        if self._signals.shutdown.is_set():
            raise ServiceStoppingError
