"""Quotas: what a configuration needs, what Service Quotas says, and what the commands make of it."""

from __future__ import annotations

from typing import Any, Never

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError
from botocore.stub import Stubber

from pipeline.operate.parameter_values import with_parameters
from pipeline.operate.quotas import QuotaState, account_quotas, check_quotas, requirements

TRAINING = "ml.m5.large for training job usage"
ALL_TRAINING = "Number of instances across all training jobs"
ENDPOINT = "ml.m5.large for endpoint usage"


def quota(name: str, value: float, code: str = "L-1") -> dict[str, Any]:
    return {"ServiceCode": "sagemaker", "QuotaName": name, "QuotaCode": code, "Value": value}


@pytest.fixture
def client():
    return boto3.client("service-quotas", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")


@pytest.fixture
def answers(client):
    """Make Service Quotas answer with pages of applied quotas, then with pages of AWS's defaults."""
    with Stubber(client) as stub:

        def answer(applied: list[list[dict[str, Any]]], defaults: list[list[dict[str, Any]]] | None = None):
            lists = {"list_service_quotas": applied, "list_aws_default_service_quotas": defaults or []}
            for operation, pages in lists.items():
                for number, page in enumerate(pages):
                    request = {"ServiceCode": "sagemaker"} | ({"NextToken": str(number)} if number else {})
                    more = {"NextToken": str(number + 1)} if number + 1 < len(pages) else {}
                    stub.add_response(operation, {"Quotas": page} | more, request)
            return stub

        yield answer


def needs(config) -> dict[str, tuple[int, int]]:
    return {found.quota: (found.minimum, found.needed) for found in requirements(config)}


def test_training_jobs_of_all_folds_at_once_count_against_the_type_and_the_total(config) -> None:
    found = needs(config)
    # One tuning job is refused below 2; five at once need 10.
    assert found[TRAINING] == found[ALL_TRAINING] == (2, 10)


def test_folds_that_wait_for_each_other_and_small_grids_need_less(configure) -> None:
    found = needs(configure(pipeline={"max_parallel_steps": 2}))
    assert found[TRAINING] == (2, 4)
    found = needs(configure(tuning={"learning_rate": [0.1], "l1": [0.1], "max_jobs": 1, "max_parallel_jobs": 1}))
    assert found[TRAINING] == (1, 5)


def test_spot_jobs_have_quotas_of_their_own(configure) -> None:
    found = needs(configure(tuning={"spot": True}))
    assert found["ml.m5.large for spot training job usage"] == (2, 10)
    assert found["Number of instances across all spot training jobs"] == (2, 10)
    assert TRAINING not in found
    assert ALL_TRAINING not in found


def test_processing_counts_the_cluster_and_the_scripts_on_their_types(configure) -> None:
    found = needs(configure(folds={"instance_count": 4}))
    assert found["ml.m5.xlarge for processing job usage"] == (4, 4)
    assert found["ml.m5.large for processing job usage"] == (1, 1)
    assert found["Number of instances across all processing jobs"] == (4, 4)
    found = needs(configure(folds={"instance_count": 4, "instance_type": "ml.m5.large"}))
    assert found["ml.m5.large for processing job usage"] == (4, 4)


def test_an_update_of_an_endpoint_needs_its_instances_twice(configure) -> None:
    assert needs(configure(deploy={"instance_count": 2}))[ENDPOINT] == (2, 4)
    scaled = configure(deploy={"autoscaling": {"min_instances": 1, "max_instances": 3}})
    assert needs(scaled)[ENDPOINT] == (1, 6)
    serverless = needs(configure(deploy={"serverless": {"max_concurrency": 7}}))
    assert ENDPOINT not in serverless
    name = "Maximum total concurrency that can be allocated across all serverless endpoints"
    assert serverless[name] == (7, 7)


def test_quotas_are_found_on_any_page_and_defaults_only_where_nothing_was_applied(client, answers) -> None:
    applied = [[quota("ml.p3.2xlarge for training job usage", 0)], [quota(TRAINING, 4, "L-2")]]
    stub = answers(applied, [[quota(TRAINING, 20), quota(ENDPOINT, 2, "L-3")]])
    found = account_quotas(client, [TRAINING, ENDPOINT])
    assert (found[TRAINING].value, found[TRAINING].code, found[TRAINING].is_default) == (4, "L-2", False)
    assert (found[ENDPOINT].value, found[ENDPOINT].is_default) == (2, True)
    stub.assert_no_pending_responses()


def test_no_page_is_asked_for_once_all_are_found(client, answers) -> None:
    stub = answers([[quota(TRAINING, 4)]])
    assert account_quotas(client, [TRAINING])[TRAINING].value == 4
    stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("value", "state", "advice"),
    [
        (0, QuotaState.TOO_SMALL, "use another tuning.instance_type"),
        (1, QuotaState.TOO_SMALL, "set tuning.max_parallel_jobs: 1"),
        (4, QuotaState.TIGHT, "set pipeline.max_parallel_steps: 2,"),
        (10, QuotaState.ENOUGH, ""),
    ],
)
def test_what_to_do_follows_from_what_the_account_has(client, answers, config, value, state, advice) -> None:
    everything = [quota(name, value if name == TRAINING else 100, "L-7") for name in needs(config)]
    answers([everything])
    report = check_quotas(config, lambda: client)
    checks = {check.requirement.quota: check for check in report.checks}
    assert checks[TRAINING].state is state
    found = checks[TRAINING].advice("eu-west-1")
    assert found.startswith(advice)
    if advice:
        assert "--quota-code L-7 --desired-value 10 --region eu-west-1" in found
    assert {check.state for name, check in checks.items() if name != TRAINING} == {QuotaState.ENOUGH}
    assert report.unanswered == ""


def test_a_total_of_zero_is_not_answered_with_another_instance_type(client, answers, config) -> None:
    answers([[quota(name, 0, "L-7") for name in needs(config)]])
    checks = {check.requirement.quota: check for check in check_quotas(config, lambda: client).checks}
    totals = {name: check.advice("eu-west-1") for name, check in checks.items() if " instances across " in name}
    assert len(totals) == 3
    for name, advice in totals.items():
        begin = "use deploy.serverless, or ask" if "endpoints" in name else "ask"
        assert advice.startswith(f"{begin} for more: aws service-quotas"), name
    for name, check in checks.items():
        # One instance cannot become fewer.
        assert "lower folds.instance_count" not in check.advice("eu-west-1"), name


def test_following_the_advice_is_enough(client, answers, configure) -> None:
    config = configure(pipeline={"max_parallel_steps": 2})
    answers([[quota(name, 4) for name in needs(config)]])
    assert {check.state for check in check_quotas(config, lambda: client).checks} == {QuotaState.ENOUGH}


def test_a_quota_that_is_not_listed_is_unknown_not_enough(client, answers, config) -> None:
    answers([[quota(ALL_TRAINING, 100)]], [[quota(ENDPOINT, 100)]])
    checks = {check.requirement.quota: check for check in check_quotas(config, lambda: client).checks}
    assert checks[ALL_TRAINING].state is QuotaState.ENOUGH
    assert checks[TRAINING].state is QuotaState.UNKNOWN


def test_more_parallel_jobs_than_the_documented_limit_are_pointed_out(client, answers, configure) -> None:
    config = configure(tuning={"max_parallel_jobs": 12})
    answers([[quota(name, 1000) for name in needs(config)]])
    (tight,) = [check for check in check_quotas(config, lambda: client).checks if check.state is QuotaState.TIGHT]
    assert tight.requirement.quota == "parallel training jobs per hyperparameter tuning job"
    assert "an AWS Support case" in tight.advice("us-east-1")


def test_a_missing_permission_is_a_reason_not_a_failure(client, config) -> None:
    with Stubber(client) as stub:
        stub.add_client_error("list_service_quotas", "AccessDeniedException", "User: ... is not authorized", 400)
        report = check_quotas(config, lambda: client)
    assert report.unanswered == "your identity may not call ListServiceQuotas"
    assert {check.state for check in report.checks} == {QuotaState.UNKNOWN, QuotaState.ENOUGH}


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (NoCredentialsError(), "no AWS credentials were found"),
        (
            EndpointConnectionError(endpoint_url="https://servicequotas.example"),
            "https://servicequotas.example does not answer",
        ),
    ],
)
def test_nobody_to_ask_is_a_reason_not_a_failure(config, error, reason) -> None:
    def connect() -> Never:
        raise error

    assert check_quotas(config, connect).unanswered == reason


def test_an_executions_parameters_change_what_it_needs(config) -> None:
    changed = with_parameters(
        config,
        [
            {"Name": "TrainingInstanceType", "Value": "ml.c5.xlarge"},
            {"Name": "EndpointInstanceCount", "Value": "3"},
            {"Name": "MaxMse", "Value": "4e7"},
        ],
    )
    found = needs(changed)
    assert found["ml.c5.xlarge for training job usage"] == (2, 10)
    assert found[ENDPOINT] == (3, 6)
    assert found["ml.m5.xlarge for processing job usage"] == (1, 1)
