"""A service without its HTTP side, and small linear models in its S3."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from local.algorithms.linear_learner import artifact
from local.app.parts import Parts
from local.aws.credentials import KeyRing
from local.core.settings import Settings

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
    opened.close()


@pytest.fixture
def put_model(parts: Parts, tmp_path: Path) -> Callable[..., str]:
    """Writes a linear model to S3 and gives its URI."""

    def put(uri: str = "s3://models/a/model.tar.gz", weights: tuple[float, ...] = (1.0, 2.0), bias: float = 0.5) -> str:
        parts.objects.write(uri, make_artifact(tmp_path, list(weights), bias))
        return uri

    return put
