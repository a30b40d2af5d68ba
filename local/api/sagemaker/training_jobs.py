"""Operations of training jobs."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from definition_language.training_jobs import training_job_faults
from local.api.sagemaker import own_code
from local.api.sagemaker.listing import page
from local.api.sagemaker.operations import Request, Response
from local.core.errors import in_use, validation_error
from local.core.settings import Settings
from local.records import described
from local.records import resources as records
from local.records import training_jobs as training_record
from local.records.kinds import TRAINING_JOB
from local.runtime.algorithms import Algorithm
from local.runtime.jobs import inputs, training, training_folder, training_kinds
from local.runtime.jobs.algorithm_metrics import with_metrics
from local.runtime.jobs.training import TrainingRunner
from local.runtime.supervisor import Supervisor
from local.storage.objects import Objects, S3Uri
from local.storage.store import Store

if TYPE_CHECKING:
    from local.storage.store import Document

_KIND = training_record.KIND
_NOT_IMPLEMENTED = (
    *("ServerlessJobConfig", "ModelPackageConfig", "MlflowConfig", "SessionChainingConfig"),
    *("DebugRuleConfigurations", "ExperimentConfig"),
)


@dataclass(frozen=True)
class TrainingJobOperations:
    """Operations of training jobs."""

    store: Store
    settings: Settings
    objects: Objects
    supervisor: Supervisor
    training: TrainingRunner

    def create_training_job(self, request: Request) -> Response:
        """Start a training job."""
        name: str = request["TrainingJobName"]
        for member in _NOT_IMPLEMENTED:
            if request.get(member):
                raise validation_error(f"{member}: not implemented by the local service")
        if "ResourceConfig" not in request:
            raise validation_error("ResourceConfig is required")
        self.check_definition(request)
        specification = request["AlgorithmSpecification"]
        algorithm = training_kinds.algorithm_of(self.settings, specification["TrainingImage"])
        record = training_record.new(
            self.settings.region, request | {"AlgorithmSpecification": with_metrics(specification, algorithm)}
        )
        arn = record["TrainingJobArn"]
        already_exists = in_use(
            "Training job names must be unique within an AWS account and region, and a training job with "
            f"this name already exists ({arn})"
        )
        records.add(self.store, _KIND, name, record, arn=arn, tags=request.get("Tags"), already_exists=already_exists)
        self.supervisor.run_in_background(partial(self.training.run, name), f"training job {name}")
        return {"TrainingJobArn": arn}

    def describe_training_job(self, request: Request) -> Response:
        """Describe a training job."""
        return described.training_job(self._existing(request["TrainingJobName"]))

    def list_training_jobs(self, request: Request) -> Response:
        """List training jobs, including those of tuning jobs."""
        for member in ("WarmPoolStatusEquals", "TrainingPlanArnEquals"):
            if member in request:
                raise validation_error(f"{member}: not implemented by the local service")
        return page(
            request,
            self.store.list(_KIND),
            "TrainingJobSummaries",
            resource="TrainingJob",
        )

    def stop_training_job(self, request: Request) -> Response:
        """Stop a training job. Its program gets SIGTERM now, and SIGKILL after two minutes.

        A job that shares a program with other jobs of its tuning job runs until the program ends, and is Stopped then.
        """
        with self.store.transaction():
            record = self._existing(request["TrainingJobName"])
            name, status = record["TrainingJobName"], record["TrainingJobStatus"]
            if TRAINING_JOB.has_ended(record):
                raise validation_error(f"The request was rejected because the training job is in status {status}.")
            self.store.update(_KIND, name, training_record.stop)
        self.supervisor.terminate(training.program_key(name))
        return {}

    def delete_training_job(self, request: Request) -> Response:
        """Delete an ended training job and its folder. Its artifact remains in S3."""
        with self.store.transaction():
            record = self._existing(request["TrainingJobName"])
            name = record["TrainingJobName"]
            if not TRAINING_JOB.has_ended(record):
                raise in_use(f"The training job {name} is in status {record['TrainingJobStatus']}.")
            records.remove(self.store, _KIND, name, record["TrainingJobArn"])
        shutil.rmtree(training_folder.path(self.settings, name), ignore_errors=True)
        return {}

    def check_definition(self, definition: dict[str, Any]) -> None:
        """Check that the service can run a training job, and that the job's data exists.

        Args:
            definition: A request of CreateTrainingJob, or the TrainingJobDefinition of a tuning job.

        Raises:
            ServiceError: ValidationException, because SageMaker refuses the job, or because it cannot run here.
        """
        for fault in training_job_faults(definition):
            raise validation_error(fault)
        algorithm = definition.get("AlgorithmSpecification", {})
        if "TrainingImage" not in algorithm:
            raise validation_error(
                "AlgorithmSpecification.TrainingImage is required: an AlgorithmName is not implemented by the local "
                "service"
            )
        builtin = training_kinds.builtin(self.settings, definition)
        if builtin and not builtin.trains_on_several_instances and _instances(definition) > 1:
            raise validation_error(
                f"ResourceConfig.InstanceCount: distributed training of {builtin.name} is not implemented by the local "
                "service"
            )
        if builtin and algorithm.get("MetricDefinitions"):
            raise validation_error(
                "You can't override the metric definitions for Amazon SageMaker algorithms. Please retry the "
                "request without specifying metric definitions."
            )
        if builtin:
            _refuse_entrypoint(builtin, algorithm)
        else:
            own_code.check(definition)
        S3Uri.parse(definition["OutputDataConfig"]["S3OutputPath"])
        if "CheckpointConfig" in definition:
            S3Uri.parse(definition["CheckpointConfig"]["S3Uri"])
        channels = definition.get("InputDataConfig", [])
        names = [channel["ChannelName"] for channel in channels]
        for channel in channels:
            if names.count(channel["ChannelName"]) > 1:
                raise validation_error(f"InputDataConfig: the channel {channel['ChannelName']} is given twice")
            self._check_channel(channel, definition["RoleArn"])

    def _check_channel(self, channel: dict[str, Any], role: str) -> None:
        name = channel["ChannelName"]
        if name in (".", ".."):
            raise validation_error(f"channel {name}: the name is not a valid folder name")
        source = channel["DataSource"].get("S3DataSource")
        if source is None:
            given = ", ".join(channel["DataSource"]) or "nothing"
            raise validation_error(f"channel {name}: the local service needs an S3DataSource; DataSource has {given}")
        if source["S3DataType"] not in ("S3Prefix", "ManifestFile"):
            raise validation_error(
                f"channel {name}: S3DataType {source['S3DataType']} is not implemented by the local service"
            )
        inputs.check_exists(self.objects, source["S3DataType"], source["S3Uri"], region=self.settings.region, role=role)

    def _existing(self, name: str) -> Document:
        record = self.store.find(_KIND, name)
        if record is None:
            raise validation_error("Requested resource not found.")
        return record


def _refuse_entrypoint(builtin: Algorithm, specification: dict[str, Any]) -> None:
    for member in ("ContainerEntrypoint", "ContainerArguments"):
        if member in specification:
            raise validation_error(
                f"AlgorithmSpecification.{member}: not implemented by the local service for {builtin.name}"
            )


def _instances(definition: dict[str, Any]) -> int:
    """Return the largest number of instances that a training job asks for."""
    resources = definition.get("ResourceConfig") or definition.get("HyperParameterTuningResourceConfig", {})
    groups = [*resources.get("InstanceGroups", []), *resources.get("InstanceConfigs", [])]
    most: int = max(each.get("InstanceCount", 1) for each in [resources, *groups])
    return most
