"""Operations that send the token of a Callback step back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local.api.sagemaker.operations import Request, Response
from local.core.errors import conflict, not_found
from local.records import executions as records
from local.storage.store import Document, Store


@dataclass(frozen=True)
class CallbackOperations:
    """Operations that send the token of a Callback step back."""

    store: Store

    def send_success(self, request: Request) -> Response:
        """Let a step succeed, with output parameters."""
        return self._answer(request, {"OutputParameters": request.get("OutputParameters", [])})

    def send_failure(self, request: Request) -> Response:
        """Let a step fail, with a reason."""
        reason = request.get("FailureReason") or "The callback step failed: SendPipelineExecutionStepFailure"
        return self._answer(request, {"FailureReason": reason})

    def _answer(self, request: Request, answer: dict[str, Any]) -> Response:
        step = self._find(request["CallbackToken"])
        arn, name = step["_Execution"], step["StepName"]
        token = answer["_Token"] = request.get("ClientRequestToken")

        def change(document: Document) -> None:
            earlier = document.get("_Answer")
            if earlier is None and document["StepStatus"] in records.UNDER_WAY:
                document["_Answer"] = answer
            elif earlier is None or token is None or earlier["_Token"] != token:
                raise conflict(f"Step '{name}' of pipeline execution '{arn}' is not waiting for a callback")

        with self.store.transaction():
            answer["_WhileStopping"] = records.is_stopping(self.store, arn)
            self.store.update(records.STEP, f"{arn}/{name}", change)
        return {"PipelineExecutionArn": arn}

    def _find(self, token: str) -> Document:
        for step in self.store.list(records.STEP):
            # A step that reuses an earlier run has its token too, but did not send it.
            if "_Execution" in step and step["Metadata"]["Callback"]["CallbackToken"] == token:
                return step
        raise not_found(f"No pipeline execution step has the callback token '{token}'.")
