"""linear-learner's classifiers over the service: a tuning job, batch transform and an endpoint."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from tests.local.runtime.jobs.conftest import BUCKET, LINEAR_LEARNER, ROLE, Jobs, channel, training_request

pytestmark = pytest.mark.slow

BINARY = {"predictor_type": "binary_classifier", "mini_batch_size": "50"}
MULTICLASS = {"predictor_type": "multiclass_classifier", "num_classes": "3", "mini_batch_size": "50", "num_models": "1"}


@pytest.fixture(scope="module")
def channels(jobs: Jobs) -> dict[str, list[dict[str, Any]]]:
    """Channels of a binary and of a multiclass job. The features are the same."""
    generator = random.Random(11)
    lines: dict[str, list[str]] = {"binary": [], "multiclass": []}
    for _ in range(600):
        features = [generator.uniform(-1, 1) for _ in range(3)]
        noisy = 3 * features[0] - 2 * features[1] + generator.gauss(0, 0.5)
        text = ",".join(f"{value:.6f}" for value in features)
        lines["binary"].append(f"{int(noisy > 0.8)},{text}")
        lines["multiclass"].append(f"{int(noisy > -1) + int(noisy > 1)},{text}")
    made: dict[str, list[dict[str, Any]]] = {}
    for kind, rows in lines.items():
        for part, content in {"train": rows[:400], "validation": rows[400:]}.items():
            jobs.put(f"{kind}/{part}/rows.csv", "\n".join(content) + "\n")
        made[kind] = [channel(part, f"s3://{BUCKET}/{kind}/{part}") for part in ("train", "validation")]
    return made


def _metrics(described: dict[str, Any]) -> dict[str, float]:
    return {each["MetricName"]: each["Value"] for each in described["FinalMetricDataList"]}


def _validation(jobs: Jobs, kind: str) -> tuple[list[int], str]:
    """The labels of the validation rows, and their features as CSV."""
    pairs = [line.split(",", 1) for line in jobs.read(f"s3://{BUCKET}/{kind}/validation/rows.csv").splitlines()]
    return [int(label) for label, _ in pairs], "".join(f"{features}\n" for _, features in pairs)


def _model(jobs: Jobs, trained: dict[str, Any]) -> str:
    name = jobs.name("model")
    container = {"Image": LINEAR_LEARNER, "ModelDataUrl": trained["ModelArtifacts"]["S3ModelArtifacts"]}
    jobs.call("CreateModel", ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)
    return name


def test_a_tuning_job_maximises_and_its_best_model_predicts_with_the_accuracy_that_it_reports(
    jobs: Jobs, channels: dict[str, list[dict[str, Any]]]
) -> None:
    name = jobs.name("tune")
    training = training_request("unused", InputDataConfig=channels["binary"])
    members = ("AlgorithmSpecification", "RoleArn", "InputDataConfig", "OutputDataConfig", "StoppingCondition")
    jobs.call(
        "CreateHyperParameterTuningJob",
        HyperParameterTuningJobName=name,
        HyperParameterTuningJobConfig={
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:recall"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 6, "MaxParallelTrainingJobs": 6},
            "ParameterRanges": {
                "ContinuousParameterRanges": [
                    {"Name": "positive_example_weight_mult", "MinValue": "0.01", "MaxValue": "100"},
                    {"Name": "learning_rate", "MinValue": "0.001", "MaxValue": "0.1"},
                ]
            },
        },
        TrainingJobDefinition={member: training[member] for member in members}
        | {
            "StaticHyperParameters": BINARY
            | {"binary_classifier_model_selection_criteria": "recall_at_target_precision", "target_precision": "0.9"},
            "ResourceConfig": training["ResourceConfig"],
        },
    )
    tuned = jobs.wait("hyper-parameter-tuning-job", name)
    assert tuned["HyperParameterTuningJobStatus"] == "Completed", tuned.get("FailureReason")
    answer = jobs.call("ListTrainingJobsForHyperParameterTuningJob", HyperParameterTuningJobName=name)
    values = [job["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for job in answer["TrainingJobSummaries"]]
    best = tuned["BestTrainingJob"]
    assert len(values) == 6
    assert best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == max(values)
    described = jobs.call("DescribeTrainingJob", TrainingJobName=best["TrainingJobName"])
    assert _metrics(described)["validation:precision"] >= 0.9

    labels, features = _validation(jobs, "binary")
    predictions = _invoke(jobs, _model(jobs, described), features)
    assert all(0 <= each["score"] <= 1 for each in predictions)
    hits = sum(each["predicted_label"] for each, label in zip(predictions, labels, strict=True) if label == 1)
    assert hits / sum(labels) == pytest.approx(max(values))


def _invoke(jobs: Jobs, model: str, features: str) -> list[dict[str, Any]]:
    name = jobs.serve(model)
    runtime = jobs.service.client("sagemaker-runtime")
    answer = runtime.invoke_endpoint(EndpointName=name, Body=features, ContentType="text/csv")
    jobs.call("DeleteEndpoint", EndpointName=name)
    predictions: list[dict[str, Any]] = json.loads(answer["Body"].read())["predictions"]
    return predictions


def test_batch_transform_writes_the_scores_and_the_label_of_every_row(
    jobs: Jobs, channels: dict[str, list[dict[str, Any]]]
) -> None:
    name = jobs.name("train")
    jobs.call(
        "CreateTrainingJob",
        **training_request(name, HyperParameters=MULTICLASS, InputDataConfig=channels["multiclass"]),
    )
    trained = jobs.wait("training-job", name)
    assert trained["TrainingJobStatus"] == "Completed", trained.get("FailureReason")
    labels, features = _validation(jobs, "multiclass")
    transform = jobs.name("transform")
    source = {"S3DataType": "S3Prefix", "S3Uri": jobs.put(f"transform/{transform}/rows.csv", features)}
    jobs.call(
        "CreateTransformJob",
        TransformJobName=transform,
        ModelName=_model(jobs, trained),
        TransformInput={"DataSource": {"S3DataSource": source}, "ContentType": "text/csv", "SplitType": "Line"},
        TransformOutput={
            "S3OutputPath": f"s3://{BUCKET}/out/{transform}",
            "Accept": "application/jsonlines",
            "AssembleWith": "Line",
        },
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    job = jobs.wait("transform-job", transform)
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    lines = jobs.read(f"s3://{BUCKET}/out/{transform}/rows.csv.out").splitlines()
    answers = [json.loads(line) for line in lines]
    assert all(len(answer["score"]) == 3 for answer in answers)
    assert all(answer["score"][answer["predicted_label"]] == max(answer["score"]) for answer in answers)
    right = [answer["predicted_label"] == label for answer, label in zip(answers, labels, strict=True)]
    accuracy = _metrics(trained)["validation:multiclass_accuracy"]
    assert sum(right) / len(labels) == pytest.approx(accuracy)
    assert accuracy > 0.8


def test_an_objective_of_another_predictor_type_fails_the_training_jobs(
    jobs: Jobs, channels: dict[str, list[dict[str, Any]]]
) -> None:
    name = jobs.name("train")
    wrong = BINARY | {"_tuning_objective_metric": "validation:mse"}
    jobs.call("CreateTrainingJob", **training_request(name, HyperParameters=wrong, InputDataConfig=channels["binary"]))
    trained = jobs.wait("training-job", name)
    assert trained["FailureReason"] == (
        "ClientError: the objective metric validation:mse is not valid for predictor_type 'binary_classifier'"
    )
