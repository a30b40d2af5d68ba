"""Runs a batch transform job to its end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from pipeline.config.models import Config
from pipeline.errors import UserError, with_trust_hint
from pipeline.operate.aws_errors import is_gone, reason
from pipeline.operate.estimate import Prices

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient
    from types_boto3_sagemaker.type_defs import DescribeTransformJobResponseTypeDef

LOG_GROUP = "/aws/sagemaker/TransformJobs"
_ENDED = ("Completed", "Failed", "Stopped")
_LONGEST_STOP = 300
"""Seconds. It is too long for a stop; without a limit, Ctrl-C might never end."""


def transform_request(  # noqa: PLR0913 - what is scored, by what, into what
    config: Config, name: str, model_name: str, input_uri: str, output_uri: str, *, accept: str
) -> dict[str, Any]:
    """Return the members of CreateTransformJob for rows of features, one a line.

    SplitType Line and BatchStrategy MultiRecord fill each request to the model with rows, up to MaxPayloadInMB.
    MaxConcurrentTransforms is left out, as AWS advises for built-in algorithms. Source:
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTransformJob.html
    """
    key = config.aws.kms_key_arn
    return {
        "TransformJobName": name,
        "ModelName": model_name,
        "MaxPayloadInMB": 6,
        "BatchStrategy": "MultiRecord",
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": input_uri}},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        "TransformOutput": {
            "S3OutputPath": output_uri,
            "Accept": accept,
            "AssembleWith": "Line",
            **({"KmsKeyId": key} if key else {}),
        },
        "TransformResources": {
            "InstanceType": config.registry.transform_instances[0],
            "InstanceCount": 1,
            **({"VolumeKmsKeyId": key} if key else {}),
        },
        "Tags": [{"Key": key, "Value": value} for key, value in config.pipeline.tags.items()],
    }


def charge(config: Config, prices: Prices | None) -> str:
    """Return a sentence: what a job runs on, and what AWS charges for it.

    Args:
        config: the configuration.
        prices: the price file; None where nothing is charged.
    """
    instance = config.registry.transform_instances[0]
    sentence = f"The job runs on 1 instance of {instance}."
    if prices is None:
        return sentence
    price = prices.hourly.get(instance)
    if price is None:
        return f"{sentence} AWS charges for the time that it runs; infra/prices.yaml has no price for it."
    return f"{sentence} AWS charges {price:g} dollars an hour while it runs ({prices.region}, {prices.as_of})."


@dataclass(frozen=True)
class TransformJob:
    """A transform job.

    Attributes:
        sagemaker: boto3's SageMaker client.
        request: the members of CreateTransformJob.
        pause: seconds between two looks at the job.
        note: takes sentences for the user.
    """

    sagemaker: SageMakerClient
    request: dict[str, Any]
    pause: float
    note: Callable[[str], None]

    @property
    def name(self) -> str:
        """The job's name."""
        return str(self.request["TransformJobName"])

    def run(self) -> None:
        """Start the job and wait until it has completed.

        Raises:
            UserError: the job failed or was stopped.
        """
        start = time.monotonic()
        self.sagemaker.create_transform_job(**self.request)
        self.note(f"Transform job {self.name}: InProgress")
        job = self._wait()
        self.note(f"Transform job {self.name}: {job['TransformJobStatus']} after {time.monotonic() - start:.1f} s")
        if job["TransformJobStatus"] != "Completed":
            given = with_trust_hint(job.get("FailureReason", "somebody stopped it"))
            raise UserError(
                f"The transform job did not complete: {given}\n"
                f"Its log: aws logs filter-log-events --log-group-name {LOG_GROUP} "
                f"--log-stream-name-prefix {self.name}/"
            )

    def stop(self) -> None:
        """Stop the job unless it has ended or was never started, and wait for its end. A failure is a note.

        AWS stores no output of a job that was stopped. Source:
        https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StopTransformJob.html
        """
        try:
            if self._look()["TransformJobStatus"] in _ENDED:
                return
            self.note(f"Stopping the transform job {self.name}")
            self.sagemaker.stop_transform_job(TransformJobName=self.name)
            status = self._wait(_LONGEST_STOP)["TransformJobStatus"]
            if status not in _ENDED:
                self._warn(f"it is {status}")
        except (ClientError, BotoCoreError) as error:
            if not is_gone(error):
                self._warn(reason(error))

    def _warn(self, why: str) -> None:
        self.note(
            f"The transform job {self.name} may still run: {why}. Stop it: "
            f"aws sagemaker stop-transform-job --transform-job-name {self.name}"
        )

    def _wait(self, longest: float = float("inf")) -> DescribeTransformJobResponseTypeDef:
        end = time.monotonic() + longest
        while (job := self._look())["TransformJobStatus"] not in _ENDED and time.monotonic() < end:
            time.sleep(self.pause)
        return job

    def _look(self) -> DescribeTransformJobResponseTypeDef:
        return self.sagemaker.describe_transform_job(TransformJobName=self.name)
