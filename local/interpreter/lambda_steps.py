"""Lambda steps: a function is invoked, and its answer becomes the step's output parameters."""

from __future__ import annotations

import threading
from typing import Any

from definition_language.expressions import as_text
from local.core.errors import ServiceError
from local.interpreter.definition import Json, Scalar
from local.interpreter.outcomes import StepFailedError
from local.interpreter.retries import kind_of_call_error
from local.interpreter.step_run import StepRun
from local.runtime.functions.invocation import InvocationResult

TIME_LIMIT = 600.0
"""Seconds that a function may take in a step. Source: "Lambda step", Amazon SageMaker developer guide."""

_PYTHON_TYPES: dict[str, Any] = {"String": str, "Integer": int, "Float": (int, float), "Boolean": bool}


def invoke_function(run: StepRun, payload: dict[str, Json]) -> None:
    """Invoke the step's function and wait for its answer, even while the execution is being stopped.

    Raises:
        StepFailedError: the function failed, took too long, or did not give what the step declares.
    """
    arn = str(run.step.function_arn)
    run.change(StepStatus="Executing", Metadata={"Lambda": {"Arn": arn, "OutputParameters": []}})
    answer = _answer(run, arn, payload)
    outputs = {name: _output(answer, name, kind) for name, kind in run.step.outputs.items()}
    parameters = [{"Name": name, "Value": as_text(value)} for name, value in outputs.items()]
    run.change(
        Metadata={"Lambda": {"Arn": arn, "OutputParameters": parameters}},
        _Properties={"OutputParameters": outputs},
    )


def _answer(run: StepRun, arn: str, payload: dict[str, Json]) -> Json:
    outcome: list[InvocationResult | Exception] = []

    def invoke() -> None:
        try:
            outcome.append(run.services.functions.invoke(arn, payload))
        except Exception as error:  # raised again in the step's own thread
            outcome.append(error)

    # A function cannot be told to stop; a thread of its own lets the step end before it.
    thread = threading.Thread(target=invoke, name=f"lambda step {run.step.name}", daemon=True)
    thread.start()
    thread.join(TIME_LIMIT)
    if not outcome:
        raise StepFailedError(
            f"ClientError: Lambda function {arn} did not end within the {TIME_LIMIT:g} seconds of a Lambda step"
        )
    result = outcome[0]
    if isinstance(result, ServiceError):
        raise StepFailedError(
            f"ClientError: Failed to invoke lambda:Invoke. Error Details: {result.message}",
            kind_of_call_error(result),
        )
    if isinstance(result, Exception):
        raise result
    if result.error is not None:
        raise StepFailedError(f"ClientError: Lambda function {arn} failed: {_description(result.payload)}")
    return result.payload


def _output(answer: Json, name: str, kind: str) -> Scalar:
    value = answer.get(name) if isinstance(answer, dict) else None
    if value is None:
        given = ", ".join(answer) if isinstance(answer, dict) else type(answer).__name__
        raise StepFailedError(f"ClientError: the function did not return output parameter '{name}', but: {given}")
    if not isinstance(value, _PYTHON_TYPES[kind]) or isinstance(value, bool) != (kind == "Boolean"):
        raise StepFailedError(f"ClientError: output parameter '{name}' is not of type {kind}: {value!r}")
    checked: Scalar = value
    return checked


def _description(payload: Json) -> str:
    if isinstance(payload, dict) and "errorMessage" in payload:
        return ": ".join(str(payload[name]) for name in ("errorType", "errorMessage") if payload.get(name))
    return str(payload)
