"""Reads the training jobs of the tuning jobs."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from evaluation.errors import SelectionError
from evaluation.objective import Objective

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient


@dataclass(frozen=True)
class Job:
    """A training job of a tuning job.

    Attributes:
        fold: the fold that validated it, 1 to k.
        name: the training job's name.
        tuning_job: the tuning job's name.
        hyperparameters: the tuned hyperparameters.
        value: the objective; None if the job has no finite value.
        fault: why the job does not count, or None.
    """

    fold: int
    name: str
    tuning_job: str
    hyperparameters: dict[str, str]
    value: float | None
    fault: str | None = None


@dataclass(frozen=True)
class Search:
    """The tuning jobs of all folds.

    Attributes:
        strategy: ``Grid``, ``Random`` or ``Bayesian``.
        jobs: the training jobs of all folds, those that failed included.
        static: the hyperparameters that were not tuned.
    """

    strategy: str
    jobs: list[Job]
    static: dict[str, str] = field(default_factory=dict)

    @property
    def has_common_points(self) -> bool:
        """Whether all folds try the same points. A Bayesian search chooses its own in each fold."""
        return self.strategy != "Bayesian"


def read_search(sagemaker: SageMakerClient, tuning_jobs: Iterable[str], objective: Objective) -> Search:
    """Read the training jobs of all tuning jobs.

    Args:
        sagemaker: boto3's SageMaker client.
        tuning_jobs: the tuning jobs' names, one for each fold, in order.
        objective: the metric that they optimised.

    Raises:
        SelectionError: a tuning job optimised another metric, or in the other direction.
    """
    search = Search("", [])
    jobs: list[Job] = []
    for fold, name in enumerate(tuning_jobs, start=1):
        description = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        configuration = description["HyperParameterTuningJobConfig"]
        tuned = configuration["HyperParameterTuningJobObjective"]
        if tuned["MetricName"] != objective.name:
            raise SelectionError(f"{name} tuned {tuned['MetricName']}, not {objective.name}")
        if tuned["Type"] != objective.direction:
            raise SelectionError(
                f"{name} has the direction {tuned['Type']} of {objective.name}, not {objective.direction}"
            )
        static = description.get("TrainingJobDefinition", {}).get("StaticHyperParameters", {})
        search = Search(configuration["Strategy"], jobs, static)
        pages = sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
            HyperParameterTuningJobName=name
        )
        jobs += [_job(fold, name, summary) for page in pages for summary in page["TrainingJobSummaries"]]
    return search


def _job(fold: int, tuning_job: str, summary: Any) -> Job:
    status, name = summary["TrainingJobStatus"], summary["TrainingJobName"]
    value = summary.get("FinalHyperParameterTuningJobObjectiveMetric", {}).get("Value")
    # AWS's JSON has numbers that are not finite as text, and boto3 leaves them so.
    number = None if value is None else float(value)
    finite = number is not None and math.isfinite(number)
    fault = None
    if status != "Completed":
        fault = f"{name} is {status}"
    elif not finite:
        fault = f"{name} has no objective" if value is None else f"{name} has the objective {number}"
    return Job(fold, name, tuning_job, summary.get("TunedHyperParameters", {}), number if finite else None, fault)
