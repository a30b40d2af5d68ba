"""The doctor's checks one by one, on an account of moto's; what moto lacks is answered by botocore's stubber."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Never

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber

from pipeline.definition.resources import conventional_resources
from pipeline.errors import UserError
from pipeline.operate.bucket_checks import duration_days
from pipeline.operate.doctor.account import Account
from pipeline.operate.doctor.bucket import check_bucket
from pipeline.operate.doctor.checks import run_checks
from pipeline.operate.doctor.findings import Finding, State, attempt
from pipeline.operate.doctor.identity import check_credentials, check_partition, check_region
from pipeline.operate.doctor.images import check_images
from pipeline.operate.doctor.published import check_function, check_rules
from pipeline.operate.doctor.roles import check_roles
from pipeline.operate.doctor.simulation import check_permissions
from pipeline.operate.doctor.stack import check_stack
from pipeline.operate.function import publish_function
from pipeline.operate.triggers import apply_triggers
from tests.infra.conftest import make_stack

ACCOUNT_ID = "123456789012"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT_ID}:key/2f0e6c6c-0000-4000-8000-000000000000"


class StubbedAccount(Account):
    """An account some of whose services are answered by a stub."""

    def __init__(self, config, session, **stubbed) -> None:
        super().__init__(config, session, is_local=False)
        self.stubbed = stubbed

    def client(self, service):
        return self.stubbed.get(service) or super().client(service)


def account_of(config, aws, **stubbed) -> StubbedAccount:
    return StubbedAccount(config, aws, **stubbed)


def by_subject(findings) -> dict[str, Finding]:
    return {finding.subject: finding for finding in findings}


def states(findings) -> dict[str, State]:
    return {finding.subject: finding.state for finding in findings}


# Running checks


def test_a_refused_request_is_a_finding_and_what_was_found_before_it_is_kept(aws) -> None:
    def check():
        yield Finding("first", State.OK, "good")
        aws.client("iam").get_role(RoleName="nobody")

    first, second = attempt("roles", check)
    assert first.subject == "first"
    assert (second.subject, second.state) == ("roles", State.UNKNOWN)
    assert "GetRole (NoSuchEntity)" in second.found


def test_an_endpoint_that_does_not_answer_and_a_user_error_are_findings_too() -> None:
    def unreachable() -> Never:
        raise EndpointConnectionError(endpoint_url="https://iam.example")

    def refused() -> Never:
        raise UserError("SageMaker would refuse this definition")

    assert [*attempt("roles", unreachable)] == [Finding("roles", State.UNKNOWN, "https://iam.example does not answer")]
    assert [*attempt("pipeline", refused)] == [
        Finding("pipeline", State.FAILED, "SageMaker would refuse this definition")
    ]


def test_without_credentials_only_the_credentials_fail(config, monkeypatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    found = by_subject(run_checks(Account(config, boto3.Session(region_name="us-east-1"), is_local=False)))
    assert found["credentials"].state is State.FAILED
    assert found["credentials"].found == "no AWS credentials were found"
    assert found["region"].state is State.OK
    rest = {name: finding for name, finding in found.items() if name not in ("credentials", "region")}
    assert {finding.state for finding in rest.values()} == {State.UNKNOWN}
    assert {"quotas", "images", "stack", "roles", "bucket", "function", "pipeline"} <= rest.keys()


# Identity, region, partition


def test_the_caller_is_named(config, aws) -> None:
    (found,) = check_credentials(account_of(config, aws))
    assert found.state is State.OK
    assert f"account {ACCOUNT_ID}" in found.found


@pytest.mark.parametrize(
    ("region", "environment", "state"),
    [
        ("us-east-1", {"AWS_REGION": "us-east-1"}, State.OK),
        ("us-east-1", {"AWS_DEFAULT_REGION": "eu-west-1"}, State.ATTENTION),
        ("us-nowhere-1", {}, State.ATTENTION),
    ],
)
def test_the_region_has_to_be_known_and_the_environments_own(
    configure, aws, monkeypatch, region, environment, state
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    (found,) = check_region(account_of(configure(aws={"region": region}), aws))
    assert found.state is state


@pytest.mark.parametrize(
    ("environment", "state"),
    [({}, State.ATTENTION), ({"AWS_REGION": "us-east-1"}, State.OK), ({"AWS_PROFILE": "same"}, State.OK)],
)
def test_the_region_of_the_profile_counts_unless_the_environment_names_one(
    config, aws, monkeypatch, tmp_path, environment, state
) -> None:
    file = tmp_path / "config"
    file.write_text("[default]\nregion = eu-west-1\n[profile same]\nregion = us-east-1\n")
    for name, value in {"AWS_CONFIG_FILE": str(file), **environment}.items():
        monkeypatch.setenv(name, value)
    (found,) = check_region(account_of(config, aws))
    assert found.state is state
    assert ("eu-west-1" in found.found) is (state is State.ATTENTION)


def test_arns_of_another_partition_fail(configure, aws) -> None:
    (found,) = check_partition(account_of(configure(), aws))
    assert (found.state, found.found) == (State.OK, "aws")
    (found,) = check_partition(account_of(configure(aws={"region": "cn-north-1", "kms_key_arn": KEY}), aws))
    assert found.state is State.FAILED
    assert "cn-north-1 is in aws-cn" in found.found
    assert f"aws.kms_key_arn: {KEY}" in found.found


# Images


class EcrSession:
    """A session whose ECR answers from a list; its other services are moto's."""

    def __init__(self, session, ecr) -> None:
        self._session, self._ecr = session, ecr

    def client(self, name, **options):
        return self._ecr if name == "ecr" else self._session.client(name, **options)


@pytest.fixture
def ecr(aws):
    client = aws.client("ecr")
    with Stubber(client) as stub:
        yield client, stub


def test_each_image_of_the_definition_is_looked_up_in_its_registry(config, aws, ecr) -> None:
    client, stub = ecr
    found = {"images": [{"repositoryName": "sagemaker-spark-processing"}], "failures": []}
    registry = {"registryId": "173754725891", "repositoryName": "sagemaker-spark-processing"}
    stub.add_response("batch_get_image", found, registry | {"imageIds": [{"imageTag": "3.5-cpu-py312-v1.3"}]})
    stub.add_response("batch_get_image", {"images": [], "failures": [{"failureCode": "ImageNotFound"}]})
    stub.add_client_error("batch_get_image", "AccessDeniedException", "no", 400)
    findings = by_subject(check_images(account_of(config, EcrSession(aws, client))))
    assert findings["image: sagemaker-spark-processing"].state is State.OK
    assert findings["image: linear-learner"].state is State.FAILED
    assert findings["image: sagemaker-scikit-learn"].state is State.UNKNOWN
    assert "ecr:BatchGetImage" in findings["image: sagemaker-scikit-learn"].to_do
    stub.assert_no_pending_responses()


def test_a_region_without_the_images_fails_in_a_sentence(configure, aws) -> None:
    (found,) = check_images(account_of(configure(aws={"region": "us-nowhere-1"}), aws))
    assert found.state is State.FAILED
    assert "us-nowhere-1" in found.found
    assert "aws.region" in found.to_do


# Roles


def make_role(aws, name: str, statement: dict[str, Any], path: str = "/") -> str:
    policy = json.dumps({"Version": "2012-10-17", "Statement": statement})
    return aws.client("iam").create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=policy)["Role"]["Arn"]


def trust(service: str, **condition: dict[str, Any]) -> dict[str, Any]:
    allow = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return allow | ({"Condition": condition} if condition else {})


@pytest.mark.parametrize(
    ("statement", "state", "text"),
    [
        (trust("sagemaker.amazonaws.com"), State.OK, "trusts sagemaker"),
        ([trust("glue.amazonaws.com"), trust(["x.amazonaws.com", "sagemaker.amazonaws.com"])], State.OK, "trusts"),  # type: ignore[arg-type]
        (
            trust("sagemaker.amazonaws.com", StringEquals={"aws:SourceAccount": ACCOUNT_ID}),
            State.ATTENTION,
            "aws:sourceaccount",
        ),
        (trust("sagemaker.amazonaws.com", StringEqualsIfExists={"aws:SourceAccount": ACCOUNT_ID}), State.OK, "trusts"),
        (trust("sagemaker.amazonaws.com", StringLikeIfExists={"aws:SourceAccount": ["9*", "1*"]}), State.OK, "trusts"),
        (
            trust("sagemaker.amazonaws.com", StringEqualsIfExists={"aws:SourceAccount": "999999999999"}),
            State.FAILED,
            "999999999999 only",
        ),
        (
            trust("sagemaker.amazonaws.com", StringEquals={"aws:SourceAccount": "999999999999"}),
            State.FAILED,
            "999999999999 only",
        ),
        (trust("lambda.amazonaws.com"), State.FAILED, "does not trust sagemaker.amazonaws.com"),
        (trust("sagemaker.amazonaws.com") | {"Effect": "Deny"}, State.FAILED, "does not trust"),
        (trust("sagemaker.amazonaws.com") | {"Action": "sts:TagSession"}, State.FAILED, "does not trust"),
    ],
)
def test_a_role_has_to_trust_the_service_that_assumes_it(configure, aws, statement, state, text) -> None:
    arn = make_role(aws, "mine", statement)
    account = account_of(configure(aws={"job_role_arn": arn}), aws)
    account.stubbed["iam"] = _ReadsRolesOnly(aws)
    found = by_subject(check_roles(account))["role: job"]
    assert found.state is state
    assert text in found.found


class _ReadsRolesOnly:
    """IAM for an identity that may read roles and not simulate."""

    def __init__(self, session) -> None:
        self._iam = session.client("iam")

    def get_role(self, **arguments):
        return self._iam.get_role(**arguments)

    def simulate_principal_policy(self, **_) -> None:
        with Stubber(self._iam) as stub:
            stub.add_client_error("simulate_principal_policy", "AccessDenied", "no", 403)
            self._iam.simulate_principal_policy(PolicySourceArn="arn:aws:iam::1:role/x", ActionNames=["s3:GetObject"])


def test_a_condition_on_the_account_is_named_as_a_possible_cause(configure, aws) -> None:
    condition = {"StringEquals": {"aws:SourceAccount": ACCOUNT_ID}}
    arn = make_role(aws, "mine", trust("sagemaker.amazonaws.com", **condition))
    account = account_of(configure(aws={"job_role_arn": arn}), aws, iam=_ReadsRolesOnly(aws))
    found = by_subject(check_roles(account))
    assert "Could not assume role" in found["role: job"].to_do
    assert found["role: job, permissions"].state is State.UNKNOWN
    assert found["role: job, permissions"].found == "your identity may not call SimulatePrincipalPolicy"


def test_roles_that_are_not_there_or_not_of_this_account_fail(configure, aws) -> None:
    elsewhere = "arn:aws:iam::999999999999:role/theirs"
    found = by_subject(check_roles(account_of(configure(aws={"job_role_arn": elsewhere}), aws)))
    assert found["role: job"].state is State.FAILED
    assert "another account" in found["role: job"].found
    assert found["role: pipeline"].state is State.FAILED
    assert "does not exist" in found["role: pipeline"].found
    assert "aws.pipeline_role_arn" in found["role: pipeline"].to_do
    assert "role: events" not in found


def test_a_role_whose_path_is_left_out_fails(configure, aws) -> None:
    arn = make_role(aws, "mine", trust("sagemaker.amazonaws.com"), path="/service-role/")
    given = arn.replace("service-role/", "")
    found = by_subject(check_roles(account_of(configure(aws={"job_role_arn": given}), aws)))["role: job"]
    assert (found.state, found.found) == (State.FAILED, f"{given} does not exist; the role of this name is {arn}")


def test_eventbridges_role_counts_where_a_schedule_starts_executions(configure, aws) -> None:
    found = states(check_roles(account_of(configure(triggers={"schedule": "rate(1 day)"}), aws)))
    assert found["role: events"] is State.FAILED


def simulated(decision: str, action: str = "s3:GetObject") -> dict[str, Any]:
    return {"EvaluationResults": [{"EvalActionName": action, "EvalDecision": decision}]}


def test_the_policy_simulators_denials_are_named(config, aws) -> None:
    iam = aws.client("iam")
    role = "arn:aws:iam::123456789012:role/x"
    account = account_of(config, aws, iam=iam)
    account.identity = {"Account": ACCOUNT_ID, "Arn": f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/admin/me"}  # type: ignore[typeddict-item]
    with Stubber(iam) as stub:
        bucket = account.resources.bucket
        name = config.pipeline.name
        stub.add_response(
            "simulate_principal_policy",
            simulated("allowed"),
            {
                "PolicySourceArn": role,
                "ActionNames": ["s3:GetObject"],
                "ResourceArns": [f"arn:aws:s3:::{bucket}/{name}/code/x"],
            },
        )
        stub.add_response("simulate_principal_policy", simulated("implicitDeny"))
        admin = {
            "Path": "/sso/",
            "RoleName": "admin",
            "RoleId": "AROA1234567890123456",
            "Arn": f"arn:aws:iam::{ACCOUNT_ID}:role/sso/admin",
            "CreateDate": datetime.now(UTC),
        }
        stub.add_response("get_role", {"Role": admin}, {"RoleName": "admin"})
        passed = {"ContextKeyName": "iam:PassedToService", "ContextKeyType": "string"}
        stub.add_response(
            "simulate_principal_policy",
            simulated("implicitDeny", "iam:PassRole"),
            {
                "PolicySourceArn": admin["Arn"],
                "ActionNames": ["iam:PassRole"],
                "ResourceArns": [role],
                "ContextEntries": [passed | {"ContextKeyValues": ["sagemaker.amazonaws.com"]}],
            },
        )
        found = by_subject(check_permissions(account, "job", role))
        stub.assert_no_pending_responses()
    assert found["role: job, permissions"].state is State.ATTENTION
    assert f"denies s3:PutObject on arn:aws:s3:::{bucket}/{name}/executions/x" in found["role: job, permissions"].found
    assert found["role: job, passing"].state is State.ATTENTION


# Bucket


@pytest.fixture
def bucket(config, aws) -> str:
    name = conventional_resources(config).bucket
    aws.client("s3").create_bucket(Bucket=name)
    return name


def test_a_bucket_that_denies_access_may_be_somebody_elses(configure, aws) -> None:
    account = account_of(configure(aws={"bucket": "theirs"}), aws, s3=aws.client("s3"))
    with Stubber(account.client("s3")) as stub:
        stub.add_client_error("get_bucket_location", "AccessDenied", "Access Denied", 403)
        (found,) = check_bucket(account)
    assert (found.state, found.found) == (State.UNKNOWN, "theirs denies you access")
    assert "another account" in found.to_do


def test_a_bucket_that_is_not_there_is_one_failure(config, aws) -> None:
    (found,) = check_bucket(account_of(config, aws))
    assert found.state is State.FAILED
    assert "make bootstrap" in found.to_do


def test_a_bucket_of_another_region_fails(configure, aws) -> None:
    constraint = {"LocationConstraint": "eu-central-1"}
    aws.client("s3", region_name="eu-central-1").create_bucket(Bucket="far", CreateBucketConfiguration=constraint)
    found = by_subject(check_bucket(account_of(configure(aws={"bucket": "far"}), aws)))
    assert found["bucket"].state is State.FAILED
    assert "far is in eu-central-1" in found["bucket"].found


def test_a_bucket_left_as_it_was_made_wants_attention(config, aws, bucket) -> None:
    found = by_subject(check_bucket(account_of(config, aws)))
    assert found["bucket"].state is State.OK
    assert found["bucket: versioning"].state is State.ATTENTION
    assert found["bucket: public access"].state is State.ATTENTION
    assert bucket in found["bucket: public access"].to_do
    assert found["bucket: ownership"].state is State.ATTENTION
    assert found["bucket: lifecycle"].state is State.OK


def test_a_bucket_with_the_templates_settings_is_sound(config, aws, bucket) -> None:
    s3 = aws.client("s3")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    block = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=dict.fromkeys(block, True))
    controls = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=controls)
    encrypt(s3, bucket, {"SSEAlgorithm": "AES256"})
    assert set(states(check_bucket(account_of(config, aws))).values()) == {State.OK}
    s3.put_public_access_block(
        Bucket=bucket, PublicAccessBlockConfiguration=dict.fromkeys(block, True) | {"BlockPublicPolicy": False}
    )
    assert states(check_bucket(account_of(config, aws)))["bucket: public access"] is State.ATTENTION


def encrypt(s3, bucket: str, default: dict[str, Any]) -> None:
    rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": default}]}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=rules)


@pytest.mark.parametrize(
    ("configured", "default", "state"),
    [
        (KEY, {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}, State.OK),
        (KEY, {"SSEAlgorithm": "AES256"}, State.ATTENTION),
        (None, {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}, State.ATTENTION),
    ],
)
def test_the_buckets_default_key_has_to_be_the_configured_one(
    configure, aws, bucket, configured, default, state
) -> None:
    encrypt(aws.client("s3"), bucket, default)
    account = account_of(configure(aws={"kms_key_arn": configured}), aws)
    assert states(check_bucket(account))["bucket: encryption"] is state


@pytest.mark.parametrize(
    ("prefix", "days", "caching", "state"),
    [
        ("insurance-cross-validation/executions/", 7, {}, State.FAILED),
        ("", 7, {}, State.FAILED),
        ("insurance-cross-validation/executions/", 30, {}, State.FAILED),
        ("insurance-cross-validation/executions/", 31, {}, State.OK),
        ("insurance-cross-validation/executions/", 8, {"expire_after": "P1W"}, State.OK),
        ("insurance-cross-validation/executions/", 7, {"enabled": False}, State.OK),
        ("somebody-else/", 7, {}, State.OK),
    ],
)
def test_results_that_expire_before_the_cache_does_fail(configure, aws, bucket, prefix, days, caching, state) -> None:
    rule = {"ID": "sweep", "Status": "Enabled", "Filter": {"Prefix": prefix}, "Expiration": {"Days": days}}
    aws.client("s3").put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
    found = by_subject(check_bucket(account_of(configure(caching=caching), aws)))["bucket: lifecycle"]
    assert found.state is state
    if state is State.FAILED:
        assert f"under P{days}D" in found.to_do


@pytest.mark.parametrize(
    ("text", "days"), [("P30D", 30), ("P1M", 31), ("P1Y2W", 380), ("PT12H", 0.5), ("P1DT6H", 1.25)]
)
def test_durations_are_compared_in_days(text, days) -> None:
    assert duration_days(text) == days


# Stack


def test_no_stack_fails_unless_the_configuration_names_everything(configure, aws) -> None:
    (found,) = check_stack(account_of(configure(), aws))
    assert found.state is State.FAILED
    roles = {f"{kind}_role_arn": f"arn:aws:iam::{ACCOUNT_ID}:role/x" for kind in ("pipeline", "job", "lambda")}
    (found,) = check_stack(account_of(configure(aws=roles | {"bucket": "mine"}), aws))
    assert found.state is State.OK


def test_a_stack_of_another_template_or_other_parameters_is_not_up_to_date(config, configure, aws) -> None:
    make_stack(aws, config)
    found = by_subject(check_stack(account_of(config, aws)))
    assert found["stack"].state is State.OK
    assert found["stack: up to date"].state is State.OK
    changed = by_subject(check_stack(account_of(configure(registry={"group": "other"}), aws)))
    assert changed["stack: up to date"].state is State.ATTENTION
    assert changed["stack: up to date"].found == "differs in parameter ModelPackageGroup"


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("UPDATE_COMPLETE", State.OK),
        ("UPDATE_IN_PROGRESS", State.ATTENTION),
        ("UPDATE_ROLLBACK_COMPLETE", State.ATTENTION),
        ("ROLLBACK_COMPLETE", State.FAILED),
        ("DELETE_FAILED", State.FAILED),
    ],
)
def test_a_stacks_status_decides(config, aws, status, state) -> None:
    assert states(stack_findings(config, aws, status, {"StackDriftStatus": "IN_SYNC"}))["stack"] is state


def test_drift_is_read_and_never_looked_for(config, aws) -> None:
    when = datetime(2026, 11, 1, 12, 30, tzinfo=UTC)
    drifted = stack_findings(
        config, aws, "CREATE_COMPLETE", {"StackDriftStatus": "DRIFTED", "LastCheckTimestamp": when}
    )
    assert by_subject(drifted)["stack: drift"].state is State.ATTENTION
    assert "2026-11-01 12:30" in by_subject(drifted)["stack: drift"].found
    unchecked = stack_findings(config, aws, "CREATE_COMPLETE", {"StackDriftStatus": "NOT_CHECKED"})
    assert by_subject(unchecked)["stack: drift"].state is State.UNKNOWN
    assert "detect-stack-drift" in by_subject(unchecked)["stack: drift"].to_do
    in_sync = stack_findings(config, aws, "CREATE_COMPLETE", {"StackDriftStatus": "IN_SYNC"})
    assert by_subject(in_sync)["stack: drift"].state is State.OK


def stack_findings(config, aws, status: str, drift: dict[str, Any]) -> list[Finding]:
    name, client = config.pipeline.name, aws.client("cloudformation")
    stack = {"StackName": name, "CreationTime": datetime.now(UTC), "StackStatus": status, "DriftInformation": drift}
    with Stubber(client) as stub:
        stub.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": name})
        stub.add_response("get_template", {"TemplateBody": "x"}, {"StackName": name, "TemplateStage": "Original"})
        findings = [*check_stack(account_of(config, aws, cloudformation=client))]
        stub.assert_no_pending_responses()
    return findings


# Function and rules


def test_a_published_function_and_rules_are_compared_with_the_configuration(config, configure, aws) -> None:
    account = account_of(config, aws)
    assert set(states([*check_function(account), *check_rules(account)]).values()) == {State.ATTENTION}
    make_stack(aws, config)
    account = account_of(config, aws)
    publish_function(aws.client("lambda"), config, account.resources)
    apply_triggers(config, account.resources, aws)
    assert set(states([*check_function(account), *check_rules(account)]).values()) == {State.OK}

    aws.client("events").disable_rule(Name=f"{config.pipeline.name}-approved")
    assert states(check_rules(account))["rule: approved"] is State.ATTENTION
    (changed,) = check_function(account_of(configure(deploy={"data_capture_percentage": 5}), aws))
    assert changed.state is State.ATTENTION
    assert "update Environment" in changed.found
