"""The kinds of records. A kind's names and final statuses are defined here only."""

from __future__ import annotations

from dataclasses import dataclass

from local.core.arns import sagemaker_arn
from local.storage.store import Document


@dataclass(frozen=True)
class Kind:
    """A kind of resource.

    Attributes:
        name: The kind of its records, and its name in ARNs.
        prefix: The prefix of its members: ``TrainingJob`` for ``TrainingJobName`` and ``TrainingJobStatus``.
        plural: Its name in messages, in the plural.
        ended: The final statuses.
    """

    name: str
    prefix: str
    plural: str
    ended: tuple[str, ...] = ("Completed", "Failed", "Stopped")

    @property
    def singular(self) -> str:
        """Its name in messages."""
        return self.plural[:-1]

    @property
    def name_member(self) -> str:
        """The member that holds a resource's name."""
        return f"{self.prefix}Name"

    @property
    def arn_member(self) -> str:
        """The member that holds a resource's ARN."""
        return f"{self.prefix}Arn"

    @property
    def status_member(self) -> str:
        """The member that holds a resource's status."""
        return f"{self.prefix}Status"

    def arn(self, region: str, name: str) -> str:
        """Return the ARN of a resource of this name."""
        return sagemaker_arn(region, self.name, name)

    def has_ended(self, record: Document) -> bool:
        """Return whether a resource has a final status."""
        return record[self.status_member] in self.ended

    def counted(self, count: int) -> str:
        """Return a number with the kind's name, for example ``2 training jobs``."""
        return f"{count} {self.plural if count > 1 else self.singular}"


PIPELINE = Kind("pipeline", "Pipeline", "pipelines")
EXECUTION = Kind("pipeline-execution", "PipelineExecution", "executions", ("Succeeded", "Failed", "Stopped"))
PROCESSING_JOB = Kind("processing-job", "ProcessingJob", "processing jobs")
TRAINING_JOB = Kind("training-job", "TrainingJob", "training jobs")
TUNING_JOB = Kind("hyper-parameter-tuning-job", "HyperParameterTuningJob", "tuning jobs")
TRANSFORM_JOB = Kind("transform-job", "TransformJob", "transform jobs")
MODEL = Kind("model", "Model", "models")
MODEL_PACKAGE_GROUP = Kind("model-package-group", "ModelPackageGroup", "model package groups")
MODEL_PACKAGE = Kind("model-package", "ModelPackage", "model packages", ("Completed", "Failed"))
ENDPOINT_CONFIG = Kind("endpoint-config", "EndpointConfig", "endpoint configurations")
ENDPOINT = Kind("endpoint", "Endpoint", "endpoints", ("InService", "Failed", "OutOfService"))
FUNCTION = Kind("function", "Function", "functions")

KINDS = (
    *(PIPELINE, EXECUTION, PROCESSING_JOB, TRAINING_JOB, TUNING_JOB, TRANSFORM_JOB, MODEL_PACKAGE, ENDPOINT, FUNCTION),
    *(MODEL, MODEL_PACKAGE_GROUP, ENDPOINT_CONFIG),
)

EVENT = "event"
"""EventBridge's events that are not delivered yet."""
ASYNCHRONOUS_INVOCATION = "asynchronous-invocation"
"""Accepted invocations of functions that have not ended yet."""
MOTO_REQUEST = "moto-request"
"""Requests that have changed moto's state."""
