"""Tuning jobs over linear-learner."""

from __future__ import annotations

import re
from typing import Any

import pytest

from local.core.errors import ServiceError
from local.runtime.jobs import log
from tests.definition_language.refused_training import REFUSED
from tests.local.runtime.jobs.conftest import BUCKET, Jobs, channel, training_request, tuning_request

pytestmark = pytest.mark.usefixtures("rows")

GRID = {
    "CategoricalParameterRanges": [
        {"Name": "learning_rate", "Values": ["0.0001", "0.01", "0.1"]},
        {"Name": "l1", "Values": ["0.001", "0.1"]},
    ]
}
WIDE = [
    {"Name": "learning_rate", "MinValue": "0.0001", "MaxValue": "0.5", "ScalingType": "Logarithmic"},
    {"Name": "wd", "MinValue": "1e-7", "MaxValue": "1", "ScalingType": "Auto"},
]
CONTINUOUS = {
    "ContinuousParameterRanges": WIDE,
    "IntegerParameterRanges": [{"Name": "mini_batch_size", "MinValue": "100", "MaxValue": "300"}],
}


def _request(name: str, definition: dict[str, Any] | None = None, **config: Any) -> dict[str, Any]:
    static = {"predictor_type": "regressor", "mini_batch_size": "100"}
    request = tuning_request(name, training_request("unused"), static, GRID, **config)
    request["TrainingJobDefinition"] |= definition or {}
    return request


def _without_batch_size() -> dict[str, Any]:
    return {"StaticHyperParameters": {"predictor_type": "regressor"}}


def _tune(jobs: Jobs, definition: dict[str, Any] | None = None, **config: Any) -> dict[str, Any]:
    name = jobs.name("tune")
    jobs.call("CreateHyperParameterTuningJob", **_request(name, definition, **config))
    return jobs.wait("hyper-parameter-tuning-job", name)


def _children(jobs: Jobs, name: object, **request: object) -> list[dict[str, Any]]:
    answer = jobs.call("ListTrainingJobsForHyperParameterTuningJob", HyperParameterTuningJobName=name, **request)
    return answer["TrainingJobSummaries"]


def test_a_grid_trains_every_combination_once(jobs: Jobs) -> None:
    description = _tune(jobs)
    assert description["HyperParameterTuningJobStatus"] == "Completed"
    assert description["TrainingJobStatusCounters"] == {
        "Completed": 6,
        "InProgress": 0,
        "RetryableError": 0,
        "NonRetryableError": 0,
        "Stopped": 0,
    }
    assert description["ObjectiveStatusCounters"] == {"Succeeded": 6, "Pending": 0, "Failed": 0}
    points = [
        (child["TunedHyperParameters"]["learning_rate"], child["TunedHyperParameters"]["l1"])
        for child in _children(jobs, description["HyperParameterTuningJobName"])
    ]
    assert sorted(points) == sorted((rate, l1) for rate in ("0.0001", "0.01", "0.1") for l1 in ("0.001", "0.1"))


def test_the_best_training_job_has_the_least_objective_and_a_model(jobs: Jobs) -> None:
    description = _tune(jobs)
    children = _children(jobs, description["HyperParameterTuningJobName"], SortBy="FinalObjectiveMetricValue")
    values = [child["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for child in children]
    assert values == sorted(values)
    assert len(set(values)) > 1
    best = description["BestTrainingJob"]
    assert best["FinalHyperParameterTuningJobObjectiveMetric"] == {
        "MetricName": "validation:mse",
        "Value": values[0],
    }
    training = jobs.call("DescribeTrainingJob", TrainingJobName=best["TrainingJobName"])
    assert jobs.parts.objects.exists(training["ModelArtifacts"]["S3ModelArtifacts"])
    metrics = {each["MetricName"]: each["Value"] for each in training["FinalMetricDataList"]}
    assert metrics["ObjectiveMetric"] == metrics["validation:mse"] == values[0]


def test_a_maximised_objective_takes_the_greatest(jobs: Jobs) -> None:
    objective = {"Type": "Maximize", "MetricName": "validation:mse"}
    description = _tune(jobs, HyperParameterTuningJobObjective=objective)
    values = [
        child["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
        for child in _children(jobs, description["HyperParameterTuningJobName"])
    ]
    best = description["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
    assert best == max(values)


def test_training_jobs_are_named_after_their_tuning_job_and_known_by_themselves(jobs: Jobs) -> None:
    description = _tune(jobs)
    name = description["HyperParameterTuningJobName"]
    children = _children(jobs, name)
    assert all(
        re.fullmatch(rf"{name}-00{number}-[0-9a-f]{{8}}", child["TrainingJobName"])
        for number, child in enumerate(children, start=1)
    )
    training = jobs.call("DescribeTrainingJob", TrainingJobName=children[0]["TrainingJobName"])
    assert training["TuningJobArn"] == description["HyperParameterTuningJobArn"]
    assert training["HyperParameters"] == {
        "predictor_type": "regressor",
        "mini_batch_size": "100",
        "_tuning_objective_metric": "validation:mse",
        "learning_rate": "0.0001",
        "l1": "0.001",
    }
    listed = jobs.call("ListTrainingJobs", NameContains=f"{name}-")["TrainingJobSummaries"]
    assert {entry["TrainingJobName"] for entry in listed} == {child["TrainingJobName"] for child in children}
    assert any("quality_metric" in line for line in jobs.log_lines(log.TRAINING, children[0]["TrainingJobName"]))


def test_no_more_training_jobs_run_side_by_side_than_allowed(jobs: Jobs) -> None:
    description = _tune(jobs, ResourceLimits={"MaxParallelTrainingJobs": 2, "MaxNumberOfTrainingJobs": 6})
    children = _children(jobs, description["HyperParameterTuningJobName"])
    for child in children:
        running = [
            other
            for other in children
            if other["TrainingStartTime"] <= child["TrainingStartTime"] < other["TrainingEndTime"]
        ]
        assert len(running) <= 2
    assert len(children) == 6


@pytest.mark.parametrize("strategy", ["Random", "Bayesian"])
def test_a_search_stays_in_its_ranges_and_is_reproducible_by_its_seed(jobs: Jobs, strategy: str) -> None:
    config = {
        "Strategy": strategy,
        "ResourceLimits": {"MaxParallelTrainingJobs": 3, "MaxNumberOfTrainingJobs": 6},
        "ParameterRanges": CONTINUOUS,
        "RandomSeed": 3,
    }
    searches = []
    for _ in range(2):
        description = _tune(jobs, _without_batch_size(), **config)
        assert description["HyperParameterTuningJobStatus"] == "Completed"
        children = _children(jobs, description["HyperParameterTuningJobName"])
        searches.append([child["TunedHyperParameters"] for child in children])
    assert searches[0] == searches[1]
    assert len({tuple(point.values()) for point in searches[0]}) == 6
    for point in searches[0]:
        assert 0.0001 <= float(point["learning_rate"]) <= 0.5
        assert 1e-7 <= float(point["wd"]) <= 1
        assert 100 <= int(point["mini_batch_size"]) <= 300


def test_a_search_ends_when_its_target_is_reached(jobs: Jobs) -> None:
    description = _tune(
        jobs,
        ResourceLimits={"MaxParallelTrainingJobs": 1},
        TuningJobCompletionCriteria={"TargetObjectiveMetricValue": 1000.0},
    )
    assert description["HyperParameterTuningJobStatus"] == "Completed"
    assert description["TrainingJobStatusCounters"]["Completed"] == 1


def test_failed_training_jobs_are_counted_and_do_not_stop_the_others(jobs: Jobs) -> None:
    # Only 700 rows are there: a larger mini-batch has nothing to train on.
    batches = {"CategoricalParameterRanges": [{"Name": "mini_batch_size", "Values": ["100", "5000"]}]}
    description = _tune(jobs, _without_batch_size(), ParameterRanges=batches)
    counters = description["TrainingJobStatusCounters"]
    assert description["HyperParameterTuningJobStatus"] == "Completed"
    assert counters["Completed"] + counters["NonRetryableError"] == 2


def test_a_tuning_job_without_any_success_fails_with_a_reason(jobs: Jobs) -> None:
    description = _tune(jobs, {"StaticHyperParameters": {"predictor_type": "regressor", "epochs": "none"}})
    assert description["HyperParameterTuningJobStatus"] == "Failed"
    assert description["FailureReason"].startswith("No training job succeeded after 6 attempts.")
    assert "epochs" in description["FailureReason"]
    assert "BestTrainingJob" not in description


def test_a_grid_without_any_success_fails_before_five_attempts(jobs: Jobs) -> None:
    batches = {"CategoricalParameterRanges": [{"Name": "mini_batch_size", "Values": ["4000", "5000"]}]}
    description = _tune(
        jobs,
        _without_batch_size(),
        Strategy="Grid",
        ParameterRanges=batches,
        ResourceLimits={"MaxParallelTrainingJobs": 2},
    )
    assert description["HyperParameterTuningJobStatus"] == "Failed"
    assert description["FailureReason"].startswith("No training job succeeded after 2 attempts.")


def test_a_tuning_job_stops_with_its_training_jobs(jobs: Jobs) -> None:
    name = jobs.name("stop")
    endless = {
        "predictor_type": "regressor",
        "epochs": "10000000",
        "early_stopping_patience": "20000000",
        "mini_batch_size": "10",
    }
    jobs.call("CreateHyperParameterTuningJob", **_request(name, {"StaticHyperParameters": endless}))

    def training() -> bool:
        children = jobs.parts.store.list("training-job", name)
        return bool(children) and all(child["SecondaryStatus"] == "Training" for child in children)

    assert jobs.parts.store.wait_until(training, 30)
    jobs.call("StopHyperParameterTuningJob", HyperParameterTuningJobName=name)
    description = jobs.wait("hyper-parameter-tuning-job", name, seconds=30)
    assert description["HyperParameterTuningJobStatus"] == "Stopped"
    assert description["TrainingJobStatusCounters"]["Stopped"] == 4


@pytest.mark.slow
def test_early_stopping_stops_training_jobs_that_are_worse_than_the_median(jobs: Jobs) -> None:
    rates = {"CategoricalParameterRanges": [{"Name": "learning_rate", "Values": ["0.1", "0.00001"]}]}
    slow = {
        "predictor_type": "regressor",
        "epochs": "2000",
        "early_stopping_patience": "20000000",
        "mini_batch_size": "10",
    }
    description = _tune(
        jobs,
        {"StaticHyperParameters": slow},
        HyperParameterTuningJobObjective={"Type": "Minimize", "MetricName": "validation:objective_loss"},
        ResourceLimits={"MaxParallelTrainingJobs": 1},
        ParameterRanges=rates,
        TrainingJobEarlyStoppingType="Auto",
    )
    children = _children(jobs, description["HyperParameterTuningJobName"])
    assert description["HyperParameterTuningJobStatus"] == "Completed"
    assert [child["TrainingJobStatus"] for child in children] == ["Completed", "Stopped"]


def test_both_forms_of_resources_are_described_by_the_training_jobs(jobs: Jobs) -> None:
    name = jobs.name("resources")
    request = _request(name)
    definition = request["TrainingJobDefinition"]
    definition["HyperParameterTuningResourceConfig"] = definition.pop("ResourceConfig")
    jobs.call("CreateHyperParameterTuningJob", **request)
    jobs.wait("hyper-parameter-tuning-job", name)
    child = _children(jobs, name)[0]
    training = jobs.call("DescribeTrainingJob", TrainingJobName=child["TrainingJobName"])
    assert training["ResourceConfig"]["InstanceType"] == "ml.m5.large"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"Strategy": "Hyperband"}, "Hyperband is not implemented"),
        ({"ParameterRanges": {"ContinuousParameterRanges": WIDE}}, "Grid takes categorical ranges only"),
        (
            {"ResourceLimits": {"MaxParallelTrainingJobs": 1, "MaxNumberOfTrainingJobs": 5}},
            "5 is not the number of combinations of the grid, 6",
        ),
        (
            {
                "Strategy": "Random",
                "ResourceLimits": {"MaxParallelTrainingJobs": 1, "MaxNumberOfTrainingJobs": 7},
            },
            "You don't have enough combinations of hyperparameter ranges",
        ),
        (
            {"HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:r2"}},
            "validation:r2 is not an objective metric",
        ),
        (
            {"ParameterRanges": {"CategoricalParameterRanges": [{"Name": "epochs", "Values": ["1", "2"]}]}},
            "epochs of linear-learner cannot be tuned",
        ),
        (
            {"ParameterRanges": {"CategoricalParameterRanges": [{"Name": "l1", "Values": ["0.1", "7"]}]}},
            "l1: 7 is outside the range",
        ),
        (
            {"ParameterRanges": {"CategoricalParameterRanges": [{"Name": "predictor_type", "Values": ["a", "b"]}]}},
            "both StaticHyperParameters and ParameterRanges",
        ),
        ({"ParameterRanges": {}}, "at least one hyperparameter range"),
    ],
)
def test_a_search_that_cannot_be_made_is_refused(jobs: Jobs, config: dict[str, Any], message: str) -> None:
    with pytest.raises(ServiceError) as refused:
        _tune(jobs, **config)
    assert refused.value.code == "ValidationException"
    assert message in refused.value.message


def test_missing_data_is_refused_before_anything_trains(jobs: Jobs) -> None:
    nowhere = {"InputDataConfig": [channel("train", f"s3://{BUCKET}/nowhere/")]}
    with pytest.raises(ServiceError, match="No S3 objects found under S3 URL"):
        _tune(jobs, nowhere)


@pytest.mark.parametrize(("changes", "message"), REFUSED)
def test_what_a_training_job_cannot_be_a_tuned_one_cannot_be_either(
    jobs: Jobs, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ServiceError, match="ValidationException") as refused:
        _tune(jobs, changes)
    assert message in refused.value.message


def test_an_unknown_tuning_job_is_a_resource_not_found(jobs: Jobs) -> None:
    with pytest.raises(ServiceError, match="ResourceNotFound: Amazon SageMaker can't find a tuning job called"):
        jobs.call("DescribeHyperParameterTuningJob", HyperParameterTuningJobName="no-such")
