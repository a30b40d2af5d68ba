"""Callback steps: the step sends a token to a queue, and waits until somebody sends the token back.

An execution does not stop before. When it is to stop, the step sends a second message with the status ``Stopping``.
The documentation shows this message only; that the first one has the status ``Executing`` follows from it. It names no
longest wait.

Source: "Callback step" in https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-steps-types.html
"""

from __future__ import annotations

import json
import secrets
import string
from typing import Any

from definition_language.expressions import as_text
from local.core.errors import ServiceError
from local.interpreter.definition import Json, Scalar
from local.interpreter.step_errors import StepFailedError
from local.interpreter.step_run import StepRun

_TOKEN_LENGTH = 10
_BOOLEANS = {"true": True, "false": False}


def call_back(run: StepRun, arguments: Json) -> None:
    """Send the step's token and arguments to its queue, and wait for the answer.

    Raises:
        StepFailedError: the queue did not take the message, the answer is a failure, or it lacks a declared output.
    """
    token = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(_TOKEN_LENGTH))
    # Recorded before it is sent, because it may come back at once.
    run.change(Metadata=_metadata(run, token), _Execution=run.execution_arn, _Arguments=arguments)
    wait_for_callback(run)


def wait_for_callback(run: StepRun) -> None:
    """Wait for the answer of a step that has a token.

    Raises:
        StepFailedError: see ``call_back``.
    """

    def is_answered() -> bool:
        return "_Answer" in run.record()

    if run.record()["StepStatus"] == "Starting":
        _send(run, "Executing")
    run.wait_until(is_answered)
    if not is_answered():
        if run.record()["StepStatus"] != "Stopping":
            _send(run, "Stopping")
        run.wait_until(is_answered, even_when_stopping=True)
    _read_answer(run, run.record()["_Answer"])


def is_waiting(step: dict[str, Any]) -> bool:
    """Return whether a step's record is of a step that waits for its token."""
    return "_Arguments" in step


def _send(run: StepRun, status: str) -> None:
    """Send a message, then change the step's status. If the service ends in between, it sends the message again."""
    record = run.record()
    message = {
        "token": record["Metadata"]["Callback"]["CallbackToken"],
        "pipelineExecutionArn": run.execution_arn,
        "arguments": record["_Arguments"],
        "status": status,
    }
    try:
        run.services.send_message(str(run.step.queue_url), json.dumps(message))
    except ServiceError as error:
        raise StepFailedError(
            f"ClientError: Failed to invoke sqs:SendMessage. Error Details: {error.message}"
        ) from None
    run.change(StepStatus=status)


def _read_answer(run: StepRun, answer: dict[str, Any]) -> None:
    if "OutputParameters" not in answer:
        raise StepFailedError(answer["FailureReason"])
    given = {item["Name"]: item["Value"] for item in answer["OutputParameters"]}
    metadata = _metadata(run, run.record()["Metadata"]["Callback"]["CallbackToken"], given)
    run.change(Metadata=metadata)
    outputs = {name: _output(given, name, kind) for name, kind in run.step.outputs.items()}
    run.change(_Properties={"OutputParameters": outputs})


def _metadata(run: StepRun, token: str, outputs: dict[str, str] | None = None) -> dict[str, Any]:
    parameters = [{"Name": name, "Value": as_text(value)} for name, value in (outputs or {}).items()]
    return {"Callback": {"CallbackToken": token, "SqsQueueUrl": run.step.queue_url, "OutputParameters": parameters}}


def _output(given: dict[str, str], name: str, kind: str) -> Scalar:
    if name not in given:
        found = ", ".join(given) or "none"
        raise StepFailedError(f"ClientError: the callback has no output parameter '{name}'; it has: {found}")
    value = _converted(given[name], kind)
    if value is None:
        raise StepFailedError(f"ClientError: output parameter '{name}' is not of type {kind}: {given[name]!r}")
    return value


def _converted(text: str, kind: str) -> Scalar | None:
    if kind == "String":
        return text
    if kind == "Boolean":
        return _BOOLEANS.get(text.lower())
    try:
        return int(text) if kind == "Integer" else float(text)
    except ValueError:
        return None
