"""The built-in XGBoost over the service: training, tuning, batch transform and an endpoint."""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any

import numpy as np
import pytest
import xgboost

from local.core.errors import ServiceError
from local.runtime.jobs import log
from tests.local.runtime.jobs.conftest import BUCKET, ROLE, Jobs, channel, training_request, tuning_request

pytestmark = pytest.mark.usefixtures("rows")

XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0"
HYPERPARAMETERS = {"num_round": "10", "objective": "reg:squarederror", "max_depth": "3"}


def _request(name: str, **changes: Any) -> dict[str, Any]:
    specification = {"TrainingImage": changes.pop("image", XGBOOST), "TrainingInputMode": "File"}
    return training_request(name, AlgorithmSpecification=specification, HyperParameters=HYPERPARAMETERS) | changes


def _numbers(jobs: Jobs, part: str) -> np.ndarray:
    keys = jobs.keys(f"s3://{BUCKET}/rows/{part}/")
    return np.vstack([np.loadtxt(io.StringIO(jobs.read(f"s3://{BUCKET}/{key}")), delimiter=",") for key in keys])


def _reference(jobs: Jobs, **parameters: Any) -> xgboost.Booster:
    rows = _numbers(jobs, "train")
    data = xgboost.DMatrix(rows[:, 1:], label=rows[:, 0])
    given = {"objective": "reg:squarederror", "max_depth": 3} | parameters
    return xgboost.train(given, data, num_boost_round=10)


def _train(jobs: Jobs, **changes: Any) -> dict[str, Any]:
    name = jobs.name("xgboost")
    jobs.call("CreateTrainingJob", **_request(name, **changes))
    return jobs.wait("training-job", name)


@pytest.fixture(scope="module")
def trained(jobs: Jobs, rows: None) -> dict[str, Any]:
    return _train(jobs)


@pytest.fixture(scope="module")
def features(jobs: Jobs, rows: None) -> str:
    lines = jobs.read(f"s3://{BUCKET}/rows/validation/part-0.csv").splitlines()
    return "".join(line.partition(",")[2] + "\n" for line in lines)


def _scores(jobs: Jobs) -> list[float]:
    return _reference(jobs).predict(xgboost.DMatrix(_numbers(jobs, "validation")[:, 1:])).tolist()


def test_the_artifact_is_a_model_of_the_plain_library(jobs: Jobs, trained: dict[str, Any]) -> None:
    assert trained["TrainingJobStatus"] == "Completed", trained.get("FailureReason")
    artifact = jobs.parts.objects.read(trained["ModelArtifacts"]["S3ModelArtifacts"])
    with tarfile.open(fileobj=io.BytesIO(artifact)) as archive:
        assert archive.getnames() == ["xgboost-model"]
        content = archive.extractfile("xgboost-model").read()  # type: ignore[union-attr]
    model = xgboost.Booster()
    model.load_model(bytearray(content))
    assert model.predict(xgboost.DMatrix(_numbers(jobs, "validation")[:, 1:])).tolist() == _scores(jobs)


def test_final_metrics_are_the_last_rounds(jobs: Jobs, trained: dict[str, Any]) -> None:
    metrics = {each["MetricName"]: each["Value"] for each in trained["FinalMetricDataList"]}
    lines = [line for line in jobs.log_lines(log.TRAINING, trained["TrainingJobName"]) if line.startswith("[9]")]
    assert lines == [
        f"[9]#011train-rmse:{metrics['train:rmse']:.5f}#011validation-rmse:{metrics['validation:rmse']:.5f}"
    ]
    labels = _numbers(jobs, "validation")[:, 0]
    assert metrics["validation:rmse"] == pytest.approx(np.sqrt(np.mean((labels - _scores(jobs)) ** 2)), abs=1e-5)


@pytest.fixture(scope="module")
def model(jobs: Jobs, trained: dict[str, Any]) -> str:
    return _model(jobs, trained)


def _model(jobs: Jobs, trained: dict[str, Any], **changes: Any) -> str:
    name = jobs.name("model")
    url = trained["ModelArtifacts"]["S3ModelArtifacts"]
    jobs.call(
        "CreateModel",
        ModelName=name,
        ExecutionRoleArn=ROLE,
        PrimaryContainer={"Image": XGBOOST, "ModelDataUrl": url} | changes,
    )
    return name


def _transform(jobs: Jobs, model: str, features: str, accept: str = "text/csv") -> dict[str, Any]:
    name = jobs.name("transform")
    source = jobs.put(f"transform/{name}/rows.csv", features)
    jobs.call(
        "CreateTransformJob",
        TransformJobName=name,
        ModelName=model,
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": source}},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        TransformOutput={"S3OutputPath": f"s3://{BUCKET}/out/{name}", "Accept": accept, "AssembleWith": "Line"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    return jobs.wait("transform-job", name)


def test_batch_transform_writes_one_score_a_line(jobs: Jobs, model: str, features: str) -> None:
    job = _transform(jobs, model, features)
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    written = jobs.read(f"s3://{BUCKET}/out/{job['TransformJobName']}/rows.csv.out")
    assert written == "".join(f"{score}\n" for score in _scores(jobs))


def test_an_endpoint_answers_in_csv_and_json(jobs: Jobs, model: str, features: str) -> None:
    name = jobs.serve(model)
    runtime = jobs.service.client("sagemaker-runtime")
    answer = runtime.invoke_endpoint(EndpointName=name, Body=features, ContentType="text/csv")
    assert answer["ContentType"] == "text/csv"
    assert answer["Body"].read().decode() == "".join(f"{score}\n" for score in _scores(jobs))
    answer = runtime.invoke_endpoint(
        EndpointName=name, Body=features, ContentType="text/csv", Accept="application/json"
    )
    assert json.loads(answer["Body"].read()) == {"predictions": [{"score": score} for score in _scores(jobs)]}
    assert runtime.invoke_endpoint(EndpointName=name, Body=b"", ContentType="text/csv")["Body"].read() == b""
    with pytest.raises(runtime.exceptions.ModelError, match="Feature size of csv inference data 2") as caught:
        runtime.invoke_endpoint(EndpointName=name, Body="1,2", ContentType="text/csv")
    assert caught.value.response["OriginalStatusCode"] == 400
    jobs.call("DeleteEndpoint", EndpointName=name)


def _tuning_request(name: str, **config: Any) -> dict[str, Any]:
    ranges = {
        "CategoricalParameterRanges": [
            {"Name": "eta", "Values": ["0.1", "0.5"]},
            {"Name": "max_depth", "Values": ["2", "4"]},
        ]
    }
    static = {"num_round": "10", "objective": "reg:squarederror"}
    return tuning_request(name, _request("unused"), static, ranges, **config)


def test_a_grid_finds_the_best_of_its_points(jobs: Jobs) -> None:
    name = jobs.name("tune")
    jobs.call("CreateHyperParameterTuningJob", **_tuning_request(name))
    described = jobs.wait("hyper-parameter-tuning-job", name)
    assert described["HyperParameterTuningJobStatus"] == "Completed", described.get("FailureReason")
    answer = jobs.call("ListTrainingJobsForHyperParameterTuningJob", HyperParameterTuningJobName=name)
    rows = _numbers(jobs, "validation")
    for job in answer["TrainingJobSummaries"]:
        tuned = job["TunedHyperParameters"]
        booster = _reference(jobs, eta=float(tuned["eta"]), max_depth=int(tuned["max_depth"]))
        expected = np.mean((rows[:, 0] - booster.predict(xgboost.DMatrix(rows[:, 1:]))) ** 2)
        assert job["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == pytest.approx(expected, abs=1e-5)
    best = described["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
    values = [job["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for job in answer["TrainingJobSummaries"]]
    assert (len(values), best) == (4, min(values))


@pytest.mark.slow
def test_early_stopping_of_training_jobs_watches_every_round(jobs: Jobs) -> None:
    name = jobs.name("tune")
    ranges = {"CategoricalParameterRanges": [{"Name": "max_depth", "Values": ["6", "5", "4", "0"]}]}
    limits = {"MaxParallelTrainingJobs": 1}
    request = _tuning_request(
        name, TrainingJobEarlyStoppingType="Auto", ParameterRanges=ranges, ResourceLimits=limits, RandomSeed=1
    )
    request["TrainingJobDefinition"]["StaticHyperParameters"]["eta"] = "0.3"
    jobs.call("CreateHyperParameterTuningJob", **request)
    described = jobs.wait("hyper-parameter-tuning-job", name, 120)
    assert described["HyperParameterTuningJobStatus"] == "Completed", described.get("FailureReason")
    counters = described["TrainingJobStatusCounters"]
    assert counters["Completed"] + counters["Stopped"] == 4
    assert counters["Completed"] >= 1


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (
            {"HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "train:rmse"}},
            "train:rmse is not an objective metric of XGBoost",
        ),
        (
            {"ParameterRanges": {"CategoricalParameterRanges": [{"Name": "seed", "Values": ["1", "2"]}]}},
            "The hyperparameter seed of XGBoost cannot be tuned",
        ),
        (
            {"ParameterRanges": {"CategoricalParameterRanges": [{"Name": "eta", "Values": ["0.05", "0.2"]}]}},
            "eta: 0.05 is outside the range that can be tuned, 0.1 to 0.5",
        ),
    ],
)
def test_tuning_is_checked_against_what_is_published(jobs: Jobs, config: dict[str, Any], reason: str) -> None:
    with pytest.raises(ServiceError, match=reason):
        jobs.call("CreateHyperParameterTuningJob", **_tuning_request(jobs.name("tune"), **config))


def test_another_version_of_the_image_is_refused_with_the_reason(jobs: Jobs) -> None:
    job = _train(jobs, image=XGBOOST.replace("3.2-0", "1.7-1"))
    assert job["TrainingJobStatus"] == "Failed"
    assert "of sagemaker-xgboost, only version 3.2-0 is supported" in job["FailureReason"]


def test_training_on_several_instances_is_refused(jobs: Jobs) -> None:
    resources = {"InstanceCount": 2, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 30}
    with pytest.raises(ServiceError, match="distributed training of XGBoost is not implemented"):
        jobs.call("CreateTrainingJob", **_request(jobs.name(), ResourceConfig=resources))


def test_metric_definitions_of_ones_own_are_refused(jobs: Jobs) -> None:
    specification = {
        "TrainingImage": XGBOOST,
        "TrainingInputMode": "File",
        "MetricDefinitions": [{"Name": "a", "Regex": "(.*)"}],
    }
    with pytest.raises(ServiceError, match="You can't override the metric definitions"):
        jobs.call("CreateTrainingJob", **_request(jobs.name(), AlgorithmSpecification=specification))


@pytest.mark.slow
def test_a_refused_channel_is_the_jobs_failure(jobs: Jobs) -> None:
    job = _train(jobs, InputDataConfig=[channel("train", f"s3://{BUCKET}/rows/train", ContentType="text/plain")])
    assert job["TrainingJobStatus"] == "Failed"
    assert "Channel configuration for 'train' channel is not supported" in job["FailureReason"]


def test_a_variable_that_changes_answers_is_refused_by_name(jobs: Jobs, trained: dict[str, Any], features: str) -> None:
    model = _model(jobs, trained, Environment={"SAGEMAKER_INFERENCE_OUTPUT": "probability"})
    job = _transform(jobs, model, features)
    assert job["TransformJobStatus"] == "Failed"
    reason = "its environment variable SAGEMAKER_INFERENCE_OUTPUT is not implemented by the local service"
    assert reason in job["FailureReason"]
