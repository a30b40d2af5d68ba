"""Makes the parts that all steps share: inputs, outputs, processors, retries and caching."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline.config.models import Config
from pipeline.definition.assets import Upload, code_upload
from pipeline.definition.parameters import Parameters
from pipeline.definition.resources import Resources
from pipeline.definition.sdk import (
    CacheConfig,
    ExecutionVariables,
    Join,
    NetworkConfig,
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
    SageMakerJobExceptionTypeEnum,
    SageMakerJobStepRetryPolicy,
    ScriptProcessor,
    StepExceptionTypeEnum,
    StepRetryPolicy,
    image_uris,
)

PROCESSING = "/opt/ml/processing"
"""The folder of inputs and outputs in a processing container."""

MESSAGE = "/opt/ml/output/message"
"""The file to which a processing container writes the reason of its failure."""

_SCRIPT_IMAGE_VERSION = "1.4-2-py312"
"""Version of SageMaker's scikit-learn image, which serves here as Python with boto3.

The tag 1.4-2 has Python 3.10, which gets no more fixes. Both tags have the same registries in every region
(the SDK's image_uri_config/sklearn.json) and boto3 1.28 (docker/sklearn/1.4-2-py312 of aws/deep-learning-containers,
which lists the tag 1.4-2-py312-cpu-py3).
"""


@dataclass(frozen=True)
class StepFactory:
    """Makes the parts of the definition's steps.

    Attributes:
        config: the configuration.
        resources: bucket, roles and function.
        parameters: the pipeline's parameters.
        session: an SDK session that makes no AWS call.
    """

    config: Config
    resources: Resources
    parameters: Parameters
    session: Any

    @property
    def tags(self) -> list[dict[str, str]]:
        """The project's tags, in the form of AWS's API."""
        return [{"Key": key, "Value": value} for key, value in self.config.pipeline.tags.items()]

    def code(self, name: str) -> Upload:
        """Return the upload of a file of steps/."""
        return code_upload(name, self.config, self.resources.bucket)

    def execution_uri(self, *parts: str) -> Any:
        """Return a URI under the execution's own prefix, for outputs only.

        Elsewhere the execution's id would become part of the step's cache key, and no execution would ever find an
        earlier result.
        """
        prefix = ["s3:/", self.resources.bucket, self.config.pipeline.name, "executions"]
        return Join("/", [*prefix, ExecutionVariables.PIPELINE_EXECUTION_ID, *parts])

    def output(self, name: str) -> Any:
        """Return a processing output under the execution's prefix, uploaded when the job ends."""
        return ProcessingOutput(
            output_name=name,
            s3_output=ProcessingS3Output(
                s3_uri=self.execution_uri(name),
                local_path=f"{PROCESSING}/output/{name}",
                s3_upload_mode="EndOfJob",
            ),
        )

    def input(self, name: str, uri: Any) -> Any:
        """Return a processing input: an object or a prefix, copied to ``/opt/ml/processing/input/<name>``."""
        return ProcessingInput(
            input_name=name,
            s3_input=ProcessingS3Input(
                s3_uri=uri,
                local_path=f"{PROCESSING}/input/{name}",
                s3_data_type="S3Prefix",
                s3_input_mode="File",
            ),
        )

    def network(self) -> Any:
        """Return the network of processing jobs, or None for SageMaker's default."""
        vpc = self.config.aws.vpc
        return vpc and NetworkConfig(security_group_ids=vpc.security_group_ids, subnets=vpc.subnets)

    def environment(self) -> dict[str, str]:
        """Return the environment variables of every processing job.

        SageMaker sets AWS_REGION in its containers, but boto3 reads AWS_DEFAULT_REGION only.
        """
        return {"AWS_DEFAULT_REGION": self.config.aws.region}

    def script_processor(self, name: str, *, volume_gigabytes: int = 30, max_minutes: int = 60) -> Any:
        """Return a processor that runs one Python program on one small instance.

        Args:
            name: the beginning of its jobs' names.
            volume_gigabytes: the size of its disk.
            max_minutes: the time after which it is stopped.
        """
        key = self.config.aws.kms_key_arn
        return ScriptProcessor(
            base_job_name=name,
            image_uri=self._program_image(),
            command=["python3"],
            role=self.resources.job_role_arn,
            instance_type="ml.m5.large",
            instance_count=1,
            volume_size_in_gb=volume_gigabytes,
            volume_kms_key=key,
            output_kms_key=key,
            max_runtime_in_seconds=max_minutes * 60,
            env=self.environment(),
            network_config=self.network(),
            tags=self.tags,
            sagemaker_session=self.session,
        )

    def algorithm_image(self) -> str:
        """Return the URI of the algorithm's image in the configuration's region."""
        algorithm = self.config.algorithm
        image: str = image_uris.retrieve(algorithm.framework, self.config.aws.region, version=algorithm.version)
        return image

    def _program_image(self) -> str:
        """Return the URI of the image in which programs run that read models."""
        if self.config.algorithm.runs_programs:
            return self.algorithm_image()
        image: str = image_uris.retrieve("sklearn", self.config.aws.region, version=_SCRIPT_IMAGE_VERSION)
        return image

    def cache(self) -> Any:
        """Return the cache settings of the configuration."""
        caching = self.config.caching
        return CacheConfig(enable_caching=caching.enabled, expire_after=caching.expire_after)

    @staticmethod
    def request_retries() -> list[Any]:
        """Return the retries of the request that starts a step."""
        return [
            StepRetryPolicy(
                exception_types=[StepExceptionTypeEnum.SERVICE_FAULT, StepExceptionTypeEnum.THROTTLING],
                interval_seconds=10,
                backoff_rate=2.0,
                max_attempts=5,
            )
        ]

    @classmethod
    def job_retries(cls) -> list[Any]:
        """Return the retries of a job step: failed requests, lack of quota or capacity, and SageMaker's faults."""
        return [
            *cls.request_retries(),
            SageMakerJobStepRetryPolicy(
                exception_types=[SageMakerJobExceptionTypeEnum.RESOURCE_LIMIT],
                interval_seconds=60,
                backoff_rate=1.5,
                max_attempts=10,
            ),
            SageMakerJobStepRetryPolicy(
                failure_reason_types=[
                    SageMakerJobExceptionTypeEnum.INTERNAL_ERROR,
                    SageMakerJobExceptionTypeEnum.CAPACITY_ERROR,
                ],
                interval_seconds=60,
                backoff_rate=2.0,
                max_attempts=3,
            ),
        ]
