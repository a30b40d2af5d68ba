"""Training jobs of linear-learner."""

from __future__ import annotations

import io
import itertools
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from local.algorithms.linear_learner.inference import Model
from local.core.errors import ServiceError
from local.runtime.jobs import log
from tests.definition_language.refused_training import REFUSED, REFUSED_PROFILER
from tests.local.runtime.jobs.conftest import BUCKET, Jobs, channel, training_request

pytestmark = pytest.mark.usefixtures("rows")


def _train(jobs: Jobs, **changes: object) -> dict[str, Any]:
    name = jobs.name("train")
    jobs.call("CreateTrainingJob", **training_request(name, **changes))
    return jobs.wait("training-job", name)


def test_a_job_trains_a_model_that_predicts(jobs: Jobs) -> None:
    description = _train(jobs)
    assert description["TrainingJobStatus"] == description["SecondaryStatus"] == "Completed"
    name = description["TrainingJobName"]
    artifact = description["ModelArtifacts"]["S3ModelArtifacts"]
    assert artifact == f"s3://{BUCKET}/models/{name}/output/model.tar.gz"
    with tarfile.open(fileobj=io.BytesIO(jobs.parts.objects.read(artifact))) as archive:
        assert archive.getnames() == ["model_algo-1"]
    model = Model.load(jobs.parts.objects.path(artifact))
    body, _ = model.invoke(b"0.5,0.5,0\n", "text/csv", "application/json")
    assert json.loads(body)["predictions"][0]["score"] == pytest.approx(10.5, abs=0.2)


def test_a_job_goes_through_sagemakers_statuses(jobs: Jobs) -> None:
    description = _train(jobs)
    transitions = description["SecondaryStatusTransitions"]
    statuses = [transition["Status"] for transition in transitions]
    assert statuses == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    for earlier, later in itertools.pairwise(transitions):
        assert earlier["EndTime"] == later["StartTime"]
    assert description["CreationTime"] <= description["TrainingStartTime"] <= description["TrainingEndTime"]
    assert description["BillableTimeInSeconds"] >= 1


def test_final_metrics_are_those_of_the_log(jobs: Jobs) -> None:
    description = _train(jobs)
    metrics = {each["MetricName"]: each["Value"] for each in description["FinalMetricDataList"]}
    lines = jobs.log_lines(log.TRAINING, description["TrainingJobName"])
    (line,) = [line for line in lines if "validation mse <loss>=" in line]
    assert metrics["validation:mse"] == pytest.approx(float(line.rpartition("=")[2]), rel=1e-6)
    assert metrics["validation:mse"] == pytest.approx(0.01, rel=0.5)
    names = [each["Name"] for each in description["AlgorithmSpecification"]["MetricDefinitions"]]
    assert set(metrics) <= set(names)
    assert "ObjectiveMetric" not in names


def test_a_manifest_gives_the_same_model_as_the_prefix_of_its_files(jobs: Jobs) -> None:
    entries = [{"prefix": f"s3://{BUCKET}/rows/"}, "train/part-0.csv", "train/part-1.csv"]
    manifest = jobs.put("train.manifest", json.dumps(entries))
    validation = channel("validation", f"s3://{BUCKET}/rows/validation/")
    by_manifest = _train(jobs, InputDataConfig=[channel("train", manifest, "ManifestFile"), validation])
    by_prefix = _train(jobs, InputDataConfig=[channel("train", f"s3://{BUCKET}/rows/train/"), validation])
    artifacts = [
        jobs.parts.objects.read(each["ModelArtifacts"]["S3ModelArtifacts"]) for each in (by_manifest, by_prefix)
    ]
    assert by_manifest["TrainingJobStatus"] == "Completed"
    assert artifacts[0] == artifacts[1]


def test_the_algorithms_own_words_become_the_failure_reason(jobs: Jobs) -> None:
    description = _train(jobs, HyperParameters={"predictor_type": "regressor", "learning_rate": "fast"})
    assert description["TrainingJobStatus"] == description["SecondaryStatus"] == "Failed"
    assert description["FailureReason"].startswith("ClientError: ")
    assert "learning_rate" in description["FailureReason"]
    assert "ModelArtifacts" not in description


def test_an_output_bucket_that_does_not_exist_fails_the_job_and_is_not_made(jobs: Jobs) -> None:
    description = _train(jobs, OutputDataConfig={"S3OutputPath": "s3://no-such-bucket/models"})
    assert description["TrainingJobStatus"] == "Failed"
    assert "no-such-bucket" in description["FailureReason"]
    assert not (jobs.service.settings.buckets / "no-such-bucket").exists()


def test_an_image_without_a_local_runtime_fails_the_job_and_names_what_is_supported(jobs: Jobs) -> None:
    image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
    description = _train(jobs, AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"})
    assert description["TrainingJobStatus"] == "Failed"
    assert image in description["FailureReason"]
    assert "linear-learner" in description["FailureReason"]


def test_a_job_stops_when_told_to_and_keeps_the_model_so_far(jobs: Jobs) -> None:
    name = jobs.name("stopped")
    endless = {"epochs": "10000000", "early_stopping_patience": "20000000", "mini_batch_size": "10"}
    request = training_request(name)
    request["HyperParameters"] |= endless
    jobs.call("CreateTrainingJob", **request)
    assert jobs.parts.store.wait_until(lambda: _training(jobs, name), 30)
    # Its log has lines once an epoch has been trained.
    while not any("epoch=0" in line for line in jobs.log_lines(log.TRAINING, name)):
        pass
    jobs.call("StopTrainingJob", TrainingJobName=name)
    description = jobs.wait("training-job", name, seconds=30)
    assert description["TrainingJobStatus"] == description["SecondaryStatus"] == "Stopped"
    assert jobs.parts.objects.exists(description["ModelArtifacts"]["S3ModelArtifacts"])
    with pytest.raises(ServiceError, match="rejected because the training job is in status Stopped"):
        jobs.call("StopTrainingJob", TrainingJobName=name)


@pytest.mark.slow
def test_a_job_is_stopped_when_its_time_is_up(jobs: Jobs) -> None:
    endless = {"epochs": "10000000", "early_stopping_patience": "20000000"}
    request = training_request("x")
    description = _train(
        jobs,
        HyperParameters=request["HyperParameters"] | endless,
        StoppingCondition={"MaxRuntimeInSeconds": 2},
    )
    assert description["TrainingJobStatus"] == "Stopped"
    assert description["SecondaryStatus"] == "MaxRuntimeExceeded"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"InputDataConfig": [channel("train", f"s3://{BUCKET}/nowhere/")]},
            f'No S3 objects found under S3 URL "s3://{BUCKET}/nowhere/" given in input data source',
        ),
        (
            {"InputDataConfig": [channel("train", f"s3://{BUCKET}/rows/train", "AugmentedManifestFile")]},
            "AugmentedManifestFile is not implemented",
        ),
        (
            {"InputDataConfig": [channel("train", f"s3://{BUCKET}/rows/train")] * 2},
            "channel train is given twice",
        ),
        (
            {
                "AlgorithmSpecification": training_request("x")["AlgorithmSpecification"]
                | {"MetricDefinitions": [{"Name": "mse", "Regex": "mse=(.*)"}]}
            },
            "You can't override the metric definitions",
        ),
        ({"ExperimentConfig": {"ExperimentName": "e"}}, "ExperimentConfig: not implemented"),
        (
            {"DebugRuleConfigurations": [{"RuleConfigurationName": "r", "RuleEvaluatorImage": "i"}]},
            "DebugRuleConfigurations: not implemented",
        ),
        *REFUSED,
        REFUSED_PROFILER,
    ],
)
def test_a_request_that_cannot_be_met_is_refused(jobs: Jobs, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ServiceError) as refused:
        _train(jobs, **changes)
    assert refused.value.code == "ValidationException"
    assert message in refused.value.message


def test_a_missing_bucket_for_checkpoints_fails_the_job(jobs: Jobs) -> None:
    description = _train(jobs, CheckpointConfig={"S3Uri": "s3://no-such-bucket/checkpoints"})
    assert description["TrainingJobStatus"] == "Failed"
    assert "the bucket of s3://no-such-bucket/checkpoints does not exist" in description["FailureReason"]


def test_a_name_can_be_used_once(jobs: Jobs) -> None:
    name = jobs.name("once")
    jobs.call("CreateTrainingJob", **training_request(name))
    with pytest.raises(ServiceError, match="ResourceInUse: Training job names must be unique"):
        jobs.call("CreateTrainingJob", **training_request(name))
    jobs.wait("training-job", name)
    jobs.call("DeleteTrainingJob", TrainingJobName=name)
    with pytest.raises(ServiceError, match="ValidationException: Requested resource not found"):
        jobs.call("DescribeTrainingJob", TrainingJobName=name)


def test_a_finished_job_leaves_no_folder_behind(jobs: Jobs) -> None:
    description = _train(jobs)
    assert not (Path(jobs.service.settings.jobs) / "training" / description["TrainingJobName"]).exists()


def _training(jobs: Jobs, name: str) -> bool:
    return jobs.parts.store.get("training-job", name)["SecondaryStatus"] == "Training"
