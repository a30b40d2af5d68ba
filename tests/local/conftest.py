"""A running local service for tests, and clients of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from local.app.parts import Parts
from local.app.server import LocalService
from local.core.settings import ACCESS_KEY, Settings


@dataclass
class RunningService:
    """A service of this process on a free port, with everything it keeps in a temporary folder."""

    service: LocalService

    @property
    def settings(self) -> Settings:
        return self.service.settings

    @property
    def parts(self) -> Parts:
        assert self.service.parts is not None
        return self.service.parts

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a client process, the AWS CLI for one."""
        return environment_without_aws() | self.settings.client_environment()

    def client(self, name: str, **config: Any) -> Any:
        """A boto3 client of an AWS service."""
        session = boto3.Session(ACCESS_KEY, self.settings.secret_key, region_name=self.settings.region)
        return session.client(
            name,
            endpoint_url=self.settings.endpoint_url,
            config=Config(retries={"total_max_attempts": 1}, **config),
        )


def environment_without_aws() -> dict[str, str]:
    """The environment of a process that must not see the credentials of whoever runs the tests."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return inherited | {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_PAGER": ""}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    root: Path = tmp_path_factory.mktemp("service") / ".local"
    with LocalService(Settings(root, port=0)) as running:
        yield RunningService(running)
