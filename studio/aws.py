"""The AWS account that the environment points at, and the clients that call it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import botocore.config

if TYPE_CHECKING:
    import boto3
    from types_boto3_logs import CloudWatchLogsClient
    from types_boto3_sagemaker import SageMakerClient

_CONFIG = botocore.config.Config(connect_timeout=5, max_pool_connections=50, retries={"mode": "adaptive"})


@dataclass(frozen=True)
class Identity:
    """Who calls AWS.

    Attributes:
        account: the account's twelve digits.
        role: the end of the caller's ARN: a role with its session, or a user.
    """

    account: str
    role: str


class Aws:
    """An AWS account in one region.

    Args:
        session: the session whose credentials, region and endpoint are used.
    """

    def __init__(self, session: boto3.Session) -> None:
        self._session = session
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    def client(self, name: Any) -> Any:
        """Return the client of a service, such as ``s3``. Threads may share it."""
        with self._lock:
            if name not in self._clients:
                self._clients[name] = self._session.client(name, config=_CONFIG)
            return self._clients[name]

    @property
    def sagemaker(self) -> SageMakerClient:
        """The client of SageMaker."""
        client: SageMakerClient = self.client("sagemaker")
        return client

    @property
    def logs(self) -> CloudWatchLogsClient:
        """The client of CloudWatch Logs."""
        client: CloudWatchLogsClient = self.client("logs")
        return client

    @property
    def endpoint(self) -> str:
        """The URL that SageMaker is called at."""
        return str(self.sagemaker.meta.endpoint_url)

    @property
    def region(self) -> str:
        """The region."""
        return str(self.sagemaker.meta.region_name)

    @property
    def is_local(self) -> bool:
        """Whether the endpoint is on this machine: nothing costs money then."""
        return urlsplit(self.endpoint).hostname in ("127.0.0.1", "localhost", "::1")

    @property
    def pause(self) -> float:
        """The seconds between two looks at what changes. AWS limits the calls of an account."""
        return 0.5 if self.is_local else 5.0

    @property
    def account(self) -> str:
        """The account's number."""
        return self.identity.account

    @property
    def role(self) -> str:
        """Who calls; see ``Identity``."""
        return self.identity.role

    @cached_property
    def identity(self) -> Identity:
        """Who calls.

        Raises:
            ClientError: AWS does not accept the credentials.
            BotoCoreError: there are no credentials, or nothing answers.
        """
        caller = self.client("sts").get_caller_identity()
        return Identity(caller["Account"], caller["Arn"].rpartition(":")[2])
