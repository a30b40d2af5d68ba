"""The losses of training jobs, from the logs of the local service."""

from __future__ import annotations

import time

import boto3
import pytest
from botocore.stub import Stubber

from local.app.server import LocalService
from local.core.settings import ACCESS_KEY, Settings
from pipeline.report.losses import read_losses, read_rounds
from pipeline.report.parts import MissingError

GROUP = "/aws/sagemaker/TrainingJobs"
JOBS = {1: "job-1", 3: "job-3"}


@pytest.fixture
def logs(tmp_path):
    with LocalService(Settings(tmp_path / ".local", port=0)) as service:
        session = boto3.Session(ACCESS_KEY, service.settings.secret_key, region_name=service.settings.region)
        yield session.client("logs", endpoint_url=service.settings.endpoint_url)


@pytest.fixture
def sagemaker():
    return boto3.client("sagemaker", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")


def write(logs, job: str, train: list[float], validation: list[float], metric: str = "mse_objective") -> None:
    lines = ["[01/31/2026 12:00:00 INFO 1] #quality_metric: host=algo-1, train mse <loss>=5.0", "other"]
    for epoch, losses in enumerate(zip(train, validation, strict=True)):
        for channel, loss in zip(("train", "validation"), losses, strict=True):
            lines.append(f"[INFO] #quality_metric: host=algo-1, epoch={epoch}, {channel} {metric} <loss>={loss}")
    stream = {"logGroupName": GROUP, "logStreamName": f"{job}/algo-1-1"}
    logs.create_log_stream(**stream)
    now = time.time_ns() // 1_000_000
    logs.put_log_events(**stream, logEvents=[{"timestamp": now, "message": line} for line in lines])


def read(sagemaker, logs, **hyperparameters: str):
    with Stubber(sagemaker) as stubber:
        answer = {
            "TrainingJobName": "job-1",
            "TrainingJobArn": "arn:aws:sagemaker:us-east-1:123456789012:training-job/job-1",
            "ModelArtifacts": {"S3ModelArtifacts": "s3://bucket/model.tar.gz"},
            "TrainingJobStatus": "Completed",
            "SecondaryStatus": "Completed",
            "CreationTime": 0,
            "ResourceConfig": {"VolumeSizeInGB": 1},
            "StoppingCondition": {},
            "AlgorithmSpecification": {"TrainingInputMode": "File"},
            "HyperParameters": hyperparameters,
        }
        stubber.add_response("describe_training_job", answer, {"TrainingJobName": "job-1"})
        return read_losses(sagemaker, logs, JOBS, label_deviation=10.0)


def test_both_losses_are_in_the_labels_unit(sagemaker, logs) -> None:
    logs.create_log_group(logGroupName=GROUP)
    write(logs, "job-1", [1.0, 0.5], [90.0, 60.0])
    # Its name begins with that of another job, which is not asked for.
    write(logs, "job-11", [7.0], [7.0])
    losses = read(sagemaker, logs)
    assert [(row["fold"], row["channel"], row["epoch"], row["loss"]) for row in losses.rows] == [
        (1, "train", 1, 100.0),
        (1, "validation", 1, 90.0),
        (1, "train", 2, 50.0),
        (1, "validation", 2, 60.0),
    ]
    assert losses.without_log == ["job-3"]
    plain = read(sagemaker, logs, normalize_label="false")
    assert plain.rows[0]["loss"] == 1.0


def test_a_training_loss_in_an_unknown_unit_is_left_out(sagemaker, logs) -> None:
    logs.create_log_group(logGroupName=GROUP)
    write(logs, "job-3", [1.0], [90.0], "huber_loss_objective")
    losses = read(sagemaker, logs)
    assert [row["channel"] for row in losses.rows] == ["validation"]
    assert not losses.has_train


def test_logs_that_are_gone_are_a_sentence(sagemaker, logs) -> None:
    with pytest.raises(MissingError, match="no lines about epochs of these jobs: job-1, job-3"):
        read_losses(sagemaker, logs, JOBS, label_deviation=10.0)


def test_xgboosts_metric_is_read_by_trees_as_its_container_logs_it(logs) -> None:
    lines = [
        "[2026-01-31:12:00:00:INFO] Validation matrix has 9 rows",
        "[0]#011train-logloss:0.60000#011train-auc:0.80000#011validation-logloss:0.62000#011validation-auc:0.70000",
        "[1]#011train-logloss:0.50000#011train-auc:0.85000#011validation-logloss:1e-05#011validation-auc:nan",
    ]
    stream = {"logGroupName": GROUP, "logStreamName": "job-1/algo-1-1"}
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(**stream)
    now = time.time_ns() // 1_000_000
    logs.put_log_events(**stream, logEvents=[{"timestamp": now, "message": line} for line in lines])
    found = read_rounds(logs, JOBS, "auc")
    assert (found.metric, found.is_by_tree, found.without_log) == ("auc", True, ["job-3"])
    assert [(row["fold"], row["channel"], row["epoch"], row["loss"]) for row in found.rows] == [
        (1, "train", 1, 0.8),
        (1, "validation", 1, 0.7),
        (1, "train", 2, 0.85),
    ]
    other = read_rounds(logs, JOBS, "f1")
    assert other.metric == "logloss"
    assert [row["loss"] for row in other.rows if row["channel"] == "validation"] == [0.62, 1e-05]
    with pytest.raises(MissingError, match="no lines about epochs of these jobs: job-9"):
        read_rounds(logs, {1: "job-9"}, "auc")
