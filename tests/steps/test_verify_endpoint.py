from __future__ import annotations

import argparse

import pytest
import verify_endpoint
from verify_endpoint import VerificationError, compare, requests, verify, wait_until_in_service


class Endpoint:
    """DescribeEndpoint as it goes through its states."""

    def __init__(self, *states: tuple[str, str]) -> None:
        self.states = list(states)

    def describe_endpoint(self, EndpointName: str) -> dict:
        status, configuration = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return {"EndpointStatus": status, "EndpointConfigName": configuration, "FailureReason": "the reason"}


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch):
    monkeypatch.setattr(verify_endpoint.time, "sleep", lambda _: None)


def test_it_waits_until_the_endpoint_serves_the_configuration():
    wait_until_in_service(Endpoint(("Creating", "new"), ("Updating", "old"), ("InService", "new")), "e", "new")


def test_a_failed_endpoint_is_an_error_with_its_reason():
    with pytest.raises(VerificationError, match="e is Failed: the reason"):
        wait_until_in_service(Endpoint(("Creating", "new"), ("Failed", "new")), "e", "new")


def test_an_endpoint_that_went_back_to_its_old_configuration_is_an_error():
    with pytest.raises(VerificationError, match="e serves old and not new: it was rolled back"):
        wait_until_in_service(Endpoint(("RollingBack", "old"), ("InService", "old")), "e", "new")


def test_an_endpoint_that_is_never_ready_is_an_error(monkeypatch):
    monkeypatch.setattr(verify_endpoint, "MAX_WAIT_SECONDS", -1)
    with pytest.raises(VerificationError, match="still Updating"):
        wait_until_in_service(Endpoint(("Updating", "new")), "e", "new")


def test_requests_hold_every_row_once_within_their_size(monkeypatch):
    monkeypatch.setattr(verify_endpoint, "MAX_REQUEST_BYTES", 10)
    sent = list(requests(iter(["1,aaaa", "2,bbbb", "3,cccc", "4,dd"]), limit=10))
    assert [label for labels, _ in sent for label in labels] == [1.0, 2.0, 3.0, 4.0]
    assert [body for _, body in sent] == [b"aaaa\nbbbb", b"cccc\ndd"]


def test_no_more_rows_than_the_limit_are_sent():
    assert [labels for labels, _ in requests(iter(["1,a", "2,b", "3,c"]), limit=2)] == [[1.0, 2.0]]


def test_an_error_that_agrees_with_the_training_jobs_is_accepted():
    assert compare([1.0, 3.0], 2.001)["mse"] == 2.0


@pytest.mark.parametrize("expected", [2.1, 1.9, float("nan")])
def test_an_error_that_differs_is_refused(expected):
    with pytest.raises(VerificationError, match="is not the training job's"):
        compare([1.0, 3.0], expected)


def test_a_fold_without_rows_is_refused():
    with pytest.raises(VerificationError, match="no held-out rows"):
        compare([], 1.0)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b'{"predictions": [{"score": 1.0}]}', "answered 2 rows with 1 scores"),
        (b'{"predictions": [{"score": 1.0}, {"score": NaN}]}', "not a finite number"),
    ],
)
def test_a_wrong_answer_is_refused(answer, expected):
    class Runtime:
        def invoke_endpoint(self, **_: object) -> dict:
            return {"Body": type("Body", (), {"read": staticmethod(lambda: answer)})}

    with pytest.raises(VerificationError, match=expected):
        verify_endpoint.squared_errors(Runtime(), "e", iter(["1,2", "3,4"]))


def test_an_endpoint_that_awaits_approval_is_left_alone():
    assert verify(argparse.Namespace(deployment_status="AwaitingApproval"))["verified"] is False


def test_a_job_without_a_region_says_which_variable_to_set(monkeypatch):
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    with pytest.raises(VerificationError, match="set the environment variable AWS_REGION"):
        verify_endpoint.client("sagemaker")
