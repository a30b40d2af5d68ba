"""Operations of processing jobs."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from functools import partial
from typing import Any

from definition_language.processing_paths import ROOT, begins_with_root
from local.api.sagemaker.listing import page
from local.api.sagemaker.operations import Request, Response
from local.core.arns import sagemaker_arn
from local.core.errors import in_use, validation_error
from local.core.settings import Settings
from local.records import described
from local.records import resources as records
from local.records.jobs import find_job, mark_stopping
from local.records.kinds import PROCESSING_JOB
from local.runtime.jobs import processing
from local.runtime.jobs.processing import ProcessingRunner
from local.runtime.supervisor import Supervisor
from local.storage.objects import S3Uri
from local.storage.store import Store

_KIND = processing.KIND
_DEFAULT_MAX_RUNTIME = 86400


@dataclass(frozen=True)
class ProcessingJobOperations:
    """Operations of processing jobs."""

    store: Store
    settings: Settings
    supervisor: Supervisor
    processing: ProcessingRunner

    def create_processing_job(self, request: Request) -> Response:
        """Start a processing job."""
        name: str = request["ProcessingJobName"]
        if request.get("ExperimentConfig"):
            raise validation_error("ExperimentConfig: not implemented by the local service")
        for place, given in enumerate(request.get("ProcessingInputs", []), start=1):
            _check_input(given, f"processingInputs.{place}")
        for place, given in enumerate(request.get("ProcessingOutputConfig", {}).get("Outputs", []), start=1):
            _check_output(given, f"processingOutputConfig.outputs.{place}")
        now = time.time()
        arn = sagemaker_arn(self.settings.region, _KIND, name)
        record = {member: value for member, value in request.items() if member != "Tags"} | {
            "ProcessingJobArn": arn,
            "ProcessingJobStatus": "InProgress",
            "CreationTime": now,
            "LastModifiedTime": now,
        }
        record.setdefault("StoppingCondition", {"MaxRuntimeInSeconds": _DEFAULT_MAX_RUNTIME})
        already_exists = in_use(
            f"Job name must be unique within an AWS account and region, and a job with this name already exists ({arn})"
        )
        records.add(self.store, _KIND, name, record, arn=arn, tags=request.get("Tags"), already_exists=already_exists)
        self.supervisor.run_in_background(partial(self.processing.run, name), f"processing job {name}")
        return {"ProcessingJobArn": arn}

    def describe_processing_job(self, request: Request) -> Response:
        """Describe a processing job."""
        return described.processing_job(find_job(self.store, PROCESSING_JOB, request["ProcessingJobName"]))

    def list_processing_jobs(self, request: Request) -> Response:
        """List processing jobs."""
        return page(
            request,
            self.store.list(_KIND),
            "ProcessingJobSummaries",
            resource="ProcessingJob",
        )

    def stop_processing_job(self, request: Request) -> Response:
        """Stop a processing job. Its program gets SIGTERM now, and SIGKILL after two minutes."""
        record = mark_stopping(self.store, PROCESSING_JOB, request["ProcessingJobName"])
        self.supervisor.terminate(processing.program_key(record["ProcessingJobName"]))
        return {}

    def delete_processing_job(self, request: Request) -> Response:
        """Delete an ended processing job and its folder."""
        with self.store.transaction():
            record = find_job(self.store, PROCESSING_JOB, request["ProcessingJobName"])
            name = record["ProcessingJobName"]
            if not PROCESSING_JOB.has_ended(record):
                raise in_use(f"The processing job {name} is in status {record['ProcessingJobStatus']}.")
            records.remove(self.store, _KIND, name, record["ProcessingJobArn"])
        shutil.rmtree(processing.folder(self.settings, name), ignore_errors=True)
        return {}


def _check_input(given: dict[str, Any], path: str) -> None:
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
    _check_place(source, f"{path}.s3Input")


def _check_output(given: dict[str, Any], path: str) -> None:
    if given.get("AppManaged"):
        return
    if "FeatureStoreOutput" in given:
        raise validation_error(f"{path}.featureStoreOutput: not implemented by the local service")
    if "S3Output" not in given:
        raise validation_error(f"{path}: S3Output is required")
    _check_place(given["S3Output"], f"{path}.s3Output")


def _check_place(place: dict[str, Any], path: str) -> None:
    S3Uri.parse(place["S3Uri"])
    if "LocalPath" not in place:
        raise validation_error(f"{path}: LocalPath is required")
    if not begins_with_root(place["LocalPath"]):
        raise validation_error(f"{path}.localPath: {place['LocalPath']!r} must begin with {ROOT}")
