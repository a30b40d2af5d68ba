"""What a training job runs: one of SageMaker's algorithms, or the user's code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.core.settings import Settings
from local.runtime import algorithms
from local.runtime.algorithms import Algorithm
from local.runtime.containers import isolation
from local.runtime.errors import JobFailedError
from local.runtime.images import remote_functions, runtimes, table
from local.runtime.images.runtimes import ImageRuntime

_TRAIN = "train"
"""The argument with which SageMaker starts an image: ``docker run IMAGE train``."""


@dataclass(frozen=True)
class OwnCode:
    """The user's code.

    Attributes:
        runtime: What takes the image's place.
        command: The program and its arguments, as in the container.
    """

    runtime: ImageRuntime
    command: tuple[str, ...]


def algorithm_of(settings: Settings, image: str) -> Algorithm | None:
    """Return the algorithm of an image, or None if it has none. An entry in ``local-images.yaml`` goes before it."""
    algorithm = algorithms.find(image)
    return None if algorithm is None or _is_mapped(settings, image) else algorithm


def builtin(settings: Settings, definition: Mapping[str, Any]) -> Algorithm | None:
    """Return the algorithm that a training job runs, or None if it does not run one of SageMaker's.

    An image can be both: XGBoost's runs the user's script if the request names one.

    Args:
        settings: The service's settings.
        definition: A request of CreateTrainingJob, or the TrainingJobDefinition of a tuning job.
    """
    specification = definition.get("AlgorithmSpecification", {})
    image = specification.get("TrainingImage", "")
    if table.find(image) and (specification.get("ContainerEntrypoint") or has_script(definition)):
        return None
    return algorithm_of(settings, image)


def find(settings: Settings, record: Mapping[str, Any]) -> Algorithm | OwnCode:
    """Return what a training job runs.

    Args:
        settings: The service's settings.
        record: The job's record.

    Raises:
        JobFailedError: the service has nothing in place of the image, or that cannot run what the job asks for.
    """
    if algorithm := builtin(settings, record):
        return algorithm
    specification = record["AlgorithmSpecification"]
    image: str = specification["TrainingImage"]
    runtime = runtimes.find(settings, image)
    function = remote_functions.find(record)
    if function:
        function.check(runtime.variables if runtime else {})
        _check_opt_ml()
        runtime = runtime or function.runtime(settings, image)
    entrypoint: list[str] = specification.get("ContainerEntrypoint", [])
    if runtime is None or _lacks_algorithm(runtime, record):
        reason = runtimes.unsupported(image, entrypoint)
        raise JobFailedError(f"{reason}. {function.advice(image)}" if function else reason)
    arguments: list[str] = specification.get("ContainerArguments", [])
    if entrypoint:
        return OwnCode(runtime, (*entrypoint, *arguments))
    return OwnCode(runtime, (*runtime.entrypoint, *(arguments or [_TRAIN])))


def has_script(definition: Mapping[str, Any]) -> bool:
    """Return whether a job names a script for the image's framework to run."""
    hyperparameters = definition.get("HyperParameters") or definition.get("StaticHyperParameters", {})
    return "sagemaker_program" in hyperparameters or "SAGEMAKER_PROGRAM" in definition.get("Environment", {})


def _check_opt_ml() -> None:
    """Check that jobs have ``/opt/ml`` at its path.

    The SDK in a function's image writes the failure file there. If it cannot, it ends with exit code 0.

    Raises:
        JobFailedError: They have not.
    """
    if not isolation.has_own_roots():
        way = isolation.description()
        raise JobFailedError(f"ClientError: functions of the SDK need /opt/ml at its path. {way}")


def _is_mapped(settings: Settings, image: str) -> bool:
    try:
        runtime = runtimes.find(settings, image)
    except JobFailedError:
        # The file is faulty. The job will fail, and say so.
        return True
    return runtime is not None and runtime.framework == ""


def _lacks_algorithm(runtime: ImageRuntime, record: Mapping[str, Any]) -> bool:
    """Return whether an image would run a built-in algorithm that the service does not have in this version."""
    has_code = has_script(record) or record["AlgorithmSpecification"].get("ContainerEntrypoint")
    return runtime.framework != "" and not has_code and algorithms.refused_version(runtime.image) is not None
