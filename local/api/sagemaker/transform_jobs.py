"""Batch transform jobs: the operations."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

from local.api.sagemaker.listing import page
from local.api.sagemaker.models import find_model
from local.api.sagemaker.operations import Request, Response, operation
from local.core.arns import sagemaker_arn
from local.core.errors import in_use, validation_error
from local.records import resources as records
from local.runtime.jobs import transform
from local.storage.objects import S3Uri

if TYPE_CHECKING:
    from local.context import Context
    from local.storage.store import Document

_KIND = transform.KIND
_ENDED = ("Completed", "Failed", "Stopped")
_PAGE_SIZE = 10


@operation("CreateTransformJob")
def create_transform_job(context: Context, request: Request) -> Response:
    """Start a batch transform job."""
    name: str = request["TransformJobName"]
    find_model(context, request["ModelName"])
    _check(request)
    now = time.time()
    arn = sagemaker_arn(context.settings.region, _KIND, name)
    record = {member: value for member, value in request.items() if member != "Tags"} | {
        "TransformJobArn": arn,
        "TransformJobStatus": "InProgress",
        "CreationTime": now,
        "LastModifiedTime": now,
    }
    taken = in_use(
        f"Job name must be unique within an AWS account and region, and a job with this name already exists ({arn})"
    )
    records.add(context, _KIND, name, record, arn=arn, tags=request.get("Tags"), taken=taken)
    context.supervisor.run_in_background(partial(transform.run, context, name), f"transform job {name}")
    return {"TransformJobArn": arn}


@operation("DescribeTransformJob")
def describe_transform_job(context: Context, request: Request) -> Response:
    """Describe a batch transform job."""
    return _existing(context, request["TransformJobName"])


@operation("ListTransformJobs")
def list_transform_jobs(context: Context, request: Request) -> Response:
    """List batch transform jobs."""
    return page(
        request,
        context.store.list(_KIND),
        "TransformJobSummaries",
        resource="TransformJob",
        order="Descending",
        page_size=_PAGE_SIZE,
    )


@operation("StopTransformJob")
def stop_transform_job(context: Context, request: Request) -> Response:
    """Ask a batch transform job to stop after the object that it is at."""
    with context.store.transaction():
        record = _existing(context, request["TransformJobName"])
        name, status = record["TransformJobName"], record["TransformJobStatus"]
        if status in _ENDED:
            raise validation_error(f"The request was rejected because the transform job is in status {status}.")
        context.store.update(
            _KIND,
            name,
            lambda record: record.update(TransformJobStatus="Stopping", LastModifiedTime=time.time()),
        )
    return {}


def _check(request: Request) -> None:
    source: dict[str, Any] = request["TransformInput"]["DataSource"]["S3DataSource"]
    S3Uri.parse(source["S3Uri"])
    S3Uri.parse(request["TransformOutput"]["S3OutputPath"])
    split = request["TransformInput"].get("SplitType", "None")
    refused = {
        f"S3DataType {source['S3DataType']}": source["S3DataType"] not in ("S3Prefix", "ManifestFile"),
        f"SplitType {split}": split not in ("None", "Line"),
        "DataCaptureConfig": "DataCaptureConfig" in request,
    }
    for what, asked in (refused | _refused_processing(request)).items():
        if asked:
            raise validation_error(f"{what}: not implemented by the local service")


def _refused_processing(request: Request) -> dict[str, bool]:
    """What of DataProcessing is asked for and cannot be done."""
    processing: dict[str, str] = request.get("DataProcessing", {})
    content_type = request["TransformInput"].get("ContentType", "")
    chosen = processing.get("InputFilter", "$")
    json_lines = [content_type, request["TransformOutput"].get("Accept")] == [transform.JSON_LINES] * 2
    return {
        f"DataProcessing.InputFilter {chosen} of {content_type}": chosen != "$"
        and (not content_type.startswith("text/csv") or transform.columns(chosen) is None),
        "DataProcessing.OutputFilter": processing.get("OutputFilter", "$") != "$",
        "DataProcessing.JoinSource of anything but application/jsonlines to application/jsonlines": (
            processing.get("JoinSource") == "Input" and not json_lines
        ),
    }


def _existing(context: Context, name: str) -> Document:
    record = context.store.find(_KIND, name)
    if record is None:
        raise validation_error(f"Could not find requested job with name: {name}")
    return record
