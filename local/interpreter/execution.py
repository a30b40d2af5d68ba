"""Run one execution: start its steps in the order of their dependencies, and set its final status."""

from __future__ import annotations

import logging
import queue
import threading
from functools import cached_property

from local.core.disk import be_patient
from local.interpreter.definition import Definition, Step
from local.interpreter.parsing import parse
from local.interpreter.schedule import Schedule, StepSlots
from local.interpreter.selection import skipped_steps
from local.interpreter.services import StepServices
from local.interpreter.step_run import Signals, StepRun
from local.interpreter.steps import run_step
from local.records import executions as records
from local.runtime.supervisor import ServiceStoppingError

_logger = logging.getLogger(__name__)

STEPS_FAILED = "Step failure: One or multiple steps failed."
"""The FailureReason of an execution with a failed step, in SageMaker's words."""

MOST_PARALLEL_STEPS = 50
"""Maximum number of steps that an execution runs at once if it has no ParallelismConfiguration.
Source: https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-pipeline.html
"""


class Execution:
    """Runs the steps of an execution, each in its own thread.

    When a step fails, no further step starts, and the running steps finish.
    """

    def __init__(self, services: StepServices, slots: StepSlots, execution_arn: str, signals: Signals) -> None:
        self._services = services
        self._slots = slots
        self._slots_taken = 0
        self._arn = execution_arn
        self._signals = signals
        self._ended: queue.SimpleQueue[tuple[str, str] | None] = queue.SimpleQueue()

    @cached_property
    def _definition(self) -> Definition:
        return parse(records.definition_text(self._services.store, self._arn))

    @cached_property
    def _schedule(self) -> Schedule:
        record = records.execution(self._services.store, self._arn)
        states = dict.fromkeys(skipped_steps(self._definition, record), "Skipped")
        for step in records.steps(self._services.store, self._arn):
            if step["StepStatus"] not in records.UNDER_WAY:
                states[step["StepName"]] = records.effect(step)
        return Schedule(self._definition.steps, states, self._outcome)

    def stop(self) -> None:
        """Stop the running steps, and start no more."""
        self._signals.stop.set()
        self.wake_up()

    def wake_up(self) -> None:
        """Make every waiting thread of the execution check its signals and settings."""
        self._look_again()
        self._services.store.wake_waiting()

    def run(self) -> None:
        """Run all steps that can run, then set the execution's final status."""
        try:
            self._resume_steps()
            self._prepare_programs()
            while True:
                if not self._schedule.failed and not self._signals.stop.is_set():
                    self._start_ready_steps()
                if not self._schedule.running:
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
        finally:
            self._slots.give_back(self._slots_taken)

    def _look_again(self) -> None:
        self._ended.put(None)

    def _outcome(self, condition: str) -> bool | None:
        record = records.step(self._services.store, self._arn, condition)
        return None if record is None else bool(record["_Properties"]["Outcome"])

    def _start_ready_steps(self) -> None:
        limit = self._limit()
        while self._schedule.has_next() and self._schedule.running < limit and self._take_slot():
            self._start(self._schedule.start_next())

    def _resume_steps(self) -> None:
        """Go on with the steps that waited for callbacks when the service stopped."""
        for step in records.steps(self._services.store, self._arn):
            if step["StepStatus"] in records.UNDER_WAY:
                self._take_slot()
                self._start(self._schedule.resume(step["StepName"]), resumed=True)

    def _prepare_programs(self) -> None:
        """Let the programs of functions and training jobs be imported while the first steps run."""
        if self._signals.stop.is_set():
            return
        steps = self._definition.steps.values()
        for arn in {step.function_arn for step in steps} - {None}:
            self._services.functions.prepare(str(arn))
        for image in {step.training_image for step in steps} - {None}:
            self._services.prepare_training(str(image))

    def _limit(self) -> int:
        # Read every time, because UpdatePipelineExecution can change the limit during the execution.
        record = records.execution(self._services.store, self._arn)
        configuration = record.get("ParallelismConfiguration") or {}
        limit: int = configuration.get("MaxParallelExecutionSteps", MOST_PARALLEL_STEPS)
        return limit

    def _take_slot(self) -> bool:
        """Return whether another step may run. The execution's only running step needs no slot."""
        if self._schedule.running:
            if not self._slots.take(self._look_again):
                return False
            self._slots_taken += 1
        return True

    def _start(self, step: Step, *, resumed: bool = False) -> None:
        run = StepRun(self._services, self._arn, self._definition, step, self._signals, is_resumed=resumed)

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
            self._schedule.end(*ended)
            if self._slots_taken:
                self._slots_taken -= 1
                self._slots.give_back()

    def _finish(self) -> None:
        if self._schedule.failed:
            records.finish_execution(self._services.store, self._services.events, self._arn, "Failed", STEPS_FAILED)
        elif records.is_stopping(self._services.store, self._arn):
            records.finish_execution(self._services.store, self._services.events, self._arn, "Stopped")
        else:
            records.finish_execution(self._services.store, self._services.events, self._arn, "Succeeded")
