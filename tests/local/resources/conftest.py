"""A service without its HTTP side, and small linear models in its S3."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from local.algorithms.linear_learner import artifact
from local.api.moto.services import MotoServices
from local.api.sagemaker import catalog  # noqa: F401 - importing registers the operations
from local.context import Context
from local.core.settings import Settings
from local.runtime.endpoints.hosting import Hosting
from local.storage.log_files import Logs
from local.storage.objects import Objects
from local.storage.store import Store

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


def open_context(settings: Settings) -> Context:
    context = Context(settings, Store(settings.database))
    context.objects = Objects(settings.buckets)
    context.logs = Logs(settings.logs)
    context.hosting = Hosting(context)
    context.moto = MotoServices(context)
    return context


def close_context(context: Context) -> None:
    context.hosting.close()
    context.store.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / ".local")


@pytest.fixture
def context(settings: Settings) -> Iterator[Context]:
    opened = open_context(settings)
    yield opened
    close_context(opened)


@pytest.fixture
def put_model(context: Context, tmp_path: Path) -> Callable[..., str]:
    """Writes a linear model to S3 and gives its URI."""

    def put(uri: str = "s3://models/a/model.tar.gz", weights: tuple[float, ...] = (1.0, 2.0), bias: float = 0.5) -> str:
        context.objects.write(uri, make_artifact(tmp_path, list(weights), bias))
        return uri

    return put
