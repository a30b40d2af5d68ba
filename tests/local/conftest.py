"""A running local service and its clients; a service without its HTTP side, and small linear models in its S3."""

from __future__ import annotations

import io
import os
import sys
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from botocore.config import Config

from local.algorithms.linear_learner import artifact
from local.app.parts import Parts
from local.app.server import LocalService
from local.aws.credentials import KeyRing
from local.core.settings import ACCESS_KEY, Settings
from local.runtime.images import frameworks

_MAKE_ENVIRONMENT = frameworks.make


@pytest.fixture(scope="module", autouse=True)
def no_environments_of_images() -> Iterator[None]:
    """Let scripts run in the environment of the tests: most are not about images, and need no network.

    Only in this folder's modules: other tests of the same process need the images.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frameworks, "make", lambda *_, **__: sys.executable)
        yield


@pytest.fixture
def environments_of_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the environments of images after all."""
    monkeypatch.setattr(frameworks, "make", _MAKE_ENVIRONMENT)


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

    def client(self, name: Any, **config: Any) -> Any:
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


IMAGE = "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1"
ROLE = "arn:aws:iam::123456789012:role/SageMaker"


def make_artifact(folder: Path, weights: list[float], bias: float = 0.0) -> bytes:
    """The bytes of the model.tar.gz of a linear model."""
    file = folder / "model_algo-1"
    artifact.write(file, np.array(weights, dtype=np.float32), np.float32(bias))
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        tar.add(file, "model_algo-1")
    return packed.getvalue()


def open_parts(settings: Settings) -> Parts:
    return Parts(settings, KeyRing(settings.secret_key))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / ".local")


@pytest.fixture
def parts(settings: Settings) -> Iterator[Parts]:
    opened = open_parts(settings)
    yield opened
    opened.stop_work()
    opened.close()


@pytest.fixture
def put_model(parts: Parts, tmp_path: Path) -> Callable[..., str]:
    """Writes a linear model to S3 and gives its URI."""

    def put(uri: str = "s3://models/a/model.tar.gz", weights: tuple[float, ...] = (1.0, 2.0), bias: float = 0.5) -> str:
        parts.objects.write(uri, make_artifact(tmp_path, list(weights), bias))
        return uri

    return put
