"""The loss of training jobs by epoch, from their logs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipeline.operate.aws_errors import is_gone
from pipeline.report.parts import MissingError

if TYPE_CHECKING:
    from types_boto3_logs import CloudWatchLogsClient
    from types_boto3_sagemaker import SageMakerClient

_GROUP = "/aws/sagemaker/TrainingJobs"
_LINE = re.compile(r"#quality_metric: host=\S+, epoch=(\d+), (train|validation) (\S+) <loss>=(\d\S*)")
_POWERS = {"mse_objective": 2, "absolute_loss_objective": 1}
"""The losses whose unit is a power of the label's."""

_THREADS = 8


@dataclass(frozen=True)
class Losses:
    """The loss of the training jobs by epoch.

    Attributes:
        metric: the loss's name in the logs.
        rows: fold, channel (``train`` or ``validation``), epoch and loss, in the validation loss's unit.
        without_log: the jobs of which there is no log.
        has_train: whether the training loss could be converted to that unit.
    """

    metric: str
    rows: list[dict[str, Any]]
    without_log: list[str]
    has_train: bool


def read_losses(
    sagemaker: SageMakerClient, logs: CloudWatchLogsClient, jobs: Mapping[int, str], label_deviation: float
) -> Losses:
    """Read the losses of training jobs.

    The algorithm logs the training loss of the standardised label if ``normalize_label`` is on, which is its default,
    and the validation loss in the label's unit. Both are returned in the latter.

    Args:
        sagemaker: boto3's SageMaker client.
        logs: boto3's CloudWatch Logs client.
        jobs: the training job of each fold. They differ in the fold only.
        label_deviation: the label's standard deviation on the scale of the models' predictions.

    Raises:
        MissingError: there are no such lines.
    """
    with ThreadPoolExecutor(_THREADS) as pool:
        read = dict(zip(jobs, pool.map(lambda job: list(_epochs(logs, job)), jobs.values()), strict=True))
    found = [row | {"fold": fold} for fold, rows in read.items() for row in rows]
    if not found:
        raise MissingError(f"CloudWatch Logs has no lines about epochs of these jobs: {', '.join(jobs.values())}.")
    metric = str(found[0]["metric"])
    factor = _factor(sagemaker, next(iter(jobs.values())), metric, label_deviation)
    rows = [
        {
            "fold": row["fold"],
            "channel": row["channel"],
            "epoch": row["epoch"],
            "loss": row["loss"] * (factor or 0.0) if row["channel"] == "train" else row["loss"],
        }
        for row in found
        if row["channel"] == "validation" or factor is not None
    ]
    return Losses(metric, rows, [job for fold, job in jobs.items() if not read[fold]], factor is not None)


def _epochs(logs: CloudWatchLogsClient, job: str) -> Iterator[dict[str, Any]]:
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=_GROUP, logStreamNamePrefix=f"{job}/", filterPattern='"#quality_metric"'
    )
    try:
        for page in pages:
            for event in page["events"]:
                if line := _LINE.search(event["message"]):
                    epoch, channel, metric, loss = line.groups()
                    yield {"channel": channel, "epoch": int(epoch) + 1, "metric": metric, "loss": float(loss)}
    except ClientError as error:
        if not is_gone(error):
            raise


def _factor(sagemaker: SageMakerClient, job: str, metric: str, label_deviation: float) -> float | None:
    """Return what the training loss is multiplied by; None if that is not known."""
    hyperparameters = sagemaker.describe_training_job(TrainingJobName=job)["HyperParameters"]
    if hyperparameters.get("normalize_label", "auto") == "false":
        return 1.0
    return label_deviation ** _POWERS[metric] if metric in _POWERS else None
