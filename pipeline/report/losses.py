"""The loss of training jobs by epoch, or by tree, from their logs."""

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
_ROUND = re.compile(r"^\[(\d+)\]((?:(?:#011|\t)(?:train|validation)-[^:\s]+:\S+)+)")
_VALUE = re.compile(r"(train|validation)-([^:\s]+):(-?\d[^#\s]*)")
POWERS = {"mse_objective": 2, "absolute_loss_objective": 1}
"""The losses whose unit is a power of the label's."""

_THREADS = 8


@dataclass(frozen=True)
class Losses:
    """The loss of the training jobs by epoch, or a metric by the number of trees.

    Attributes:
        metric: its name in the logs.
        rows: fold, channel (``train`` or ``validation``), epoch and loss, in the validation loss's unit.
        without_log: the jobs of which there is no log.
        has_train: whether the training loss could be converted to that unit.
        is_by_tree: whether epochs are rounds of boosting.
    """

    metric: str
    rows: list[dict[str, Any]]
    without_log: list[str]
    has_train: bool
    is_by_tree: bool = False


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
    found = _found(read, jobs)
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


def read_rounds(logs: CloudWatchLogsClient, jobs: Mapping[int, str], metric: str) -> Losses:
    """Read a metric of training jobs by the number of trees.

    Args:
        logs: boto3's CloudWatch Logs client.
        jobs: the training job of each fold.
        metric: the metric's name. If the jobs do not log it, the first one that they log is read.

    Raises:
        MissingError: there are no such lines.
    """
    with ThreadPoolExecutor(_THREADS) as pool:
        read = dict(zip(jobs, pool.map(lambda job: list(_rounds(logs, job)), jobs.values()), strict=True))
    found = _found(read, jobs)
    logged = dict.fromkeys(row["metric"] for row in found)
    shown = metric if metric in logged else next(iter(logged))
    rows = [
        {name: row[name] for name in ("fold", "channel", "epoch", "loss")} for row in found if row["metric"] == shown
    ]
    return Losses(shown, rows, [job for fold, job in jobs.items() if not read[fold]], has_train=True, is_by_tree=True)


def _found(read: Mapping[int, list[dict[str, Any]]], jobs: Mapping[int, str]) -> list[dict[str, Any]]:
    found = [row | {"fold": fold} for fold, rows in read.items() for row in rows]
    if not found:
        raise MissingError(f"CloudWatch Logs has no lines about epochs of these jobs: {', '.join(jobs.values())}.")
    return found


def _epochs(logs: CloudWatchLogsClient, job: str) -> Iterator[dict[str, Any]]:
    for message in _messages(logs, job, '"#quality_metric"'):
        if line := _LINE.search(message):
            epoch, channel, metric, loss = line.groups()
            yield {"channel": channel, "epoch": int(epoch) + 1, "metric": metric, "loss": float(loss)}


def _rounds(logs: CloudWatchLogsClient, job: str) -> Iterator[dict[str, Any]]:
    for message in _messages(logs, job, '"validation-"'):
        if line := _ROUND.match(message):
            for channel, metric, value in _VALUE.findall(line[2]):
                yield {"channel": channel, "epoch": int(line[1]) + 1, "metric": metric, "loss": float(value)}


def _messages(logs: CloudWatchLogsClient, job: str, pattern: str) -> Iterator[str]:
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=_GROUP, logStreamNamePrefix=f"{job}/", filterPattern=pattern
    )
    try:
        for page in pages:
            for event in page["events"]:
                yield event["message"]
    except ClientError as error:
        if not is_gone(error):
            raise


def _factor(sagemaker: SageMakerClient, job: str, metric: str, label_deviation: float) -> float | None:
    """Return what the training loss is multiplied by; None if that is not known."""
    hyperparameters = sagemaker.describe_training_job(TrainingJobName=job)["HyperParameters"]
    # A class has no unit and is not standardised.
    is_class = hyperparameters.get("predictor_type", "regressor") != "regressor"
    if is_class or hyperparameters.get("normalize_label", "auto") == "false":
        return 1.0
    return label_deviation ** POWERS[metric] if metric in POWERS else None
