"""Processing jobs: the operations."""

from __future__ import annotations

import shutil
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from local.api.sagemaker.listing import page
from local.api.sagemaker.operations import Request, Response, operation
from local.api.sagemaker.tags import delete_tags
from local.core.arns import sagemaker_arn
from local.core.errors import in_use, validation_error
from local.records import resources as records
from local.runtime.jobs import processing
from local.runtime.jobs.container import local_path
from local.storage.objects import S3Uri

if TYPE_CHECKING:
    from pathlib import Path

    from local.context import Context
    from local.storage.store import Document

_KIND = processing.KIND
_DEFAULT_MAX_RUNTIME = 86400
_ENDED = ("Completed", "Failed", "Stopped")


@operation("CreateProcessingJob")
def create_processing_job(context: Context, request: Request) -> Response:
    """Start a processing job."""
    name: str = request["ProcessingJobName"]
    root = processing.folder(context, name)
    for place, given in enumerate(request.get("ProcessingInputs", []), start=1):
        _check_input(given, f"processingInputs.{place}", root)
    for place, given in enumerate(request.get("ProcessingOutputConfig", {}).get("Outputs", []), start=1):
        _check_output(given, f"processingOutputConfig.outputs.{place}", root)
    now = time.time()
    arn = sagemaker_arn(context.settings.region, _KIND, name)
    record = {member: value for member, value in request.items() if member != "Tags"} | {
        "ProcessingJobArn": arn,
        "ProcessingJobStatus": "InProgress",
        "CreationTime": now,
        "LastModifiedTime": now,
    }
    record.setdefault("StoppingCondition", {"MaxRuntimeInSeconds": _DEFAULT_MAX_RUNTIME})
    taken = in_use(
        f"Job name must be unique within an AWS account and region, and a job with this name already exists ({arn})"
    )
    records.add(context, _KIND, name, record, arn=arn, tags=request.get("Tags"), taken=taken)
    context.supervisor.run_in_background(partial(processing.run, context, name), f"processing job {name}")
    return {"ProcessingJobArn": arn}


@operation("DescribeProcessingJob")
def describe_processing_job(context: Context, request: Request) -> Response:
    """Describe a processing job."""
    return _existing(context, request["ProcessingJobName"])


@operation("ListProcessingJobs")
def list_processing_jobs(context: Context, request: Request) -> Response:
    """List processing jobs."""
    return page(
        request,
        context.store.list(_KIND),
        "ProcessingJobSummaries",
        resource="ProcessingJob",
    )


@operation("StopProcessingJob")
def stop_processing_job(context: Context, request: Request) -> Response:
    """Ask a processing job to stop: SIGTERM at once, SIGKILL two minutes later."""
    with context.store.transaction():
        record = _existing(context, request["ProcessingJobName"])
        name, status = record["ProcessingJobName"], record["ProcessingJobStatus"]
        if status in _ENDED:
            raise validation_error(f"The request was rejected because the processing job is in status {status}.")
        context.store.update(
            _KIND,
            name,
            lambda record: record.update(ProcessingJobStatus="Stopping", LastModifiedTime=time.time()),
        )
    context.supervisor.terminate(processing.program_key(name))
    return {}


@operation("DeleteProcessingJob")
def delete_processing_job(context: Context, request: Request) -> Response:
    """Forget a processing job that has ended."""
    with context.store.transaction():
        record = _existing(context, request["ProcessingJobName"])
        name = record["ProcessingJobName"]
        if record["ProcessingJobStatus"] not in _ENDED:
            raise in_use(f"The processing job {name} is in status {record['ProcessingJobStatus']}.")
        context.store.delete(_KIND, name)
        delete_tags(context, record["ProcessingJobArn"])
    shutil.rmtree(processing.folder(context, name), ignore_errors=True)
    return {}


def _existing(context: Context, name: str) -> Document:
    record = context.store.find(_KIND, name)
    if record is None:
        raise validation_error(f"Could not find requested job with name: {name}")
    return record


def _check_input(given: dict[str, Any], path: str, root: Path) -> None:
    if given.get("AppManaged"):
        return
    if "DatasetDefinition" in given:
        raise validation_error(f"{path}.datasetDefinition: not implemented by the local service")
    if "S3Input" not in given:
        raise validation_error(f"{path}: S3Input is required")
    source = given["S3Input"]
    if source.get("S3InputMode", "File") != "File":
        raise validation_error(f"{path}.s3Input.s3InputMode: Pipe is not implemented by the local service")
    if source.get("S3CompressionType", "None") != "None":
        raise validation_error(
            f"{path}.s3Input.s3CompressionType: Gzip can only be used if S3InputMode is Pipe, which is not "
            "implemented by the local service"
        )
    _check_place(source, f"{path}.s3Input", root)


def _check_output(given: dict[str, Any], path: str, root: Path) -> None:
    if given.get("AppManaged"):
        return
    if "FeatureStoreOutput" in given:
        raise validation_error(f"{path}.featureStoreOutput: not implemented by the local service")
    if "S3Output" not in given:
        raise validation_error(f"{path}: S3Output is required")
    _check_place(given["S3Output"], f"{path}.s3Output", root)


def _check_place(place: dict[str, Any], path: str, root: Path) -> None:
    S3Uri.parse(place["S3Uri"])
    if "LocalPath" not in place:
        raise validation_error(f"{path}: LocalPath is required")
    if local_path(place["LocalPath"], root) in (None, root):
        raise validation_error(
            f"{path}.localPath: {place['LocalPath']!r} is not below /opt/ml, the only folder of a container "
            "that the local service has"
        )
