"""Run one execution: start its steps in the order of their dependencies, and set its final status."""

from __future__ import annotations

import logging
import queue
import threading
from functools import cached_property

from local.core.disk import be_patient
from local.interpreter.definition import Definition, Step
from local.interpreter.parsing import parse
from local.interpreter.selection import skipped_steps
from local.interpreter.services import StepServices
from local.interpreter.step_run import Signals, StepRun
from local.interpreter.steps import run_step
from local.records import executions as records
from local.runtime.supervisor import ServiceStoppingError

_logger = logging.getLogger(__name__)

STEPS_FAILED = "Step failure: One or multiple steps failed."
"""The FailureReason of an execution with a failed step, in SageMaker's words."""

_FINISHED = ("Succeeded", "Failed", "Stopped", "Skipped")


class Execution:
    """Runs the steps of an execution, each in its own thread.

    A step starts when all its dependencies have succeeded. The steps of the branch not taken are skipped, and so are
    all steps that depend on them. When a step fails, no further step starts, and the running steps finish.
    """

    def __init__(self, services: StepServices, execution_arn: str, signals: Signals) -> None:
        self._services = services
        self._arn = execution_arn
        self._signals = signals
        self._states: dict[str, str] = {}
        self._ended: queue.SimpleQueue[tuple[str, str] | None] = queue.SimpleQueue()

    @cached_property
    def _definition(self) -> Definition:
        return parse(records.definition_text(self._services.store, self._arn))

    def stop(self) -> None:
        """Stop the running steps, and start no more."""
        self._signals.stop.set()
        self.wake_up()

    def wake_up(self) -> None:
        """Make every waiting thread of the execution check its signals and settings."""
        self._ended.put(None)
        self._services.store.wake_waiting()

    def run(self) -> None:
        """Run all steps that can run, then set the execution's final status."""
        try:
            self._load_states()
            while True:
                self._skip()
                if not self._failed and not self._signals.stop.is_set():
                    self._start_ready_steps()
                if not self._running:
                    break
                self._on_step_finished(self._ended.get())
            self._finish()
        except ServiceStoppingError:
            return
        except Exception as error:
            if self._signals.shutdown.is_set():
                return
            _logger.exception("execution %s", self._arn)
            reason = f"InternalServerError: {type(error).__name__}: {error}"
            records.finish_execution(self._services.store, self._services.events, self._arn, "Failed", reason)

    def _load_states(self) -> None:
        record = records.execution(self._services.store, self._arn)
        self._states = dict.fromkeys(skipped_steps(self._definition, record), "Skipped")
        for step in records.steps(self._services.store, self._arn):
            self._states[step["StepName"]] = step["StepStatus"]

    @property
    def _failed(self) -> bool:
        return "Failed" in self._states.values()

    @property
    def _running(self) -> int:
        return sum(state not in _FINISHED for state in self._states.values())

    def _skip(self) -> None:
        """Mark the steps that can never run. Repeat, because a step can precede its dependencies in the definition."""
        while True:
            unreachable = [
                step.name
                for step in self._definition.steps.values()
                if step.name not in self._states and self._is_unreachable(step)
            ]
            if not unreachable:
                return
            self._states.update(dict.fromkeys(unreachable, "Skipped"))

    def _is_unreachable(self, step: Step) -> bool:
        if any(self._states.get(name) == "Skipped" for name in step.dependencies):
            return True
        if step.branch is None or self._states.get(step.branch.condition) != "Succeeded":
            return False
        condition = records.step(self._services.store, self._arn, step.branch.condition)
        return condition is not None and condition["_Properties"]["Outcome"] != step.branch.outcome

    def _start_ready_steps(self) -> None:
        limit = self._limit()
        for step in self._definition.steps.values():
            if limit is not None and self._running >= limit:
                return
            if step.name in self._states:
                continue
            if all(self._states.get(name) == "Succeeded" for name in step.dependencies):
                self._start(step)

    def _limit(self) -> int | None:
        # Read every time, because UpdatePipelineExecution can change the limit during the execution.
        record = records.execution(self._services.store, self._arn)
        configuration = record.get("ParallelismConfiguration") or {}
        limit: int | None = configuration.get("MaxParallelExecutionSteps")
        return limit

    def _start(self, step: Step) -> None:
        self._states[step.name] = "Starting"
        run = StepRun(self._services, self._arn, self._definition, step, self._signals)

        def work() -> None:
            try:
                be_patient()
                self._ended.put((step.name, run_step(run)))
            except Exception as error:
                if not isinstance(error, ServiceStoppingError) and not self._signals.shutdown.is_set():
                    _logger.exception("step %s of %s", step.name, self._arn)
                self._ended.put((step.name, "Failed"))

        threading.Thread(target=work, name=f"step {step.name}", daemon=True).start()

    def _on_step_finished(self, ended: tuple[str, str] | None) -> None:
        if self._signals.shutdown.is_set():
            raise ServiceStoppingError
        if ended is not None:
            name, state = ended
            self._states[name] = state

    def _finish(self) -> None:
        if self._failed:
            records.finish_execution(self._services.store, self._services.events, self._arn, "Failed", STEPS_FAILED)
        elif self._signals.stop.is_set():
            records.finish_execution(self._services.store, self._services.events, self._arn, "Stopped")
        else:
            records.finish_execution(self._services.store, self._services.events, self._arn, "Succeeded")
