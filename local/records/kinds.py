"""The kinds of resources: what follows from a kind's name stands here once."""

from __future__ import annotations

from dataclasses import dataclass

from local.core.arns import sagemaker_arn
from local.storage.store import Document


@dataclass(frozen=True)
class Kind:
    """A kind of resource.

    Attributes:
        name: the kind of its records, and its name in ARNs.
        prefix: how its members begin: ``TrainingJob`` of ``TrainingJobName``, ``TrainingJobArn`` and
            ``TrainingJobStatus``.
        plural: how sentences name several of it.
        ended: the statuses in which a resource stays.
    """

    name: str
    prefix: str
    plural: str
    ended: tuple[str, ...] = ("Completed", "Failed", "Stopped")

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
        """Return whether a resource's status is one in which it stays."""
        return record[self.status_member] in self.ended

    def counted(self, count: int) -> str:
        """Return for example ``1 training job`` or ``2 training jobs``."""
        return f"{count} {self.plural if count > 1 else self.plural[:-1]}"


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
