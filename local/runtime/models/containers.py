"""A model's container, and what takes its place: a built-in algorithm of this process, or a program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local.core.settings import Settings
from local.runtime import algorithms
from local.runtime.algorithms import Algorithm
from local.runtime.errors import JobFailedError
from local.runtime.images import runtimes
from local.runtime.images.runtimes import ImageRuntime

PROGRAM, SUBMIT_DIRECTORY = "SAGEMAKER_PROGRAM", "SAGEMAKER_SUBMIT_DIRECTORY"
"""Environment variables of script mode: the user's script, and where its folder is."""
PORT = "SAGEMAKER_BIND_TO_PORT"

_REFUSED = (
    "SAGEMAKER_MULTI_MODEL",
    "SAGEMAKER_INFERENCE_OUTPUT",
    "SAGEMAKER_INFERENCE_ENSEMBLE",
    "SAGEMAKER_MAX_REQUEST_SIZE",
    "SAGEMAKER_MAX_DIRECT_MEMORY_SIZE",
    "SAGEMAKER_ADDITIONAL_MODEL_SERVER_OPTIONS",
    "SAGEMAKER_BASE_DIR",
    "SAGEMAKER_SERVING_MODULE",
    "MAX_CONTENT_LENGTH",
)
_REFUSED_BEGINNINGS = ("SAGEMAKER_TS_", "TS_", "MMS_")
"""Settings of the containers' own servers, TorchServe and Multi Model Server, which do not run here."""


@dataclass(frozen=True)
class ModelContainer:
    """A model's container.

    Attributes:
        image: Its image's URI.
        environment: Its environment variables.
        artifact: Its ``model.tar.gz`` on this machine, or None if it has none.
        source: A copy of the archive that ``SAGEMAKER_SUBMIT_DIRECTORY`` names in S3, or None.
        role: The ARN of the model's role, or None.
    """

    image: str
    environment: Mapping[str, str] = field(default_factory=dict)
    artifact: Path | None = None
    source: Path | None = None
    role: str | None = None


class UnservableError(Exception):
    """A model cannot be served. The message says why and what to do."""


def runtime_of(
    settings: Settings, image: str, environment: Mapping[str, str], *, has_network: bool = True
) -> Algorithm | ImageRuntime:
    """Return what serves models of an image.

    Args:
        settings: The service's settings.
        image: The image's URI.
        environment: The container's environment variables.
        has_network: Whether the model's EnableNetworkIsolation is false.

    Raises:
        UnservableError: Nothing does, or it does not have a setting that a variable or the model asks for.
    """
    algorithm = algorithms.find(image)
    try:
        runtime = runtimes.find(settings, image)
    except JobFailedError as error:
        raise UnservableError(str(error).removeprefix("ClientError: ")) from None
    if algorithm is not None and not (runtime and (runtime.framework == "" or environment.get(PROGRAM))):
        _refuse(algorithms.refused_variable(algorithm, environment))
        return algorithm
    if runtime is None or not _is_served(runtime, environment):
        raise UnservableError(_no_runtime(image))
    if not has_network:
        raise UnservableError(
            "the model's EnableNetworkIsolation is not implemented by the local service for your own code, which would "
            "have a network."
        )
    _refuse(_refused_variable(runtime, environment))
    return runtime


def submit_directory(runtime: Algorithm | ImageRuntime, environment: Mapping[str, str]) -> str:
    """Return where the user's code is, or "" if the image does not read ``SAGEMAKER_SUBMIT_DIRECTORY``."""
    reads = isinstance(runtime, ImageRuntime) and runtime.framework != ""
    return environment.get(SUBMIT_DIRECTORY, "") if reads else ""


def submit_uri(runtime: Algorithm | ImageRuntime, environment: Mapping[str, str]) -> str | None:
    """Return the S3 URI of the archive with the user's code, or None if it is not in S3."""
    place = submit_directory(runtime, environment)
    return place if place.startswith("s3://") else None


def _is_served(runtime: ImageRuntime, environment: Mapping[str, str]) -> bool:
    # Without a script, XGBoost's image is the built-in algorithm.
    return runtime.framework != "xgboost" or bool(environment.get(PROGRAM))


def _refused_variable(runtime: ImageRuntime, environment: Mapping[str, str]) -> str | None:
    """Return the first variable that would have an effect on AWS and has none here."""
    if environment.get(PORT):
        return PORT
    if runtime.framework == "":
        return None
    return next(
        (name for name in environment if name in _REFUSED or name.startswith(_REFUSED_BEGINNINGS)),
        None,
    )


def _refuse(variable: str | None) -> None:
    if variable is not None:
        raise UnservableError(f"its environment variable {variable} is not implemented by the local service.")


def _no_runtime(image: str) -> str:
    version = algorithms.refused_version(image)
    return (
        f"no local runtime for the image {image}{f': {version}' if version else ''}. Endpoints and batch transform "
        f"serve images of {algorithms.SUPPORTED}, sagemaker-scikit-learn and sagemaker-xgboost with the user's script, "
        "and those in local-images.yaml: docs/model-servers.md says how to add one."
    )
