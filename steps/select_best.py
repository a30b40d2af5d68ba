"""Finds the best training job among the tuning jobs of all folds, and copies its model to the output.

Runs as a processing job in SageMaker's scikit-learn container. It needs boto3, and imports nothing of this repository.

Outputs:
    <best>/model.tar.gz               the winner's artifact, byte for byte
    <best>/best.json                  the winner: fold, error, jobs, hyperparameters, metrics
    <evaluation>/model_quality.json   its metrics in the form that SageMaker's model quality monitor reads
    <evaluation>/training_jobs.json   every training job with its fold, hyperparameters and error
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import math
import os
import statistics
import sys
import tarfile
import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient

Job = dict[str, Any]

LONGEST_MESSAGE = 1024
"""SageMaker shows this many bytes of ``/opt/ml/output/message``."""


class SelectionError(Exception):
    """No training job can be selected; the message says why."""


def aws_region() -> str:
    """Return the region that the job runs in.

    SageMaker's containers have AWS_REGION; boto3 itself reads AWS_DEFAULT_REGION only.

    Raises:
        SelectionError: neither variable is set.
    """
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not region:
        raise SelectionError("no AWS region: set the environment variable AWS_REGION or AWS_DEFAULT_REGION")
    return region


def completed_jobs(sagemaker: SageMakerClient, tuning_job: str, fold: int, objective: str) -> Iterator[Job]:
    """Yield the completed training jobs of a tuning job with a finite objective.

    Args:
        sagemaker: boto3's SageMaker client.
        tuning_job: the tuning job's name.
        fold: the number of the tuned fold, 1 to k.
        objective: the metric's name, for example ``validation:mse``.

    Raises:
        SelectionError: the tuning job optimised another metric.
    """
    tuning = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=tuning_job)
    tuned = tuning["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]["MetricName"]
    if tuned != objective:
        raise SelectionError(f"{tuning_job} tuned {tuned}, not {objective}")
    pages = sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
        HyperParameterTuningJobName=tuning_job, StatusEquals="Completed"
    )
    for page in pages:
        for summary in page["TrainingJobSummaries"]:
            value = summary.get("FinalHyperParameterTuningJobObjectiveMetric", {}).get("Value")
            if value is not None and math.isfinite(value):
                yield {
                    "fold": fold,
                    "mse": value,
                    "training_job_name": summary["TrainingJobName"],
                    "tuning_job_name": tuning_job,
                    "hyperparameters": summary["TunedHyperParameters"],
                }


def best_of(jobs: list[Job]) -> Job:
    """Return the job with the lowest error. Ties go to the lowest fold, then to the first name.

    Raises:
        SelectionError: there are no jobs.
    """
    if not jobs:
        raise SelectionError("no training job of any fold completed with a finite objective")
    return min(jobs, key=lambda job: (job["mse"], job["fold"], job["training_job_name"]))


def described(sagemaker: SageMakerClient, job: Job, folds: dict[str, Any]) -> Job:
    """Return the winner with its artifact, its metrics, and its metadata for the model registry."""
    description = sagemaker.describe_training_job(TrainingJobName=job["training_job_name"])
    metrics = {metric["MetricName"]: metric["Value"] for metric in description.get("FinalMetricDataList", [])}
    tuned = " ".join(f"{name}={value}" for name, value in sorted(job["hyperparameters"].items()))
    metadata = {
        "training_job": job["training_job_name"],
        "tuning_job": job["tuning_job_name"],
        "fold": str(job["fold"]),
        "mse": repr(job["mse"]),
        "hyperparameters": tuned,
        "rows": str(folds["rows"]),
        "rejected_rows": str(folds["rejected"]["total"]),
        "data_version": folds["data_version"],
    }
    return {
        **job,
        "model_data": description["ModelArtifacts"]["S3ModelArtifacts"],
        "metrics": metrics,
        "metadata": {name: recordable(text) for name, text in metadata.items()},
    }


def recordable(text: str) -> str:
    """Return a text as valid model metadata: other characters become ``_``, and it is cut after 256 characters.

    SageMaker would otherwise refuse it when it registers the model, after all training.

    Source: CustomerMetadataValue of https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelPackage.html
    """
    admitted = (c if unicodedata.category(c)[0] in "LZN" or c in "_.:/=+-@" else "_" for c in text)
    return "".join(admitted)[:256] or "none"


def model_quality(best: Job, jobs: list[Job]) -> dict[str, Any]:
    """Return the winner's metrics in the format of SageMaker's model quality monitor.

    The standard deviation of the error is that of the best error of each fold: how much the choice of the held-out
    rows alone moves it.
    """
    best_by_fold = [min(job["mse"] for job in jobs if job["fold"] == fold) for fold in {job["fold"] for job in jobs}]
    spread = statistics.stdev(best_by_fold) if len(best_by_fold) > 1 else 0.0
    regression = {
        "mse": {"value": best["mse"], "standard_deviation": spread},
        "rmse": {"value": math.sqrt(best["mse"]), "standard_deviation": "NaN"},
    }
    if "validation:absolute_loss" in best["metrics"]:
        regression["mae"] = {"value": best["metrics"]["validation:absolute_loss"], "standard_deviation": "NaN"}
    return {"regression_metrics": regression}


def artifact_digest(model_tar_gz: Path) -> str:
    """Return the SHA-256 of the names and contents of an artifact's files, including files in zip archives.

    The artifact's own bytes cannot be compared: archives contain dates, so equal models have different bytes.
    """
    digest = hashlib.sha256()
    for name, content in sorted(_files(model_tar_gz)):
        digest.update(f"{len(name.encode())}:{name}:{len(content)}:".encode())
        digest.update(content)
    return digest.hexdigest()


def _files(model_tar_gz: Path) -> Iterator[tuple[str, bytes]]:
    if not tarfile.is_tarfile(model_tar_gz):
        yield model_tar_gz.name, model_tar_gz.read_bytes()
        return
    with tarfile.open(model_tar_gz) as archive:
        for member in archive:
            file = archive.extractfile(member)
            if file is None:
                continue
            content = file.read()
            if not zipfile.is_zipfile(io.BytesIO(content)):
                yield member.name, content
                continue
            with zipfile.ZipFile(io.BytesIO(content)) as inner:
                for name in inner.namelist():
                    yield f"{member.name}/{name}", inner.read(name)


def write_json(path: Path, document: Any) -> None:
    """Write a JSON document."""
    path.write_text(json.dumps(document, indent=2) + "\n", "utf-8")


def leave_reason(error: Exception, message: Path | None) -> None:
    """Write the reason of the failure to the file that becomes the job's ExitMessage (its first kilobyte).

    The file must be UTF-8, or the job fails with another reason.
    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/byoc-metadata.html

    Args:
        error: the error.
        message: ``/opt/ml/output/message``, or None to write nothing.
    """
    if message is None:
        return
    reason = str(error) if isinstance(error, SelectionError) else f"{type(error).__name__}: {error}"
    message.parent.mkdir(parents=True, exist_ok=True)
    message.write_bytes(reason.encode(errors="replace")[:LONGEST_MESSAGE].decode(errors="ignore").encode())


def main(arguments: list[str] | None = None) -> None:
    """Select the best training job and write the outputs."""
    parser = argparse.ArgumentParser(description="Find the best training job among the tuning jobs of all folds.")
    parser.add_argument("--objective", required=True, help="metric to minimise")
    parser.add_argument("--folds", required=True, type=Path, help="folds.json of the folds")
    parser.add_argument("--tuning-job", required=True, action="append", help="name, once a fold, in order")
    parser.add_argument("--best", required=True, type=Path, help="folder for the model and best.json")
    parser.add_argument("--evaluation", required=True, type=Path, help="folder for the metrics")
    parser.add_argument("--message", type=Path, help="file for the reason of a failure: /opt/ml/output/message")
    options = parser.parse_args(arguments)
    try:
        select(options)
    except Exception as error:
        leave_reason(error, options.message)
        raise


def select(options: argparse.Namespace) -> None:
    """Parse the arguments, select the best training job and write the outputs."""
    region = aws_region()
    sagemaker = boto3.client("sagemaker", region_name=region)
    jobs = [
        job
        for fold, tuning_job in enumerate(options.tuning_job, start=1)
        for job in completed_jobs(sagemaker, tuning_job, fold, options.objective)
    ]
    best = described(sagemaker, best_of(jobs), json.loads(options.folds.read_text("utf-8")))
    options.best.mkdir(parents=True, exist_ok=True)
    options.evaluation.mkdir(parents=True, exist_ok=True)
    artifact = urlsplit(best["model_data"])
    s3 = boto3.client("s3", region_name=region)
    s3.download_file(artifact.netloc, artifact.path.lstrip("/"), str(options.best / "model.tar.gz"))
    best["metadata"]["artifact_sha256"] = artifact_digest(options.best / "model.tar.gz")
    write_json(options.evaluation / "model_quality.json", model_quality(best, jobs))
    write_json(options.evaluation / "training_jobs.json", sorted(jobs, key=lambda job: (job["fold"], job["mse"])))
    write_json(options.best / "best.json", best)
    print(f"best of {len(jobs)} training jobs: {best['training_job_name']}, fold {best['fold']}, mse {best['mse']}")


if __name__ == "__main__":
    try:
        main()
    except SelectionError as error:
        sys.exit(f"select_best: error: {error}")
