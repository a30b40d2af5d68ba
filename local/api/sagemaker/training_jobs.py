"""Training jobs: the operations."""

from __future__ import annotations

import shutil
from functools import partial
from typing import TYPE_CHECKING, Any

from local.api.sagemaker.listing import page
from local.api.sagemaker.operations import Request, Response, operation
from local.api.sagemaker.tags import delete_tags
from local.core.errors import in_use, validation_error
from local.records import resources as records
from local.records import training_jobs as training_record
from local.runtime.jobs import images, inputs, training, training_folder
from local.storage.objects import S3Uri

if TYPE_CHECKING:
    from local.context import Context
    from local.storage.store import Document

_KIND = training_record.KIND
_NOT_IMPLEMENTED = ("ServerlessJobConfig", "ModelPackageConfig", "MlflowConfig", "SessionChainingConfig")


@operation("CreateTrainingJob")
def create_training_job(context: Context, request: Request) -> Response:
    """Start a training job."""
    name: str = request["TrainingJobName"]
    for member in _NOT_IMPLEMENTED:
        if member in request:
            raise validation_error(f"{member}: not implemented by the local service")
    if "ResourceConfig" not in request:
        raise validation_error("ResourceConfig is required")
    check_definition(context, request)
    record = training_record.new(context.settings, request)
    arn = record["TrainingJobArn"]
    taken = in_use(
        "Training job names must be unique within an AWS account and region, and a training job with "
        f"this name already exists ({arn})"
    )
    records.add(context, _KIND, name, record, arn=arn, tags=request.get("Tags"), taken=taken)
    context.supervisor.run_in_background(partial(training.run, context, name), f"training job {name}")
    return {"TrainingJobArn": arn}


@operation("DescribeTrainingJob")
def describe_training_job(context: Context, request: Request) -> Response:
    """Describe a training job."""
    return _existing(context, request["TrainingJobName"])


@operation("ListTrainingJobs")
def list_training_jobs(context: Context, request: Request) -> Response:
    """List training jobs, those of tuning jobs among them."""
    for member in ("WarmPoolStatusEquals", "TrainingPlanArnEquals"):
        if member in request:
            raise validation_error(f"{member}: not implemented by the local service")
    return page(
        request,
        context.store.list(_KIND),
        "TrainingJobSummaries",
        resource="TrainingJob",
    )


@operation("StopTrainingJob")
def stop_training_job(context: Context, request: Request) -> Response:
    """Ask a training job to stop: SIGTERM at once, SIGKILL two minutes later.

    A job that trains in one program with others of its tuning job goes on until they end, and is Stopped then.
    """
    with context.store.transaction():
        record = _existing(context, request["TrainingJobName"])
        name, status = record["TrainingJobName"], record["TrainingJobStatus"]
        if status in training_record.ENDED:
            raise validation_error(f"The request was rejected because the training job is in status {status}.")
        context.store.update(_KIND, name, training_record.stop)
    context.supervisor.terminate(training.program_key(name))
    return {}


@operation("DeleteTrainingJob")
def delete_training_job(context: Context, request: Request) -> Response:
    """Forget a training job that has ended; its artifact stays."""
    with context.store.transaction():
        record = _existing(context, request["TrainingJobName"])
        name = record["TrainingJobName"]
        if record["TrainingJobStatus"] not in training_record.ENDED:
            raise in_use(f"The training job {name} is in status {record['TrainingJobStatus']}.")
        context.store.delete(_KIND, name)
        delete_tags(context, record["TrainingJobArn"])
    shutil.rmtree(training_folder.path(context, name), ignore_errors=True)
    return {}


def check_definition(context: Context, definition: dict[str, Any]) -> None:
    """Refuse what no training job here can do, and data that is not there.

    Args:
        context: the running service.
        definition: members of CreateTrainingJob, or of a tuning job's TrainingJobDefinition.

    Raises:
        ServiceError: ValidationException.
    """
    algorithm = definition.get("AlgorithmSpecification", {})
    if "TrainingImage" not in algorithm:
        raise validation_error(
            "AlgorithmSpecification.TrainingImage is required: an AlgorithmName is not implemented by the local service"
        )
    if images.algorithm_runtime(algorithm["TrainingImage"]) and algorithm.get("MetricDefinitions"):
        raise validation_error(
            "You can't override the metric definitions for Amazon SageMaker algorithms. Please retry the "
            "request without specifying metric definitions."
        )
    for member in ("ContainerEntrypoint", "ContainerArguments"):
        if member in algorithm:
            raise validation_error(f"AlgorithmSpecification.{member}: not implemented by the local service")
    output = definition["OutputDataConfig"]
    S3Uri.parse(output["S3OutputPath"])
    if output.get("CompressionType", "GZIP") != "GZIP":
        raise validation_error("OutputDataConfig.CompressionType: NONE is not implemented by the local service")
    channels = definition.get("InputDataConfig", [])
    names = [channel["ChannelName"] for channel in channels]
    for channel in channels:
        if names.count(channel["ChannelName"]) > 1:
            raise validation_error(f"InputDataConfig: the channel {channel['ChannelName']} is given twice")
        _check_channel(context, channel, definition["RoleArn"])


def _check_channel(context: Context, channel: dict[str, Any], role: str) -> None:
    name = channel["ChannelName"]
    if name in (".", ".."):
        raise validation_error(f"channel {name}: it would not be a folder of its own")
    source = channel["DataSource"].get("S3DataSource")
    if source is None:
        given = ", ".join(channel["DataSource"]) or "nothing"
        raise validation_error(f"channel {name}: the local service reads an S3DataSource; DataSource gives {given}")
    if source["S3DataType"] not in ("S3Prefix", "ManifestFile"):
        raise validation_error(
            f"channel {name}: S3DataType {source['S3DataType']} is not implemented by the local service"
        )
    inputs.check_exists(
        context.objects, source["S3DataType"], source["S3Uri"], region=context.settings.region, role=role
    )


def _existing(context: Context, name: str) -> Document:
    record = context.store.find(_KIND, name)
    if record is None:
        raise validation_error("Requested resource not found.")
    return record
