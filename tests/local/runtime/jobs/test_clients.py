"""Jobs as AWS's own clients see them."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.local.runtime.jobs.conftest import Jobs, training_request
from tests.local.runtime.jobs.test_tuning_jobs import _request as tuning_request

pytestmark = pytest.mark.usefixtures("rows")


def _aws(jobs: Jobs, *arguments: str) -> Any:
    program = Path(sys.executable).with_name("aws")
    ran = subprocess.run(
        [str(program), *arguments],
        env=jobs.service.environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(ran.stdout)


def test_boto3_waits_for_a_training_job_and_pages_through_them(jobs: Jobs) -> None:
    client = jobs.service.client("sagemaker")
    names = [jobs.name("waited") for _ in range(3)]
    for name in names:
        client.create_training_job(**training_request(name), Tags=[{"Key": "team", "Value": "ml"}])
    for name in names:
        client.get_waiter("training_job_completed_or_stopped").wait(
            TrainingJobName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
    description = client.describe_training_job(TrainingJobName=names[0])
    assert description["TrainingJobStatus"] == "Completed"
    assert description["TrainingEndTime"].tzinfo is not None
    (metric,) = (each for each in description["FinalMetricDataList"] if each["MetricName"] == "train:mse")
    (point,) = jobs.service.client("cloudwatch").get_metric_statistics(
        Namespace="/aws/sagemaker/TrainingJobs",
        MetricName="train:mse",
        Dimensions=[{"Name": "TrainingJobName", "Value": names[0]}],
        StartTime=description["CreationTime"] - timedelta(minutes=1),
        EndTime=description["TrainingEndTime"] + timedelta(minutes=1),
        Period=3600,
        Statistics=["Minimum", "Maximum"],
    )["Datapoints"]
    assert point["Minimum"] <= metric["Value"] <= point["Maximum"]
    tags = client.list_tags(ResourceArn=description["TrainingJobArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "ml"}]
    pages = client.get_paginator("list_training_jobs").paginate(
        NameContains="waited", SortBy="CreationTime", PaginationConfig={"PageSize": 2}
    )
    listed = [entry["TrainingJobName"] for page in pages for entry in page["TrainingJobSummaries"]]
    assert listed == names


def test_boto3_reads_a_tuning_jobs_training_jobs_in_the_order_of_their_objective(jobs: Jobs) -> None:
    client = jobs.service.client("sagemaker")
    name = jobs.name("paged")
    client.create_hyper_parameter_tuning_job(**tuning_request(name))
    jobs.wait("hyper-parameter-tuning-job", name)
    pages = client.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
        HyperParameterTuningJobName=name,
        SortBy="FinalObjectiveMetricValue",
        SortOrder="Descending",
        PaginationConfig={"PageSize": 4},
    )
    values = [
        entry["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
        for page in pages
        for entry in page["TrainingJobSummaries"]
    ]
    assert len(values) == 6
    assert values == sorted(values, reverse=True)
    summary = client.list_hyper_parameter_tuning_jobs(NameContains=name)["HyperParameterTuningJobSummaries"]
    assert summary[0]["TrainingJobStatusCounters"]["Completed"] == 6


def test_the_command_line_shows_a_jobs_log(jobs: Jobs) -> None:
    name = jobs.start_script("print('hello from the job')")
    jobs.wait("processing-job", name)
    group = ["--log-group-name", "/aws/sagemaker/ProcessingJobs"]
    shown = _aws(jobs, "logs", "filter-log-events", *group, "--log-stream-name-prefix", f"{name}/")
    assert shown["events"][-1]["message"] == "hello from the job"
