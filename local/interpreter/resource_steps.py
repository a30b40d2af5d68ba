"""Steps that create a job, a model or a model package, and wait until it is done."""

from __future__ import annotations

import logging
import uuid
from typing import Any

from definition_language.expressions import evaluate
from local.core.arns import random_suffix
from local.core.errors import ServiceError
from local.interpreter.arguments import fit
from local.interpreter.definition import Json, Step
from local.interpreter.retries import call_exception_type, is_retryable, job_exception_type
from local.interpreter.step_errors import StepFailedError, StepStoppedError
from local.interpreter.step_run import StepRun
from local.interpreter.step_types import RESOURCE_STEPS, ResourceStep
from local.records import executions as records
from local.records.kinds import MODEL_PACKAGE
from local.storage.store import Document

_logger = logging.getLogger(__name__)

_STEP_NAME_IN_JOB_NAME = 20
_RANDOM_IN_JOB_NAME = 10
_STOP_SECONDS = 300.0
_TOP_TRAINING_JOBS = 50
"""The training jobs that a tuning step's properties have, at most.

Source: ``TuningStep.get_top_model_s3_uri`` of the SageMaker SDK.
"""


class ResourceAttempt:
    """One attempt to run a step. An attempt creates one resource."""

    def __init__(self, run: StepRun) -> None:
        self._run = run
        self._step: Step = run.step
        self._kind: ResourceStep = RESOURCE_STEPS[run.step.type]
        self._name = self._resource_name()
        self.request: dict[str, Any] = self._make_request()

    def run(self) -> None:
        """Create the resource, wait until it is done, and write its properties into the step's record.

        Raises:
            StepFailedError: The resource could not be created, or it failed.
            StepStoppedError: The execution is stopping.
        """
        kind = self._kind
        request = dict(self.request)
        if self._step.type == "RegisterModel":
            # The tags go to the group, because a versioned package has none.
            self._ensure_group(request.pop("Tags", None))
            request["ClientToken"] = self._client_token()
        arn: str = self._call(kind.create, request)[kind.resource.arn_member]
        self._run.change(StepStatus="Executing", Metadata={kind.metadata: {"Arn": arn}})
        if kind.waits:
            self._wait(arn)
        self._run.change(_Properties=self._properties(arn))

    def _wait(self, arn: str) -> None:
        key = arn if self._kind.resource is MODEL_PACKAGE else self._name
        store = self._run.services.store

        def record() -> Document | None:
            return store.find(self._kind.resource.name, key)

        def finished() -> bool:
            document = record()
            return document is None or self._kind.resource.has_ended(document)

        self._run.wait_until(finished)
        if self._run.stopping and self._kind.stop is not None and not finished():
            self._stop()
            self._run.wait_until(finished, _STOP_SECONDS, even_when_stopping=True)
        self._check_status(record(), arn)

    def _stop(self) -> None:
        self._run.change(StepStatus="Stopping")
        try:
            self._run.services.call(str(self._kind.stop), {self._kind.resource.name_member: self._name})
        except ServiceError as error:
            # Not an error: most likely the resource has just finished.
            _logger.info("could not stop %s: %s", self._name, error)

    def _check_status(self, document: Document | None, arn: str) -> None:
        status = None if document is None else document[self._kind.resource.status_member]
        if status in ("Completed", "Succeeded"):
            return
        if self._run.stopping and status != "Failed":
            raise StepStoppedError
        if document is None:
            raise StepFailedError(f"ClientError: {arn} was deleted while the step was waiting for it")
        if status == "Stopped":
            detail = document.get("SecondaryStatus", "Stopped")
            raise StepFailedError(f"ClientError: {arn} was stopped ({detail})")
        reason = document.get("FailureReason") or f"{arn} failed without a reason"
        raise StepFailedError(step_reason(reason), job_exception_type(reason, self._step.type))

    def _properties(self, arn: str) -> Json:
        services = self._run.services
        name = arn if self._kind.resource is MODEL_PACKAGE else self._name
        properties = services.call(self._kind.describe, {self._kind.resource.name_member: name})
        if self._step.type == "Tuning":
            # Best first, because the SDK's TuningStep.get_top_model_s3_uri refers to these summaries.
            objective = properties["HyperParameterTuningJobConfig"].get("HyperParameterTuningJobObjective", {})
            order = "Ascending" if objective.get("Type") == "Minimize" else "Descending"
            top = services.call(
                "ListTrainingJobsForHyperParameterTuningJob",
                {
                    self._kind.resource.name_member: name,
                    "SortBy": "FinalObjectiveMetricValue",
                    "SortOrder": order,
                    "MaxResults": _TOP_TRAINING_JOBS,
                },
            )
            properties["TrainingJobSummaries"] = top["TrainingJobSummaries"]
        return properties

    def _make_request(self) -> dict[str, Any]:
        shape = self._kind.input_shape
        scope = self._run.scope(self._name)
        request: dict[str, Any] = fit(shape, evaluate(self._step.arguments, scope))
        role_member = next((name for name in ("RoleArn", "ExecutionRoleArn") if name in shape.members), None)
        if role_member is not None:
            request.setdefault(role_member, self._run.role_arn)
        if self._step.type != "RegisterModel":
            request["Tags"] = [*request.get("Tags", []), *self._own_tags()]
        if "ModelPackageGroupName" not in request:
            request[self._kind.resource.name_member] = self._name
        return request

    def _ensure_group(self, tags: list[dict[str, str]] | None) -> None:
        """Create the package's group with the step's tags if it does not exist, as SageMaker does."""
        group = self.request.get("ModelPackageGroupName", "arn:")
        if group.startswith("arn:") or self._run.services.store.find("model-package-group", group) is not None:
            return
        try:
            self._call("CreateModelPackageGroup", {"ModelPackageGroupName": group, **({"Tags": tags} if tags else {})})
        except StepFailedError:
            # Another execution may have created the group in the meantime.
            if self._run.services.store.find("model-package-group", group) is None:
                raise

    def _call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._run.services.call(operation, request)
        except ServiceError as error:
            raise StepFailedError(
                f"ClientError: Failed to invoke sagemaker:{operation}. Error Details: {error.message}",
                call_exception_type(error),
            ) from None

    def _client_token(self) -> str:
        """Return the token by which a step of an execution registers one model package.

        An attempt may be cut off after it has registered the package. RetryPipelineExecution then finds that package.
        """
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self._run.execution_arn}/{self._step.name}"))

    def _own_tags(self) -> list[dict[str, str]]:
        return [
            {"Key": "sagemaker:pipeline-arn", "Value": self._run.pipeline_arn},
            {"Key": "sagemaker:pipeline-execution-arn", "Value": self._run.execution_arn},
            {"Key": "sagemaker:pipeline-step-name", "Value": self._step.name},
        ]

    def _resource_name(self) -> str:
        """Return a name in SageMaker's form: ``pipelines-<execution>-<step>-<random>``, shorter for a tuning job.

        If the definition was made with PipelineDefinitionConfig(use_custom_job_prefix=True), the arguments give a
        prefix as the resource's name.
        """
        execution = records.execution_id(self._run.execution_arn)
        random = random_suffix(_RANDOM_IN_JOB_NAME)
        prefix = self._step.arguments.get(self._kind.resource.name_member)
        if prefix is not None:
            head, tail = str(evaluate(prefix, self._run.scope())), f"-{execution}-{random}"
        elif self._step.type == "Tuning":
            head, tail = f"{execution}-{self._step.name}", f"-{random}"
        else:
            head, tail = f"pipelines-{execution}-{self._step.name[:_STEP_NAME_IN_JOB_NAME]}", f"-{random}"
        return (head[: self._kind.name_length - len(tail)] + tail).replace("_", "-")


def step_reason(reason: str) -> str:
    """Return the FailureReason of a step whose resource failed for a reason.

    SageMaker puts ``ClientError: `` before it, also before ``AlgorithmError: ``. The reasons that retry policies name
    are not the client's, and stay as they are.
    Source: tests/integ/sagemaker/workflow/test_step_decorator.py of https://github.com/aws/sagemaker-python-sdk
    """
    return reason if is_retryable(reason) else f"ClientError: {reason}"
