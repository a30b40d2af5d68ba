"""The prefixes of FailureReason."""

from __future__ import annotations

import pytest

from local.interpreter.resource_steps import step_reason
from local.runtime.jobs.failures import program_failure


def test_a_program_without_output_has_sagemakers_own_reason() -> None:
    assert program_failure(-15, []) == "AlgorithmError: , exit code: 143"


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("AlgorithmError: , exit code: 1", "ClientError: AlgorithmError: , exit code: 1"),
        ("ClientError: Data download failed:x", "ClientError: ClientError: Data download failed:x"),
        ("No training job succeeded after 5 attempts.", "ClientError: No training job succeeded after 5 attempts."),
        ("InternalServerError: try again", "InternalServerError: try again"),
        ("CapacityError: none left", "CapacityError: none left"),
    ],
)
def test_a_step_puts_client_error_before_its_jobs_reason(reason, expected) -> None:
    assert step_reason(reason) == expected
