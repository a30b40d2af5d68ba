"""Lambda steps: the step invokes a function, and the response becomes the step's output parameters."""

from __future__ import annotations

import threading

from definition_language.expressions import as_text
from local.core.disk import be_patient
from local.core.errors import ServiceError
from local.interpreter.definition import Json
from local.interpreter.lambda_outputs import output_value
from local.interpreter.retries import call_exception_type
from local.interpreter.step_errors import StepFailedError
from local.interpreter.step_run import StepRun
from local.runtime.functions.invocation import InvocationResult

TIME_LIMIT = 600.0
"""The longest run of a step's function, in seconds. Source: "Lambda step", Amazon SageMaker developer guide."""


def invoke_function(run: StepRun, payload: dict[str, Json]) -> None:
    """Invoke the step's function and wait for its response, even while the execution is stopping.

    Raises:
        StepFailedError: The function failed, took too long, or did not return the declared outputs.
    """
    arn = str(run.step.function_arn)
    run.change(StepStatus="Executing", Metadata={"Lambda": {"Arn": arn, "OutputParameters": []}})
    response = _response(run, arn, payload)
    outputs = {name: output_value(response, name, kind) for name, kind in run.step.outputs.items()}
    parameters = [{"Name": name, "Value": as_text(value)} for name, value in outputs.items()]
    run.change(
        Metadata={"Lambda": {"Arn": arn, "OutputParameters": parameters}},
        _Properties={"OutputParameters": outputs},
    )


def _response(run: StepRun, arn: str, payload: dict[str, Json]) -> Json:
    results: list[InvocationResult | Exception] = []

    def invoke() -> None:
        be_patient()
        try:
            results.append(run.services.functions.invoke(arn, payload))
        except Exception as error:  # raised again in the step's own thread
            results.append(error)

    # In its own thread, because a function cannot be stopped: the step can end before its function.
    thread = threading.Thread(target=invoke, name=f"lambda step {run.step.name}", daemon=True)
    thread.start()
    thread.join(TIME_LIMIT)
    if not results:
        raise StepFailedError(
            f"ClientError: Lambda function {arn} exceeded the limit of {TIME_LIMIT:g} seconds for a Lambda step"
        )
    result = results[0]
    if isinstance(result, ServiceError):
        raise StepFailedError(
            f"ClientError: Failed to invoke lambda:Invoke. Error Details: {result.message}",
            call_exception_type(result),
        )
    if isinstance(result, Exception):
        raise result
    if result.error is not None:
        raise StepFailedError(f"ClientError: Lambda function {arn} failed: {_description(result.payload)}")
    return result.payload


def _description(payload: Json) -> str:
    if isinstance(payload, dict) and "errorMessage" in payload:
        return ": ".join(str(payload[name]) for name in ("errorType", "errorMessage") if payload.get(name))
    return str(payload)
