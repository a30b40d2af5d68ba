"""SageMaker's built-in algorithms that the service has. No other module of the service names one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from definition_language import linear_learner as linear_learner_rules
from definition_language import linear_learner_metrics
from definition_language import xgboost as xgboost_rules
from definition_language.hyperparameters import Tunable
from local.runtime.image_names import repository, tag


class Model(Protocol):
    """A loaded model. Threads share it."""

    def invoke(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        """Respond to one request with a body and its content type.

        Raises:
            InferenceError: The request is invalid.
        """


@dataclass(frozen=True)
class Algorithm:
    """A built-in algorithm of SageMaker.

    Attributes:
        name: The name for messages.
        repository: The repository of its image.
        program: The module that trains jobs, each in the folder that an argument names.
        metrics: SageMaker's MetricDefinitions: pairs of a name and a regular expression.
        objectives: The metrics that can be a tuning job's objective.
        objectives_of_rounds: Those of them that have a value after each epoch or round, which early stopping needs.
        tunable: The hyperparameters that can be tuned.
        load: Loads an artifact, or raises ValueError. Its arguments are the path, and whether batch transform uses it.
        tags: The image's versions that are supported; empty for every version.
        reason_for_tags: Why other versions are not supported.
        trains_on_several_instances: Whether a job for several instances gives the same model on one.
        variables: Environment variables of a model's container that change its answers and are not implemented.
    """

    name: str
    repository: str
    program: str
    metrics: tuple[tuple[str, str], ...]
    objectives: tuple[str, ...]
    objectives_of_rounds: tuple[str, ...]
    tunable: Mapping[str, Tunable]
    load: Callable[[Path, bool], Model]
    tags: tuple[str, ...] = ()
    reason_for_tags: str = ""
    trains_on_several_instances: bool = True
    variables: tuple[str, ...] = field(default=())


def _load_linear_learner(model_tar_gz: Path, _batch: bool) -> Model:
    from local.algorithms.linear_learner.inference import Model  # noqa: PLC0415 - beside the next one

    return Model.load(model_tar_gz)


def _load_xgboost(model_tar_gz: Path, batch: bool) -> Model:
    # XGBoost and SciPy take a second to import, and many services never serve such a model.
    from local.algorithms.xgboost.inference import Model  # noqa: PLC0415

    return Model.load(model_tar_gz, batch=batch)


_ALGORITHMS = (
    Algorithm(
        name="linear-learner",
        repository="linear-learner",
        program="local.algorithms.linear_learner",
        metrics=linear_learner_metrics.METRIC_DEFINITIONS,
        objectives=tuple(linear_learner_metrics.TUNING_OBJECTIVES),
        objectives_of_rounds=("validation:objective_loss",),
        tunable=linear_learner_rules.TUNABLE,
        load=_load_linear_learner,
    ),
    Algorithm(
        name="XGBoost",
        repository="sagemaker-xgboost",
        program="local.algorithms.xgboost",
        metrics=xgboost_rules.METRIC_DEFINITIONS,
        objectives=tuple(xgboost_rules.TUNING_OBJECTIVES),
        objectives_of_rounds=tuple(xgboost_rules.TUNING_OBJECTIVES),
        tunable=xgboost_rules.TUNABLE,
        load=_load_xgboost,
        tags=("3.2-0", "3.2-0-cpu-py3"),
        reason_for_tags="the service has the library of image 3.2-0, and an older one loads its models without their "
        "base_score, silently",
        trains_on_several_instances=False,
        variables=(
            *("SAGEMAKER_SUBMIT_DIRECTORY", "SAGEMAKER_INFERENCE_OUTPUT"),
            *("SAGEMAKER_INFERENCE_ENSEMBLE", "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "MAX_CONTENT_LENGTH"),
        ),
    ),
)

SUPPORTED = ", ".join(each.repository + (f":{each.tags[0]}" if each.tags else "") for each in _ALGORITHMS)
"""The supported images, for messages."""


def find(image: str) -> Algorithm | None:
    """Return the algorithm of an image, or None if the service does not have it."""
    algorithm = _of_repository(image)
    if algorithm is None or (algorithm.tags and tag(image) not in algorithm.tags):
        return None
    return algorithm


def refused_version(image: str) -> str | None:
    """Return why the service does not have this version of an algorithm's image, or None if that is not the reason."""
    algorithm = _of_repository(image)
    if algorithm is None or find(image) is not None:
        return None
    return f"of {algorithm.repository}, only version {algorithm.tags[0]} is supported: {algorithm.reason_for_tags}"


def refused_variable(algorithm: Algorithm, environment: Mapping[str, str]) -> str | None:
    """Return the first environment variable of a model's container that is set and not implemented, or None."""
    return next((name for name in algorithm.variables if environment.get(name)), None)


def _of_repository(image: str) -> Algorithm | None:
    return next((each for each in _ALGORITHMS if each.repository == repository(image)), None)
