"""The selection against recorded answers of SageMaker; the end-to-end test runs it against the local service."""

from __future__ import annotations

import datetime
import io
import json
import re
import tarfile
import zipfile
from typing import Any

import boto3
import pytest
import select_best
from botocore.response import StreamingBody
from botocore.stub import Stubber

ARN = "arn:aws:sagemaker:us-east-1:123456789012"
NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
FOLDS = {"rows": 1338, "rejected": {"total": 2}, "data_version": "7"}


def training(name: str, value: float | None, **hyperparameters: str) -> dict[str, Any]:
    summary: dict[str, Any] = {
        "TrainingJobName": name,
        "TrainingJobArn": f"{ARN}:training-job/{name}",
        "CreationTime": NOW,
        "TrainingJobStatus": "Completed",
        "TunedHyperParameters": hyperparameters,
    }
    if value is not None:
        summary["FinalHyperParameterTuningJobObjectiveMetric"] = {"MetricName": "validation:mse", "Value": value}
    return summary


class Account:
    """SageMaker and S3 clients that answer from a list of tuning jobs."""

    def __init__(
        self, monkeypatch, tunings: dict[str, list[dict[str, Any]]], objective: str = "validation:mse"
    ) -> None:
        session = boto3.Session(region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        sagemaker, s3 = session.client("sagemaker"), session.client("s3")
        clients = {"sagemaker": sagemaker, "s3": s3}
        self.sagemaker, self.s3 = Stubber(sagemaker), Stubber(s3)
        monkeypatch.setenv("AWS_REGION", "us-east-1")
        monkeypatch.setattr(boto3, "client", lambda name, region_name: clients[name])
        for tuning, jobs in tunings.items():
            self._add_tuning(tuning, jobs, objective)
        self.sagemaker.activate()
        self.s3.activate()

    def _add_tuning(self, tuning: str, jobs: list[dict[str, Any]], objective: str) -> None:
        self.sagemaker.add_response(
            "describe_hyper_parameter_tuning_job",
            {
                "HyperParameterTuningJobName": tuning,
                "HyperParameterTuningJobArn": f"{ARN}:hyper-parameter-tuning-job/{tuning}",
                "HyperParameterTuningJobConfig": {
                    "Strategy": "Grid",
                    "ResourceLimits": {"MaxParallelTrainingJobs": 1},
                    "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": objective},
                },
                "HyperParameterTuningJobStatus": "Completed",
                "CreationTime": NOW,
                "TrainingJobStatusCounters": {},
                "ObjectiveStatusCounters": {},
            },
            {"HyperParameterTuningJobName": tuning},
        )
        pages = [jobs[:2], jobs[2:]] if len(jobs) > 2 else [jobs]
        for number, page in enumerate(pages):
            expected = {"HyperParameterTuningJobName": tuning, "StatusEquals": "Completed"}
            if number:
                expected["NextToken"] = str(number)
            response: dict[str, Any] = {"TrainingJobSummaries": page}
            if number < len(pages) - 1:
                response["NextToken"] = str(number + 1)
            self.sagemaker.add_response("list_training_jobs_for_hyper_parameter_tuning_job", response, expected)

    def will_describe(self, name: str, artifact: bytes) -> None:
        self.sagemaker.add_response(
            "describe_training_job",
            {
                "TrainingJobName": name,
                "TrainingJobArn": f"{ARN}:training-job/{name}",
                "ModelArtifacts": {"S3ModelArtifacts": f"s3://bucket/models/{name}/output/model.tar.gz"},
                "TrainingJobStatus": "Completed",
                "SecondaryStatus": "Completed",
                "AlgorithmSpecification": {"TrainingInputMode": "File"},
                "ResourceConfig": {"VolumeSizeInGB": 1},
                "StoppingCondition": {},
                "CreationTime": NOW,
                "FinalMetricDataList": [{"MetricName": "validation:absolute_loss", "Value": 3.5, "Timestamp": NOW}],
            },
            {"TrainingJobName": name},
        )
        key = {"Bucket": "bucket", "Key": f"models/{name}/output/model.tar.gz"}
        self.s3.add_response("head_object", {"ContentLength": len(artifact), "ETag": '"x"'}, key)
        body = StreamingBody(io.BytesIO(artifact), len(artifact))
        self.s3.add_response("get_object", {"Body": body, "ContentLength": len(artifact)}, key)


@pytest.fixture
def run(tmp_path):
    (tmp_path / "folds.json").write_text(json.dumps(FOLDS))

    def select(*tunings: str) -> dict[str, Any]:
        arguments = ["--objective", "validation:mse", "--folds", str(tmp_path / "folds.json")]
        for tuning in tunings:
            arguments += ["--tuning-job", tuning]
        select_best.main([*arguments, "--best", str(tmp_path / "best"), "--evaluation", str(tmp_path / "evaluation")])
        files = [*(tmp_path / "best").iterdir(), *(tmp_path / "evaluation").iterdir()]
        return {
            path.name: path.read_bytes() if path.suffix == ".gz" else json.loads(path.read_text()) for path in files
        }

    return select


def test_the_lowest_error_of_all_folds_wins_and_its_artifact_is_copied(monkeypatch, run) -> None:
    account = Account(
        monkeypatch,
        {
            "one": [training("a", 40.0, l1="0.1"), training("b", 39.0, l1="0.01"), training("c", 41.0, l1="1")],
            "two": [training("d", 38.5, l1="0.1"), training("e", 38.0, l1="0.01", learning_rate="0.1")],
        },
    )
    account.will_describe("e", b"the artifact")
    files = run("one", "two")
    assert files["model.tar.gz"] == b"the artifact"
    best = files["best.json"]
    digest = best["metadata"].pop("artifact_sha256")
    assert re.fullmatch("[0-9a-f]{64}", digest)
    assert (best["training_job_name"], best["tuning_job_name"], best["fold"], best["mse"]) == ("e", "two", 2, 38.0)
    assert best["metadata"] == {
        "training_job": "e",
        "tuning_job": "two",
        "fold": "2",
        "mse": "38.0",
        "hyperparameters": "l1=0.01 learning_rate=0.1",
        "rows": "1338",
        "rejected_rows": "2",
        "data_version": "7",
    }
    assert len(files["training_jobs.json"]) == 5
    quality = files["model_quality.json"]["regression_metrics"]
    assert quality["mse"]["value"] == 38.0
    assert quality["mse"]["standard_deviation"] == pytest.approx(0.7071, abs=1e-4)
    assert quality["mae"]["value"] == 3.5


@pytest.mark.parametrize(
    ("text", "recorded"),
    [("a,b (c)", "a_b _c_"), ("", "none"), ("é 1.5e-05/x=+@y:z_", "é 1.5e-05/x=+@y:z_"), ("x" * 300, "x" * 256)],
)
def test_what_the_registry_would_refuse_is_recorded_in_characters_that_it_takes(
    monkeypatch, run, text, recorded
) -> None:
    account = Account(monkeypatch, {"one": [training("a", 1.0, l1=text)]})
    account.will_describe("a", b"x")
    best = run("one")["best.json"]
    assert best["hyperparameters"] == {"l1": text}
    assert best["metadata"]["hyperparameters"] == select_best.recordable(f"l1={text}")
    assert select_best.recordable(text) == recorded


def test_jobs_without_a_finite_error_are_passed_over(monkeypatch, run) -> None:
    account = Account(
        monkeypatch, {"one": [training("a", None), training("b", float("nan")), training("c", 7.0, l1="1")]}
    )
    account.will_describe("c", b"x")
    assert run("one")["best.json"]["training_job_name"] == "c"


def test_equal_errors_are_won_by_the_first_fold() -> None:
    jobs = [{"mse": 1.0, "fold": 2, "training_job_name": "a"}, {"mse": 1.0, "fold": 1, "training_job_name": "b"}]
    assert select_best.best_of(jobs)["fold"] == 1


def test_no_completed_job_is_an_error(monkeypatch, run) -> None:
    Account(monkeypatch, {"one": []})
    with pytest.raises(select_best.SelectionError, match="no training job of any fold"):
        run("one")


def test_a_tuning_job_of_another_objective_is_an_error(monkeypatch, run) -> None:
    Account(monkeypatch, {"one": []}, objective="validation:rmse")
    with pytest.raises(select_best.SelectionError, match="one tuned validation:rmse, not validation:mse"):
        run("one")


def test_a_job_without_a_region_says_which_variable_to_set(monkeypatch) -> None:
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    with pytest.raises(select_best.SelectionError, match="set the environment variable AWS_REGION"):
        select_best.aws_region()


def packed(path, name="model_algo-1", date=(2026, 1, 1, 0, 0, 0), params=b"weights"):
    """An artifact as linear-learner packs it: a zip in a tar, both with dates."""
    model = io.BytesIO()
    with zipfile.ZipFile(model, "w") as archive:
        archive.writestr(zipfile.ZipInfo("mx-mod-0000.params", date), params)
        archive.writestr(zipfile.ZipInfo("mx-mod-symbol.json", date), b"{}")
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.size, member.mtime = len(model.getvalue()), date[0]
        archive.addfile(member, io.BytesIO(model.getvalue()))
    return path


def test_the_same_model_has_the_same_digest_whenever_it_was_packed(tmp_path) -> None:
    one = select_best.artifact_digest(packed(tmp_path / "one.tar.gz"))
    assert select_best.artifact_digest(packed(tmp_path / "two.tar.gz", date=(2027, 2, 3, 4, 5, 6))) == one
    assert (tmp_path / "one.tar.gz").read_bytes() != (tmp_path / "two.tar.gz").read_bytes()


@pytest.mark.parametrize("change", [{"params": b"weightz"}, {"name": "model_algo-2"}])
def test_another_model_has_another_digest(tmp_path, change) -> None:
    one = select_best.artifact_digest(packed(tmp_path / "one.tar.gz"))
    assert select_best.artifact_digest(packed(tmp_path / "two.tar.gz", **change)) != one


def test_the_reason_of_a_failure_is_left_as_the_jobs_exit_message(monkeypatch, tmp_path) -> None:
    Account(monkeypatch, {"one": []})
    (tmp_path / "folds.json").write_text(json.dumps(FOLDS))
    message = tmp_path / "output/message"
    folders = ["--best", str(tmp_path / "best"), "--evaluation", str(tmp_path / "evaluation")]
    arguments = ["--objective", "validation:mse", "--folds", str(tmp_path / "folds.json"), "--tuning-job", "one"]
    with pytest.raises(select_best.SelectionError):
        select_best.main([*arguments, *folders, "--message", str(message)])
    assert message.read_text() == "no training job of any fold completed with a finite objective"


def test_a_long_reason_is_cut_to_a_kilobyte_of_whole_characters(tmp_path) -> None:
    select_best.leave_reason(ValueError("é" * 2000), tmp_path / "message")
    assert 1022 <= len((tmp_path / "message").read_bytes()) <= 1024
    assert (tmp_path / "message").read_text("utf-8").startswith("ValueError: éé")
