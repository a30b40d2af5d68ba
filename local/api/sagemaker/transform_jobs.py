"""Operations of batch transform jobs."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import Any

from local.api.sagemaker.listing import page
from local.api.sagemaker.operations import Request, Response
from local.core.arns import sagemaker_arn
from local.core.errors import in_use, validation_error
from local.records import described
from local.records import resources as records
from local.records.jobs import find_job, mark_stopping
from local.records.kinds import MODEL, TRANSFORM_JOB
from local.runtime.jobs import transform
from local.runtime.jobs.record_filters import RecordError, RecordProcessing
from local.runtime.jobs.transform import TransformRunner
from local.runtime.jobs.transform_model import program_key
from local.runtime.supervisor import Supervisor
from local.storage.objects import S3Uri
from local.storage.store import Store

_KIND = transform.KIND
_MOST_MEGABYTES = 100


@dataclass(frozen=True)
class TransformJobOperations:
    """Operations of transform jobs."""

    store: Store
    region: str
    supervisor: Supervisor
    transform: TransformRunner

    def create_transform_job(self, request: Request) -> Response:
        """Start a batch transform job."""
        name: str = request["TransformJobName"]
        records.find(self.store, MODEL, self.region, request["ModelName"])
        _check(request)
        now = time.time()
        arn = sagemaker_arn(self.region, _KIND, name)
        record = {member: value for member, value in request.items() if member != "Tags"} | {
            "TransformJobArn": arn,
            "TransformJobStatus": "InProgress",
            "CreationTime": now,
            "LastModifiedTime": now,
        }
        already_exists = in_use(
            f"Job name must be unique within an AWS account and region, and a job with this name already exists ({arn})"
        )
        records.add(self.store, _KIND, name, record, arn=arn, tags=request.get("Tags"), already_exists=already_exists)
        self.supervisor.run_in_background(partial(self.transform.run, name), f"transform job {name}")
        return {"TransformJobArn": arn}

    def describe_transform_job(self, request: Request) -> Response:
        """Describe a batch transform job."""
        return described.transform_job(find_job(self.store, TRANSFORM_JOB, request["TransformJobName"]))

    def list_transform_jobs(self, request: Request) -> Response:
        """List batch transform jobs."""
        return page(
            request,
            self.store.list(_KIND),
            "TransformJobSummaries",
            resource="TransformJob",
            order="Descending",
        )

    def stop_transform_job(self, request: Request) -> Response:
        """Stop a batch transform job: its model's program, or else after the current request to the model."""
        mark_stopping(self.store, TRANSFORM_JOB, request["TransformJobName"])
        self.supervisor.terminate(program_key(request["TransformJobName"]))
        return {}


def _check(request: Request) -> None:
    source: dict[str, Any] = request["TransformInput"]["DataSource"]["S3DataSource"]
    S3Uri.parse(source["S3Uri"])
    S3Uri.parse(request["TransformOutput"]["S3OutputPath"])
    _check_payload(request)
    split = request["TransformInput"].get("SplitType", "None")
    refused = {
        f"S3DataType {source['S3DataType']}": source["S3DataType"] not in ("S3Prefix", "ManifestFile"),
        f"SplitType {split}": split not in ("None", "Line"),
        "DataCaptureConfig": "DataCaptureConfig" in request,
        "ExperimentConfig": bool(request.get("ExperimentConfig")),
        # It means HTTP chunked encoding, which SageMaker's built-in algorithms do not support.
        "MaxPayloadInMB 0": request.get("MaxPayloadInMB") == 0,
    }
    for what, asked in refused.items():
        if asked:
            raise validation_error(f"{what}: not implemented by the local service")
    try:
        RecordProcessing.of(request)
    except RecordError as error:
        raise validation_error(f"DataProcessing: {error}") from None


def _check_payload(request: Request) -> None:
    """Check the documented limit of MaxPayloadInMB, alone and multiplied by MaxConcurrentTransforms.

    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTransformJob.html
    """
    payload, concurrent = request.get("MaxPayloadInMB", 0), request.get("MaxConcurrentTransforms", 0)
    if payload > _MOST_MEGABYTES:
        raise validation_error(f"MaxPayloadInMB {payload} cannot be greater than {_MOST_MEGABYTES} MB")
    if payload * concurrent > _MOST_MEGABYTES:
        raise validation_error(
            f"MaxConcurrentTransforms {concurrent} * MaxPayloadInMB {payload} cannot exceed {_MOST_MEGABYTES} MB"
        )
