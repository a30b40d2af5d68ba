from __future__ import annotations

import argparse
import io
import json
from typing import TYPE_CHECKING, Any, cast

import boto3
import numpy as np
import pytest
import verify_endpoint
from botocore.exceptions import ClientError
from evaluation import endpoint_wait
from evaluation.clients import Clients
from evaluation.endpoint_wait import SupersededError, VerificationError, wait_until_in_service
from evaluation.linear_model import LinearModel
from moto import mock_aws
from verify_endpoint import Answers, compare, judge, requests, verify

from tests.local.conftest import make_artifact
from tests.pauses import replace_pauses

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient
    from types_boto3_sagemaker_runtime import SageMakerRuntimeClient


class Endpoint:
    """DescribeEndpoint as it goes through its states."""

    def __init__(self, *states: tuple[str, str], latest: str | None = None) -> None:
        self.states = list(states)
        self.latest = latest

    def describe_endpoint(self, EndpointName: str) -> dict[str, Any]:
        status, configuration = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return {
            "EndpointArn": "arn",
            "EndpointStatus": status,
            "EndpointConfigName": configuration,
            "FailureReason": "the reason",
            # Changes with the states that are left.
            "LastModifiedTime": len(self.states),
        }

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_tags"
        return self

    def paginate(self, ResourceArn: str) -> list[dict[str, Any]]:
        if self.latest == "denied":
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "ListTags")
        return [{"Tags": [{"Key": endpoint_wait.LATEST_TAG, "Value": self.latest}] if self.latest else []}]


def endpoint(*states: tuple[str, str], latest: str | None = None) -> SageMakerClient:
    return cast("SageMakerClient", Endpoint(*states, latest=latest))


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch) -> None:
    replace_pauses(monkeypatch, endpoint_wait)


def test_it_waits_until_the_endpoint_serves_the_configuration() -> None:
    wait_until_in_service(endpoint(("Creating", "new"), ("Updating", "old"), ("InService", "new")), "e", "new")


def test_a_failed_endpoint_is_an_error_with_its_reason() -> None:
    with pytest.raises(VerificationError, match="e is Failed: the reason"):
        wait_until_in_service(endpoint(("Creating", "new"), ("Failed", "new")), "e", "new")


def test_an_endpoint_that_went_back_to_its_old_configuration_is_an_error() -> None:
    with pytest.raises(VerificationError, match="e serves old and not new: it was rolled back"):
        wait_until_in_service(endpoint(("RollingBack", "old"), ("InService", "old")), "e", "new")


def test_an_endpoint_that_is_never_ready_is_an_error(monkeypatch) -> None:
    monkeypatch.setattr(endpoint_wait, "MAX_WAIT_SECONDS", -1)
    with pytest.raises(VerificationError, match="still Updating"):
        wait_until_in_service(endpoint(("Updating", "new")), "e", "new")


def test_requests_hold_every_row_once_within_their_size(monkeypatch) -> None:
    monkeypatch.setattr(verify_endpoint, "MAX_REQUEST_BYTES", 10)
    sent = list(requests([b"1,aaaa", b"2,bbbb", b"3,cccc", b"4,dd"]))
    assert [label for labels, _ in sent for label in labels] == [1.0, 2.0, 3.0, 4.0]
    assert [body for _, body in sent] == [b"aaaa\nbbbb", b"cccc\ndd"]


def test_an_error_that_agrees_with_the_training_jobs_is_accepted() -> None:
    assert compare([1.0, 3.0], 2.001, 1e-3)["mse"] == 2.0


@pytest.mark.parametrize("expected", [2.1, 1.9, float("nan")])
def test_an_error_that_differs_is_refused(expected) -> None:
    with pytest.raises(VerificationError, match="is not the training job's"):
        compare([1.0, 3.0], expected, 1e-3)


def test_a_fold_without_rows_is_refused() -> None:
    with pytest.raises(VerificationError, match="no rows to send"):
        compare([], 1.0, 1e-3)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b'{"predictions": [{"score": 1.0}]}', "answered 2 rows with 1 scores"),
        (b'{"predictions": [{"score": 1.0}, {"score": NaN}]}', "not a finite number"),
    ],
)
def test_a_wrong_answer_is_refused(answer, expected) -> None:
    class Runtime:
        def invoke_endpoint(self, **_: object) -> dict[str, Any]:
            return {"Body": type("Body", (), {"read": staticmethod(lambda: answer)})}

    with pytest.raises(VerificationError, match=expected):
        verify_endpoint.ask(cast("SageMakerRuntimeClient", Runtime()), "e", [b"1,2", b"3,4"])


def test_an_endpoint_that_awaits_approval_is_left_alone() -> None:
    assert verify(argparse.Namespace(deployment_status="AwaitingApproval"))["verified"] is False


def test_a_third_configuration_in_service_is_another_deployment_and_no_failure() -> None:
    newest = endpoint(("Updating", "old"), ("InService", "newest"))
    with pytest.raises(SupersededError, match="e serves newest: it was deployed after new"):
        wait_until_in_service(newest, "e", "new", "old")


@pytest.mark.parametrize("latest", [None, "new", "denied"])
def test_the_configuration_before_in_service_is_a_failure(latest) -> None:
    with pytest.raises(VerificationError, match="rolled back"):
        wait_until_in_service(endpoint(("InService", "old"), latest=latest), "e", "new", "old")


@pytest.mark.parametrize("latest", ["old", "third"])
def test_the_configuration_before_that_another_call_deployed_again_is_no_failure(latest) -> None:
    with pytest.raises(SupersededError, match="e serves old: it was deployed after new"):
        wait_until_in_service(endpoint(("InService", "old"), latest=latest), "e", "new", "old")


class Runtime:
    """An endpoint that serves a linear model."""

    def __init__(self, weights: list[float], bias: float) -> None:
        self.weights, self.bias = np.array(weights, dtype=np.float32), np.float32(bias)

    def invoke_endpoint(self, Body: bytes, **_: object) -> dict[str, Any]:
        rows = np.loadtxt(io.BytesIO(Body), delimiter=",", ndmin=2, dtype=np.float32)
        scores = (rows @ self.weights + self.bias).tolist()
        body = json.dumps({"predictions": [{"score": score} for score in scores]}).encode()
        return {"Body": io.BytesIO(body)}


MODEL = LinearModel(np.array([100.0, -3.0]), 2000.0)
FEATURES = np.random.default_rng(0).normal(size=(200, 2)) * 50
LABELS = MODEL.predict(FEATURES) + np.random.default_rng(1).normal(size=200) * 100
ROWS = [
    ",".join(map(repr, [label, *row])).encode() for label, row in zip(LABELS.tolist(), FEATURES.tolist(), strict=True)
]
MSE = float(np.mean((MODEL.predict(FEATURES) - LABELS) ** 2))


def asked(weights, bias, model=MODEL):
    return verify_endpoint.ask(cast("SageMakerRuntimeClient", Runtime(weights, bias)), "e", ROWS, model)


def test_scores_that_are_the_artifacts_prove_the_model_whatever_the_training_job_reported() -> None:
    # SageMaker may leave the last rows, which do not fill a mini-batch, out of its metric.
    numbers = judge(asked([100.0, -3.0], 2000.0), expected=MSE * 3, tolerance=0.3)
    assert numbers["mse"] == pytest.approx(MSE, rel=1e-3)
    assert numbers["largest_difference"] < 1e-6


def test_a_neighbouring_model_is_refused_though_its_error_is_within_the_tolerance() -> None:
    answers = asked([100.0, -3.0], 2010.0)
    assert np.mean(answers.errors) == pytest.approx(MSE, rel=0.1)
    with pytest.raises(VerificationError, match="scores are not those of the model") as failure:
        judge(answers, MSE, 0.3)
    assert failure.value.numbers["rows"] == 200


def test_an_artifact_that_is_read_wrongly_leaves_the_decision_to_the_error() -> None:
    wrong = LinearModel(np.array([1.0, 1.0]), 0.0)
    assert judge(asked([100.0, -3.0], 2000.0, wrong), MSE, 0.01)["training_job_mse"] == MSE
    with pytest.raises(VerificationError, match="is not the training job's"):
        judge(asked([100.0, -3.0], 2500.0, wrong), MSE, 0.3)


def test_without_an_artifact_the_error_decides() -> None:
    assert judge(asked([100.0, -3.0], 2000.0, None), MSE, 0.01)["rows"] == 200
    with pytest.raises(VerificationError, match="is not the training job's"):
        judge(asked([100.0, -3.0], 2500.0, None), MSE, 0.3)


def test_a_fold_without_rows_is_refused_also_with_an_artifact() -> None:
    with pytest.raises(VerificationError, match="no rows to send"):
        judge(Answers(), 1.0, 0.3)


@pytest.mark.parametrize(("code", "is_the_endpoints"), [("ModelError", True), ("AccessDeniedException", False)])
def test_an_error_of_the_model_is_the_endpoints_failure_and_a_missing_permission_is_not(code, is_the_endpoints) -> None:
    class Failing:
        def invoke_endpoint(self, **_: object) -> dict[str, Any]:
            raise ClientError({"Error": {"Code": code, "Message": "the message"}}, "InvokeEndpoint")

    with pytest.raises(VerificationError if is_the_endpoints else ClientError, match="the message"):
        verify_endpoint.ask(cast("SageMakerRuntimeClient", Failing()), "e", ROWS)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs the job's main against an endpoint, and gives its output."""
    (tmp_path / "best").mkdir()
    (tmp_path / "best" / "model.tar.gz").write_bytes(make_artifact(tmp_path, [100.0, -3.0], 2000.0))

    def main(runtime, *states, status="Deploying", best=None, more=(), rows=ROWS):
        (tmp_path / "best" / "best.json").write_text(
            json.dumps(best or {"fold": 2, "training_job_mse": MSE, "fold_rows": [9, 200]})
        )
        with mock_aws():
            s3 = boto3.client("s3", region_name="us-east-1")
            s3.create_bucket(Bucket="bucket")
            for fold, own in ((1, rows[:9]), (2, rows)):
                s3.put_object(Bucket="bucket", Key=f"folds/vc{fold}/test/part.csv", Body=b"\n".join(own))
            clients = Clients(endpoint(*states or [("InService", "new")]), s3, runtime)
            monkeypatch.setattr(verify_endpoint, "aws_clients", lambda: clients)
            verify_endpoint.main(
                [
                    *("--endpoint-name", "e", "--endpoint-config-name", "new", "--replaced-config-name", "old"),
                    *("--deployment-status", status, "--tolerance", "0.3", "--folds-uri", "s3://bucket/folds"),
                    *("--best", str(tmp_path / "best"), "--verification", str(tmp_path / "verification"), *more),
                ]
            )
        return json.loads((tmp_path / "verification" / "verification.json").read_text())

    return main


def test_the_verdict_and_the_numbers_are_in_the_output(run) -> None:
    verification = run(Runtime([100.0, -3.0], 2000.0))
    assert (verification["outcome"], verification["verified"], verification["rows"]) == ("Verified", True, 200)


def test_an_endpoint_that_fails_is_an_outcome_with_a_sentence_and_numbers(run) -> None:
    verification = run(Runtime([100.0, -3.0], 9000.0))
    assert (verification["outcome"], verification["verified"]) == ("Failed", False)
    assert "scores are not those of the model" in verification["message"]
    assert verification["artifact_mse"] == pytest.approx(MSE, rel=1e-3)


def test_scores_of_an_endpoint_that_was_changed_meanwhile_are_no_failure(run) -> None:
    other = Runtime([100.0, -3.0], 9000.0)
    assert run(other, ("InService", "new"), ("Updating", "new"), ("InService", "third"))["outcome"] == "Superseded"
    # Another deployment came and went: what this one says counts again.
    assert run(other, ("InService", "new"), ("InService", "third"), ("InService", "new"))["outcome"] == "Failed"


def test_every_other_end_is_an_outcome_too(run) -> None:
    assert run(None, ("Failed", "new"))["message"] == "e is Failed: the reason"
    assert run(None, ("InService", "third"))["outcome"] == "Superseded"
    assert run(None, status="Superseded")["outcome"] == "Superseded"
    assert run(None, status="Rejected")["outcome"] == "Rejected"


def test_a_refitted_model_is_compared_on_the_rows_of_all_folds(run, tmp_path) -> None:
    (tmp_path / "refit").mkdir()
    (tmp_path / "best" / "model.tar.gz").rename(tmp_path / "refit" / "model.tar.gz")
    more = ["--model", str(tmp_path / "refit"), "--expected-mse", repr(MSE)]
    best = {"fold": None, "training_job_mse": None, "fold_rows": [9, 200]}
    verification = run(Runtime([100.0, -3.0], 2000.0), best=best, more=more)
    assert (verification["outcome"], verification["rows"]) == ("Verified", 209)
    assert verification["training_job_mse"] == MSE
    assert run(Runtime([100.0, -3.0], 9000.0), best=best, more=more)["outcome"] == "Failed"


def test_of_many_rows_every_nth_is_sent_so_that_a_sorted_fold_is_no_fault(run, monkeypatch, tmp_path) -> None:
    # Sorted by error, the first rows have a far lower error than the fold. The artifact cannot be read.
    order = np.argsort((MODEL.predict(FEATURES) - LABELS) ** 2)
    monkeypatch.setattr(verify_endpoint, "MAX_ROWS", 40)
    (tmp_path / "best" / "model.tar.gz").write_bytes(b"another algorithm's")
    verification = run(Runtime([100.0, -3.0], 2000.0), rows=[ROWS[place] for place in order])
    assert (verification["outcome"], verification["rows"]) == ("Verified", 40)
    assert verification["mse"] == pytest.approx(MSE, rel=0.2)
