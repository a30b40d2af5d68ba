"""The account that the checks examine. Values that several checks need are read once."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, overload

from botocore.exceptions import ClientError

from pipeline.config.models import Config
from pipeline.definition.resources import Resources, find_resources
from pipeline.operate.doctor.findings import State

if TYPE_CHECKING:
    from boto3 import Session
    from botocore.config import Config as ClientConfig
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_events import EventBridgeClient
    from types_boto3_iam import IAMClient
    from types_boto3_lambda import LambdaClient
    from types_boto3_s3 import S3Client
    from types_boto3_sagemaker import SageMakerClient
    from types_boto3_sts import STSClient
    from types_boto3_sts.type_defs import GetCallerIdentityResponseTypeDef


class Account:
    """The AWS account of a configuration, or the local service.

    Attributes:
        config: the configuration.
        session: a ``boto3.Session`` in the configuration's region.
        is_local: whether this is the local service.
    """

    def __init__(
        self, config: Config, session: Session, *, is_local: bool, client_config: ClientConfig | None = None
    ) -> None:
        self.config = config
        self.session = session
        self.is_local = is_local
        self._client_config = client_config

    @overload
    def client(self, service: Literal["sts"]) -> STSClient: ...
    @overload
    def client(self, service: Literal["s3"]) -> S3Client: ...
    @overload
    def client(self, service: Literal["iam"]) -> IAMClient: ...
    @overload
    def client(self, service: Literal["lambda"]) -> LambdaClient: ...
    @overload
    def client(self, service: Literal["events"]) -> EventBridgeClient: ...
    @overload
    def client(self, service: Literal["cloudformation"]) -> CloudFormationClient: ...
    @overload
    def client(self, service: Literal["sagemaker"]) -> SageMakerClient: ...
    def client(self, service: Any) -> Any:
        """Return a client of a service in the configuration's region."""
        return self.session.client(service, config=self._client_config)

    @cached_property
    def identity(self) -> GetCallerIdentityResponseTypeDef:
        """``Account`` and ``Arn`` of the credentials' owner."""
        return self.client("sts").get_caller_identity()

    @cached_property
    def resources(self) -> Resources:
        """The bucket, the roles and the function that publishing would use."""
        return find_resources(self.config, self.session)

    @cached_property
    def bucket_region(self) -> str | None:
        """The bucket's region; None if the bucket does not exist."""
        try:
            answer = self.client("s3").get_bucket_location(Bucket=self.resources.bucket)
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchBucket":
                return None
            raise
        # S3 has its own names for its two oldest regions.
        found: str | None = answer["LocationConstraint"]
        return "us-east-1" if found is None else "eu-west-1" if found == "EU" else found

    @property
    def missing(self) -> State:
        """State of a missing role, stack or bucket; the local service does not need them."""
        return State.ATTENTION if self.is_local else State.FAILED
