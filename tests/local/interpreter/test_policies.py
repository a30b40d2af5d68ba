from __future__ import annotations

import pytest

from local.core.errors import ServiceError, limit_exceeded, not_implemented
from local.interpreter.policies import parse_retry_policy
from local.interpreter.retries import Retries, call_exception_type, job_exception_type


def policy(*exceptions, **members):
    return parse_retry_policy({"ExceptionType": list(exceptions), **members})


def test_waits_grow_by_the_backoff_rate_until_the_attempts_are_used_up() -> None:
    retries = Retries([policy("SageMaker.RESOURCE_LIMIT", IntervalSeconds=10, BackoffRate=3.0, MaxAttempts=3)])
    assert [retries.delay("SageMaker.RESOURCE_LIMIT") for _ in range(4)] == [10, 30, 90, None]


def test_each_policy_counts_for_itself() -> None:
    retries = Retries([policy("Step.THROTTLING", MaxAttempts=1), policy("SageMaker.CAPACITY_ERROR", MaxAttempts=1)])
    assert retries.delay("Step.THROTTLING") == 1
    assert retries.delay("SageMaker.CAPACITY_ERROR") == 1
    assert retries.delay("Step.THROTTLING") is None


def test_nothing_is_tried_again_after_the_policy_has_expired() -> None:
    retries = Retries([policy("Step.THROTTLING", IntervalSeconds=40, ExpireAfterMin=1)])
    assert retries.delay("Step.THROTTLING") == 40
    assert retries.delay("Step.THROTTLING") is None


def test_errors_without_a_policy_are_final_but_those_of_calls() -> None:
    retries = Retries([])
    assert retries.delay("SageMaker.JOB_INTERNAL_ERROR") is None
    assert retries.delay(None) is None
    assert retries.delay("Step.SERVICE_FAULT") is not None


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ServiceError("ThrottlingException", "Rate exceeded"), "Step.THROTTLING"),
        (ServiceError("InternalFailure", "", 500), "Step.SERVICE_FAULT"),
        (limit_exceeded("The account-level service limit is 0"), "SageMaker.RESOURCE_LIMIT"),
        (ServiceError("ValidationException", "wrong"), None),
        (not_implemented("sagemaker", "CreateAutoMLJob"), None),
    ],
)
def test_errors_of_calls_have_the_kinds_that_policies_name(error, expected) -> None:
    assert call_exception_type(error) == expected


def test_failures_of_jobs_have_the_kinds_that_policies_name() -> None:
    internal = "InternalServerError: We encountered an internal error. Please try again."
    assert job_exception_type(internal, "Training") == "SageMaker.JOB_INTERNAL_ERROR"
    assert job_exception_type(internal, "Tuning") is None
    assert job_exception_type("CapacityError: Unable to provision", "Tuning") == "SageMaker.CAPACITY_ERROR"
    assert job_exception_type("AlgorithmError: , exit code: 1", "Processing") is None
