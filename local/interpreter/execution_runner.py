"""Start and stop executions, and restore them when the service starts again."""

from __future__ import annotations

import threading
import time
from collections import deque

from local.core.disk import be_patient
from local.interpreter.callback_steps import is_waiting
from local.interpreter.execution import Execution
from local.interpreter.schedule import StepSlots
from local.interpreter.services import StepServices
from local.interpreter.step_run import Signals
from local.records import executions as records

MOST_EXECUTIONS = 200
"""Maximum number of executions that run at once. Others wait for one to end."""

_STEP_SLOTS = 200
"""Maximum number of steps that run at once in all executions, not counting one for each execution."""

SERVICE_STOPPED = "InternalServerError: the local service stopped while this was running"


class ExecutionRunner:
    """Runs executions of pipelines, each in a thread of this process."""

    def __init__(self, services: StepServices) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._shutdown = threading.Event()
        self._slots = StepSlots(_STEP_SLOTS)
        self._running: dict[str, tuple[Execution, threading.Thread]] = {}
        self._waiting: deque[str] = deque()

    def start(self, execution_arn: str, *, stopping: bool = False) -> None:
        """Start to run an execution whose record exists. Steps that have succeeded do not run again.

        Args:
            execution_arn: The execution.
            stopping: Whether it starts no more steps, and only waits for those that cannot be stopped.
        """
        signals = Signals(shutdown=self._shutdown)
        if stopping:
            signals.stop.set()
        execution = Execution(self._services, self._slots, execution_arn, signals)
        thread = threading.Thread(
            target=self._run, args=(execution_arn, execution), name=f"execution {execution_arn}", daemon=True
        )
        with self._lock:
            self._running[execution_arn] = execution, thread
            self._waiting.append(execution_arn)
            self._start_waiting()

    def stop(self, execution_arn: str) -> None:
        """Make an execution stop its running steps and start no more. Does not wait for them."""
        running = self._find(execution_arn)
        if running is not None:
            running.stop()
            with self._lock:
                # One that waits ends at once, and needs no room.
                if execution_arn in self._waiting:
                    self._waiting.remove(execution_arn)
                    self._running[execution_arn][1].start()

    def wake_up(self, execution_arn: str) -> None:
        """Make an execution read its changed configuration, so that more steps can start."""
        running = self._find(execution_arn)
        if running is not None:
            running.wake_up()

    def stop_all(self, timeout: float = 1.0) -> None:
        """End all threads, because the service is shutting down. The records stay as they are for ``restore``.

        Args:
            timeout: Seconds to wait for the threads.
        """
        self._shutdown.set()
        with self._lock:
            self._waiting.clear()
            running = [(execution, thread) for execution, thread in self._running.values() if thread.is_alive()]
        deadline = time.monotonic() + timeout
        for execution, thread in running:
            execution.wake_up()
            thread.join(max(0.0, deadline - time.monotonic()))

    def restore(self) -> list[str]:
        """Update the executions that were running when the service stopped.

        An execution without started steps runs now. An execution that was stopping becomes Stopped. All others become
        Failed. Their running steps get the same status. An execution that waits for a callback goes on until then.

        Returns:
            One line for each updated execution, for the log.
        """
        lines = []
        for record in self._services.store.list(records.EXECUTION):
            arn = record["PipelineExecutionArn"]
            status = record["PipelineExecutionStatus"]
            if status not in records.UNDER_WAY:
                continue
            started = records.steps(self._services.store, arn)
            if not started and status == "Executing":
                self.start(arn)
                lines.append(f"pipeline execution {arn}: resumed")
                continue
            last, reason = ("Stopped", None) if status == "Stopping" else ("Failed", SERVICE_STOPPED)
            under_way = [step for step in started if step["StepStatus"] in records.UNDER_WAY]
            lost = [step for step in under_way if not is_waiting(step)]
            for step in lost:
                members = records.last_members(last, reason)
                records.change_step(self._services.store, arn, step["StepName"], **members)
            if len(lost) < len(under_way):
                self.start(arn, stopping=status == "Stopping")
                lines.append(f"pipeline execution {arn}: waits for a callback")
                continue
            records.finish_execution(self._services.store, self._services.events, arn, last, reason)
            lines.append(f"pipeline execution {arn}: was running, is {last} now")
        return lines

    def _find(self, execution_arn: str) -> Execution | None:
        with self._lock:
            return self._running.get(execution_arn, (None,))[0]

    def _run(self, execution_arn: str, execution: Execution) -> None:
        try:
            be_patient()
            execution.run()
        finally:
            with self._lock:
                # RetryPipelineExecution may already have started the execution again.
                if self._running.get(execution_arn, (None,))[0] is execution:
                    del self._running[execution_arn]
                self._start_waiting()

    def _start_waiting(self) -> None:
        """Start executions while there is room. The caller holds the lock."""
        while self._waiting and len(self._running) - len(self._waiting) < MOST_EXECUTIONS:
            self._running[self._waiting.popleft()][1].start()
