"""Operations of hyperparameter tuning jobs."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from local.api.sagemaker.listing import page
from local.api.sagemaker.operations import Request, Response
from local.api.sagemaker.training_jobs import TrainingJobOperations
from local.core.arns import sagemaker_arn
from local.core.errors import in_use, limit_exceeded, not_found, validation_error
from local.records import described
from local.records import resources as records
from local.records import training_jobs as training_record
from local.records import tuning_jobs as tuning_record
from local.records.kinds import TUNING_JOB
from local.runtime.algorithms import Algorithm
from local.runtime.jobs import ranges, training, training_kinds, tuning
from local.runtime.jobs.algorithm_metrics import with_metrics
from local.runtime.jobs.tuning import TuningRunner
from local.runtime.supervisor import Supervisor
from local.storage.store import Store

if TYPE_CHECKING:
    from local.storage.store import Document

_KIND = tuning_record.KIND
_MOST_TRAINING_JOBS = {"Random": 10_000}
_MOST_TRAINING_JOBS_OTHERWISE = 750
_MOST_PARALLEL = 100


@dataclass(frozen=True)
class TuningJobOperations:
    """Operations of tuning jobs."""

    store: Store
    region: str
    supervisor: Supervisor
    tuning: TuningRunner
    training_jobs: TrainingJobOperations

    def create_tuning_job(self, request: Request) -> Response:
        """Start a tuning job."""
        name: str = request["HyperParameterTuningJobName"]
        config, definition = request["HyperParameterTuningJobConfig"], _definition(request)
        self.training_jobs.check_definition(definition)
        _check_strategy(config)
        settings, specification = self.training_jobs.settings, definition["AlgorithmSpecification"]
        algorithm = training_kinds.algorithm_of(settings, specification["TrainingImage"])
        _check_objective(config, specification, algorithm)
        _check_ranges(config, definition, training_kinds.builtin(settings, definition))
        now = time.time()
        arn = sagemaker_arn(self.region, _KIND, name)
        objective = config["HyperParameterTuningJobObjective"]["MetricName"]
        static = definition.get("StaticHyperParameters", {}) | {"_tuning_objective_metric": objective}
        record = {
            "HyperParameterTuningJobName": name,
            "HyperParameterTuningJobArn": arn,
            "HyperParameterTuningJobConfig": config,
            "TrainingJobDefinition": definition
            | {
                "StaticHyperParameters": static,
                "AlgorithmSpecification": with_metrics(specification, algorithm, objective),
            },
            "HyperParameterTuningJobStatus": "InProgress",
            "CreationTime": now,
            "LastModifiedTime": now,
        }
        already_exists = in_use(
            f"A hyperparameter tuning job with the name, {name}, already exists. Choose a different name."
        )
        records.add(self.store, _KIND, name, record, arn=arn, tags=request.get("Tags"), already_exists=already_exists)
        self.supervisor.run_in_background(partial(self.tuning.run, name), f"tuning job {name}")
        return {"HyperParameterTuningJobArn": arn}

    def describe_tuning_job(self, request: Request) -> Response:
        """Describe a tuning job and its best training job so far."""
        record = self._existing(request["HyperParameterTuningJobName"])
        return described.tuning_job(tuning_record.described(self.store, record))

    def list_tuning_jobs(self, request: Request) -> Response:
        """List tuning jobs."""
        answer = page(
            request,
            self.store.list(_KIND),
            "HyperParameterTuningJobSummaries",
            resource="HyperParameterTuningJob",
            sort_by="Name",
        )
        answer["HyperParameterTuningJobSummaries"] = [
            tuning_record.described(self.store, record)
            | {
                "Strategy": record["HyperParameterTuningJobConfig"]["Strategy"],
                "ResourceLimits": record["HyperParameterTuningJobConfig"]["ResourceLimits"],
            }
            for record in answer["HyperParameterTuningJobSummaries"]
        ]
        return answer

    def list_training_jobs_of_tuning_job(self, request: Request) -> Response:
        """List a tuning job's training jobs."""
        record = self._existing(request["HyperParameterTuningJobName"])
        jobs = tuning_record.training_jobs(self.store, record)
        values = {job["TrainingJobName"]: tuning_record.value(job) for job in jobs}
        if request.get("SortBy") == "FinalObjectiveMetricValue":
            jobs = [job for job in jobs if values[job["TrainingJobName"]] is not None]
        return page(
            request,
            [tuning_record.summary(record, job) for job in jobs],
            "TrainingJobSummaries",
            resource="TrainingJob",
            sort_by="Name",
            sort_keys={"FinalObjectiveMetricValue": lambda job: values[job["TrainingJobName"]]},
        )

    def stop_tuning_job(self, request: Request) -> Response:
        """Stop a tuning job and its running training jobs."""
        with self.store.transaction():
            record = self._existing(request["HyperParameterTuningJobName"])
            name, status = record["HyperParameterTuningJobName"], record["HyperParameterTuningJobStatus"]
            if TUNING_JOB.has_ended(record):
                raise validation_error(
                    f"The request was rejected because the hyperparameter tuning job is in status {status}."
                )
            now = time.time()
            self.store.update(
                _KIND,
                name,
                lambda record: record.update(HyperParameterTuningJobStatus="Stopping", LastModifiedTime=now),
            )
            names = [job["TrainingJobName"] for job in tuning_record.training_jobs(self.store, record)]
            for job in names:
                self.store.update(training_record.KIND, job, training_record.stop_if_running)
        for key in [tuning.program_key(name), *(training.program_key(job) for job in names)]:
            self.supervisor.terminate(key)
        return {}

    def delete_tuning_job(self, request: Request) -> Response:
        """Delete an ended tuning job. Its training jobs and their artifacts remain."""
        with self.store.transaction():
            record = self._existing(request["HyperParameterTuningJobName"])
            name = record["HyperParameterTuningJobName"]
            if not TUNING_JOB.has_ended(record):
                raise in_use(
                    f"The hyperparameter tuning job {name} is in status {record['HyperParameterTuningJobStatus']}."
                )
            records.remove(self.store, _KIND, name, record["HyperParameterTuningJobArn"])
        return {}

    def _existing(self, name: str) -> Document:
        record = self.store.find(_KIND, name)
        if record is None:
            raise not_found(f"Amazon SageMaker can't find a tuning job called {name}. Type another name.")
        return record


def _definition(request: Request) -> dict[str, Any]:
    for member in ("TrainingJobDefinitions", "WarmStartConfig", "Autotune"):
        if member in request:
            raise validation_error(f"{member}: not implemented by the local service")
    if "TrainingJobDefinition" not in request:
        raise validation_error("TrainingJobDefinition is required")
    definition: dict[str, Any] = request["TrainingJobDefinition"]
    resources = [member for member in ("ResourceConfig", "HyperParameterTuningResourceConfig") if member in definition]
    if len(resources) != 1:
        raise validation_error(
            "TrainingJobDefinition: either ResourceConfig or HyperParameterTuningResourceConfig is required"
        )
    return definition


def _check_strategy(config: dict[str, Any]) -> None:
    strategy, limits = config["Strategy"], config["ResourceLimits"]
    if strategy == "Hyperband":
        raise validation_error("Strategy: Hyperband is not implemented by the local service")
    if "StrategyConfig" in config:
        raise validation_error("StrategyConfig is for the strategy Hyperband only")
    criteria = config.get("TuningJobCompletionCriteria", {})
    if criteria.get("ConvergenceDetected", {}).get("CompleteOnConvergence") == "Enabled":
        raise validation_error("TuningJobCompletionCriteria.ConvergenceDetected: not implemented by the local service")
    for limit, most in (
        ("MaxNumberOfTrainingJobs", _MOST_TRAINING_JOBS.get(strategy, _MOST_TRAINING_JOBS_OTHERWISE)),
        ("MaxParallelTrainingJobs", _MOST_PARALLEL),
    ):
        if limits.get(limit, 0) > most:
            raise limit_exceeded(f"ResourceLimits.{limit}: {limits[limit]} is more than the limit of {most}")


def _check_objective(config: dict[str, Any], specification: dict[str, Any], algorithm: Algorithm | None) -> None:
    if "HyperParameterTuningJobObjective" not in config:
        raise validation_error("HyperParameterTuningJobObjective is required")
    metric = config["HyperParameterTuningJobObjective"]["MetricName"]
    given = specification.get("MetricDefinitions", [])
    # The image of an algorithm that runs the user's script may have metrics of the user's.
    if algorithm is None or given:
        if metric not in [each["Name"] for each in given]:
            raise validation_error(
                "A metric is required for this hyperparameter tuning job objective. Provide a metric in the "
                "metric definitions."
            )
    elif metric not in algorithm.objectives:
        raise validation_error(
            f"{metric} is not an objective metric of {algorithm.name}. Choose one of: {', '.join(algorithm.objectives)}"
        )


def _check_ranges(config: dict[str, Any], definition: dict[str, Any], algorithm: Algorithm | None) -> None:
    chosen = ranges.read(config.get("ParameterRanges", {}), definition.get("StaticHyperParameters", {}))
    if algorithm:
        ranges.check_tunable(chosen, algorithm)
    combinations = 1.0
    for each in chosen:
        combinations *= each.size
    limit = config["ResourceLimits"].get("MaxNumberOfTrainingJobs")
    if config["Strategy"] == "Grid":
        for each in chosen:
            if each.kind != "Categorical":
                raise validation_error(
                    f"The strategy Grid takes categorical ranges only; {each.name} has a {each.kind.lower()} range"
                )
        if limit is not None and limit != combinations:
            raise validation_error(
                f"ResourceLimits.MaxNumberOfTrainingJobs: {limit} is not the number of combinations of the "
                f"grid, {combinations:.0f}; leave it out or make it equal"
            )
    elif limit is None:
        raise validation_error(
            f"ResourceLimits.MaxNumberOfTrainingJobs is required for the strategy {config['Strategy']}"
        )
    elif combinations < limit:
        raise validation_error(
            "You don't have enough combinations of hyperparameter ranges. The total number of hyperparameter "
            f"combinations for the provided ranges [{combinations}] must be equal or greater than the value of "
            f"MaxNumberOfJobs, [{limit}]. Provide additional ranges."
        )
