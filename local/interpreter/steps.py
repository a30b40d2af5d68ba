"""Run one step of an execution and keep its record up to date."""

from __future__ import annotations

import logging
import time
from typing import Any

from definition_language.expressions import ExpressionError, as_text, evaluate
from local.interpreter.caching import cache_key, find_cached_run
from local.interpreter.callback_steps import call_back, wait_for_callback
from local.interpreter.conditions import is_true
from local.interpreter.definition import Json
from local.interpreter.lambda_steps import invoke_function
from local.interpreter.resource_steps import ResourceAttempt
from local.interpreter.retries import Retries
from local.interpreter.step_errors import StepFailedError, StepStoppedError
from local.interpreter.step_run import StepRun
from local.records import executions as records
from local.runtime.supervisor import ServiceStoppingError

_logger = logging.getLogger(__name__)


def run_step(run: StepRun) -> str:
    """Run a step and return its effect on the execution: ``Succeeded``, ``Failed`` or ``Stopped``.

    Raises:
        ServiceStoppingError: The service is shutting down. The step's record stays as it is.
    """
    if run.is_resumed:
        run.resume()
    else:
        run.begin(_first_record(run))
    status, reason = "Succeeded", None
    try:
        if run.is_resumed:
            wait_for_callback(run)
        else:
            _run_by_type(run)
    except StepFailedError as error:
        status, reason = "Failed", error.reason
    except ExpressionError as error:
        status, reason = "Failed", f"ClientError: {error}"
    except StepStoppedError:
        status = "Stopped"
    except ServiceStoppingError:
        raise
    except Exception as error:
        if run.shutting_down:
            raise ServiceStoppingError from error
        _logger.exception("step %s of %s", run.step.name, run.execution_arn)
        status, reason = "Failed", f"InternalServerError: {type(error).__name__}: {error}"
    run.change(**records.last_members(status, reason))
    return records.effect(run.record())


def _first_record(run: StepRun) -> dict[str, Any]:
    optional = {"StepDisplayName": run.step.display_name, "StepDescription": run.step.description}
    return {
        "StepName": run.step.name,
        **{name: value for name, value in optional.items() if value is not None},
        "StartTime": time.time(),
        "StepStatus": "Starting",
        "Metadata": {},
        "AttemptCount": 1,
    }


def _run_by_type(run: StepRun) -> None:
    if run.step.type == "Condition":
        _run_condition(run)
    elif run.step.type == "Fail":
        _run_fail(run)
    else:
        _run_with_retries(run)


def _run_condition(run: StepRun) -> None:
    scope = run.scope()
    outcome = all(is_true(condition, scope) for condition in run.step.arguments["Conditions"])
    run.change(Metadata={"Condition": {"Outcome": str(outcome)}}, _Properties={"Outcome": outcome})


def _run_fail(run: StepRun) -> None:
    message = as_text(evaluate(run.step.arguments["ErrorMessage"], run.scope()))
    run.change(Metadata={"Fail": {"ErrorMessage": message}}, _Properties={"ErrorMessage": message})
    raise StepFailedError(message)


def _run_with_retries(run: StepRun) -> None:
    retries = Retries(run.step.retry_policies)
    attempts = 0
    while True:
        attempts += 1
        run.change(AttemptCount=attempts)
        try:
            _attempt(run)
        except StepFailedError as error:
            delay = retries.delay(error.exception_type)
            if delay is None:
                raise _final_error(run, error, retries) from None
            run.wait_until(lambda: False, delay)
            if run.stopping:
                raise StepStoppedError from None
        else:
            return


def _attempt(run: StepRun) -> None:
    if run.step.type == "Lambda":
        payload = evaluate(run.step.arguments, run.scope())
        if not _reuse_earlier_run(run, payload):
            invoke_function(run, payload)
    elif run.step.type == "Callback":
        arguments = evaluate(run.step.arguments, run.scope())
        if not _reuse_earlier_run(run, arguments):
            call_back(run, arguments)
    else:
        attempt = ResourceAttempt(run)
        if not _reuse_earlier_run(run, attempt.request):
            attempt.run()


def _reuse_earlier_run(run: StepRun, arguments: dict[str, Json]) -> bool:
    key = cache_key(run.step, arguments)
    if key is None:
        return False
    found = find_cached_run(run.services.store, run.pipeline_arn, run.step, key)
    if found is None:
        run.change(_CacheKey=key)
        return False
    source, earlier = found
    run.change(
        CacheHitResult={"SourcePipelineExecutionArn": source},
        Metadata=earlier["Metadata"],
        _Properties=earlier["_Properties"],
    )
    return True


def _final_error(run: StepRun, error: StepFailedError, retries: Retries) -> StepFailedError:
    if error.exception_type is None or retries.covers(error.exception_type):
        return error
    return StepFailedError(
        f"{error.reason}\nRetry not appropriate on execution of step with PipelineExecutionArn "
        f"{run.execution_arn} and StepId {run.step.name}. No retry policy configured for the exception "
        f"type {error.exception_type.replace('.', '_').upper()}."
    )
