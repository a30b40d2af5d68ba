"""The bucket, the roles and the function that the pipeline uses on AWS."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import botocore.session
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from boto3 import Session
    from types_boto3_cloudformation import CloudFormationClient

    from pipeline.config.models import Config

PLACEHOLDER_ACCOUNT_ID = "123456789012"
"""AWS's example account ID, used in a definition that is built without an AWS account."""

_STACK_OUTPUTS = {
    "BucketName": "bucket",
    "PipelineRoleArn": "pipeline_role_arn",
    "JobRoleArn": "job_role_arn",
    "LambdaRoleArn": "lambda_role_arn",
    "EventsRoleArn": "events_role_arn",
}
"""Outputs of infra/bootstrap.yaml and the attributes of ``Resources`` that they set."""


@dataclass(frozen=True)
class Resources:
    """The AWS resources that the pipeline uses.

    Attributes:
        account_id: 12 digits.
        region: AWS region.
        bucket: name of the bucket for code, data and results.
        pipeline_role_arn: the role that SageMaker Pipelines assumes.
        job_role_arn: the role of processing jobs, training jobs and the endpoint's model.
        lambda_role_arn: the role of the function that deploys the endpoint.
        events_role_arn: the role with which a schedule or a new object starts the pipeline.
        deploy_function_name: that function's name.
    """

    account_id: str
    region: str
    bucket: str
    pipeline_role_arn: str
    job_role_arn: str
    lambda_role_arn: str
    events_role_arn: str
    deploy_function_name: str

    @property
    def deploy_function_arn(self) -> str:
        """The ARN of the function that deploys the endpoint."""
        return self.arn("lambda", f"function:{self.deploy_function_name}")

    @property
    def deploy_function_log_group(self) -> str:
        """The log group of the function that deploys the endpoint."""
        return f"/aws/lambda/{self.deploy_function_name}"

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource of the account in the region.

        Args:
            service: for example ``events``.
            resource: what follows the account, for example ``rule/nightly``.
        """
        return f"arn:{partition(self.region)}:{service}:{self.region}:{self.account_id}:{resource}"


@cache
def partition(region: str) -> str:
    """Return the partition of a region: ``aws``, ``aws-cn`` or ``aws-us-gov``. ARNs begin with it."""
    found: str = botocore.session.get_session().get_partition_for_region(region)
    return found


def stack_name(config: Config) -> str:
    """Return the name of the CloudFormation stack that ``make bootstrap`` creates for this configuration."""
    return config.aws.stack_name or config.pipeline.name


def default_bucket(config: Config, account_id: str) -> str:
    """Return the name of the bucket that ``make bootstrap`` creates, unless the configuration names another."""
    return f"{config.pipeline.name}-{account_id}-{config.aws.region}".lower()


def conventional_resources(config: Config, account_id: str = PLACEHOLDER_ACCOUNT_ID) -> Resources:
    """Return the configuration's resources, or else those that infra/bootstrap.yaml would name, without an AWS call."""
    name, region = config.pipeline.name, config.aws.region

    def role(kind: str) -> str:
        return f"arn:{partition(region)}:iam::{account_id}:role/{name}-{kind}-{region}"

    return Resources(
        account_id=account_id,
        region=region,
        bucket=config.aws.bucket or default_bucket(config, account_id),
        pipeline_role_arn=config.aws.pipeline_role_arn or role("pipeline"),
        job_role_arn=config.aws.job_role_arn or role("job"),
        lambda_role_arn=config.aws.lambda_role_arn or role("lambda"),
        events_role_arn=config.aws.events_role_arn or role("events"),
        deploy_function_name=f"{name}-deploy",
    )


def find_resources(config: Config, session: Session) -> Resources:
    """Return the configuration's resources, or else those of the stack's outputs.

    Args:
        config: the configuration.
        session: a ``boto3.Session`` of the account.

    Raises:
        botocore.exceptions.ClientError: AWS refused a request.
    """
    account_id = session.client("sts").get_caller_identity()["Account"]
    named = conventional_resources(config, account_id)
    outputs = _stack_outputs(session.client("cloudformation"), stack_name(config))
    found = {
        attribute: outputs[output]
        for output, attribute in _STACK_OUTPUTS.items()
        if output in outputs and getattr(config.aws, attribute) is None
    }
    return replace(named, **found)


def _stack_outputs(cloudformation: CloudFormationClient, name: str) -> dict[str, str]:
    try:
        (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if (
            error.response["Error"]["Code"] == "ValidationError"
        ):  # CloudFormation's code for a stack that does not exist
            return {}
        raise
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
