"""Running one step of an execution, from its first record to its last."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from definition_language.expressions import ExpressionError, as_text, evaluate
from local.interpreter.caching import cache_key, find_run
from local.interpreter.conditions import holds
from local.interpreter.definition import Definition, Json, Step
from local.interpreter.lambda_steps import invoke_function
from local.interpreter.outcomes import StepFailedError, StepStoppedError
from local.interpreter.resource_steps import ResourceAttempt
from local.interpreter.retries import Retries
from local.interpreter.scope import ExecutionScope
from local.records import executions as records
from local.records.execution_events import announce_step
from local.runtime.supervisor import ServiceStoppingError

if TYPE_CHECKING:
    from local.context import Context

_logger = logging.getLogger(__name__)

_FOREVER = 1e8


@dataclass
class Signals:
    """What the threads of one execution watch beside the records.

    Attributes:
        stop: the execution is to stop.
        shutdown: the service is to stop.
    """

    stop: threading.Event = field(default_factory=threading.Event)
    shutdown: threading.Event = field(default_factory=threading.Event)


class StepRun:
    """One step of one execution."""

    def __init__(
        self, context: Context, execution_arn: str, definition: Definition, step: Step, signals: Signals
    ) -> None:
        self.context = context
        self.execution_arn = execution_arn
        self.step = step
        self._definition = definition
        self._signals = signals
        self._status: str | None = None

    @property
    def pipeline_arn(self) -> str:
        """The pipeline's ARN."""
        return self.execution_arn.partition("/execution/")[0]

    @property
    def role_arn(self) -> str:
        """The execution's role, for steps that name none."""
        role: str = records.execution(self.context, self.execution_arn)["RoleArn"]
        return role

    @property
    def stopping(self) -> bool:
        """Whether the execution is being stopped."""
        return self._signals.stop.is_set()

    def scope(self, job_name: str | None = None) -> ExecutionScope:
        """What references mean in this step."""
        record = records.execution(self.context, self.execution_arn)
        return ExecutionScope(self.context, self._definition, record, job_name)

    def change(self, **members: Any) -> None:
        """Change members of the step's record, and tell when its state is another."""
        record = records.change_step(self.context, self.execution_arn, self.step.name, **members)
        if record["StepStatus"] != self._status:
            announce_step(self.context, self.execution_arn, self.step.type, record, self._status)
            self._status = record["StepStatus"]

    def wait_until(
        self, reached: Callable[[], bool], timeout: float = _FOREVER, *, even_when_stopping: bool = False
    ) -> None:
        """Wait until something is so, the time is over, or the execution is to stop.

        Args:
            reached: a quick look at the records.
            timeout: seconds to wait at the most.
            even_when_stopping: wait on though the execution is to stop.

        Raises:
            ServiceStoppingError: the service is going down.
        """

        def over() -> bool:
            stopped = self.stopping and not even_when_stopping
            return stopped or self._signals.shutdown.is_set() or reached()

        self.context.store.wait_until(over, timeout)
        if self._signals.shutdown.is_set():
            raise ServiceStoppingError

    def carry_out(self) -> str:
        """Run the step; return its last state: ``Succeeded``, ``Failed`` or ``Stopped``.

        Raises:
            ServiceStoppingError: the service is going down; the step's record is left as it is.
        """
        records.start_step(self.context, self.execution_arn, self._first_record())
        self.change(StepStatus="Starting")
        status, reason = "Succeeded", None
        try:
            self._perform()
        except StepFailedError as error:
            status, reason = "Failed", error.reason
        except ExpressionError as error:
            status, reason = "Failed", f"ClientError: {error}"
        except StepStoppedError:
            status = "Stopped"
        except ServiceStoppingError:
            raise
        except Exception as error:
            if self._signals.shutdown.is_set():
                raise ServiceStoppingError from error
            _logger.exception("step %s of %s", self.step.name, self.execution_arn)
            status, reason = "Failed", f"InternalServerError: {type(error).__name__}: {error}"
        self.change(**records.last_members(status, reason))
        return status

    def _first_record(self) -> dict[str, Any]:
        optional = {"StepDisplayName": self.step.display_name, "StepDescription": self.step.description}
        return {
            "StepName": self.step.name,
            **{name: value for name, value in optional.items() if value is not None},
            "StartTime": time.time(),
            "StepStatus": "Starting",
            "Metadata": {},
            "AttemptCount": 1,
        }

    def _perform(self) -> None:
        if self.step.type == "Condition":
            self._decide()
        elif self.step.type == "Fail":
            self._fail()
        else:
            self._run_with_retries()

    def _decide(self) -> None:
        scope = self.scope()
        outcome = all(holds(condition, scope) for condition in self.step.arguments["Conditions"])
        self.change(Metadata={"Condition": {"Outcome": str(outcome)}}, _Properties={"Outcome": outcome})

    def _fail(self) -> None:
        message = as_text(evaluate(self.step.arguments["ErrorMessage"], self.scope()))
        self.change(Metadata={"Fail": {"ErrorMessage": message}}, _Properties={"ErrorMessage": message})
        raise StepFailedError(message)

    def _run_with_retries(self) -> None:
        retries = Retries(self.step.retry_policies)
        attempts = 0
        while True:
            attempts += 1
            self.change(AttemptCount=attempts)
            try:
                self._attempt()
            except StepFailedError as error:
                delay = retries.delay(error.kind)
                if delay is None:
                    raise self._final(error, retries) from None
                self.wait_until(lambda: False, delay)
                if self.stopping:
                    raise StepStoppedError from None
            else:
                return

    def _attempt(self) -> None:
        if self.step.type == "Lambda":
            payload = evaluate(self.step.arguments, self.scope())
            if not self._use_earlier_run(payload):
                invoke_function(self, payload)
        else:
            attempt = ResourceAttempt(self)
            if not self._use_earlier_run(attempt.request):
                attempt.carry_out()

    def _use_earlier_run(self, arguments: dict[str, Json]) -> bool:
        key = cache_key(self.step, arguments)
        if key is None:
            return False
        found = find_run(self.context, self.pipeline_arn, self.step, key)
        if found is None:
            self.change(_CacheKey=key)
            return False
        source, run = found
        self.change(
            CacheHitResult={"SourcePipelineExecutionArn": source},
            Metadata=run["Metadata"],
            _Properties=run["_Properties"],
        )
        return True

    def _final(self, error: StepFailedError, retries: Retries) -> StepFailedError:
        if error.kind is None or retries.covers(error.kind):
            return error
        return StepFailedError(
            f"{error.reason}\nRetry not appropriate on execution of step with PipelineExecutionArn "
            f"{self.execution_arn} and StepId {self.step.name}. No retry policy configured for the exception "
            f"type {error.kind.replace('.', '_').upper()}."
        )
