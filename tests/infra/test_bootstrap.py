"""Making and changing the stack."""

from __future__ import annotations

from collections import Counter

import pytest
from botocore.stub import ANY, Stubber

from pipeline.definition.resources import conventional_resources, find_resources
from pipeline.errors import UserError
from pipeline.operate.stack import StackPlan, apply_plan, discard, plan_stack, stack_parameters
from tests.infra.conftest import ACCOUNT, REGION

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"


@pytest.fixture
def cloudformation(aws):
    return aws.client("cloudformation")


def test_the_outputs_are_what_the_pipeline_looks_for(aws, stack, config) -> None:
    outputs = stack(config)
    resources = conventional_resources(config, ACCOUNT)
    assert outputs["BucketName"] == resources.bucket
    assert outputs["PipelineRoleArn"] == resources.pipeline_role_arn
    assert outputs["JobRoleArn"] == resources.job_role_arn
    assert outputs["LambdaRoleArn"] == resources.lambda_role_arn
    assert outputs["EventsRoleArn"].endswith(f":role/{config.pipeline.name}-events-{REGION}")
    assert find_resources(config, aws) == resources


def test_a_new_stack_is_described_before_anything_is_made(cloudformation, config) -> None:
    plan = plan_stack(cloudformation, config, ACCOUNT)
    assert "add 4 AWS::IAM::Role" in plan.changes
    assert not cloudformation.list_stacks()["StackSummaries"]


VPC = {"subnets": ["subnet-1"], "security_group_ids": ["sg-1"]}


@pytest.mark.parametrize("aws_section", [{}, {"bucket": "lake", "kms_key_arn": KEY, "vpc": VPC}])
def test_what_is_said_of_a_new_stack_is_what_it_has(aws, cloudformation, configure, aws_section) -> None:
    aws.client("s3").create_bucket(Bucket="lake")
    plan = plan_stack(cloudformation, configure(aws=aws_section), ACCOUNT)
    apply_plan(cloudformation, plan)
    made = cloudformation.list_stack_resources(StackName=plan.stack)["StackResourceSummaries"]
    # moto lists what it does not make without a type: the policy of a bucket, and resources with a false condition.
    counts = Counter(resource["ResourceType"] for resource in made if resource["ResourceType"])
    assert ("AWS::S3::Bucket" in counts) is ("bucket" not in aws_section)
    if "AWS::S3::Bucket" in counts:
        counts["AWS::S3::BucketPolicy"] = 1
    assert sorted(plan.changes) == sorted(f"add {count} {kind}" for kind, count in counts.items())


def test_bootstrapping_twice_changes_nothing(cloudformation, stack, config) -> None:
    stack(config)
    plan = plan_stack(cloudformation, config, ACCOUNT)
    assert plan.changes == []
    assert not cloudformation.list_change_sets(StackName=plan.stack)["Summaries"]


def test_a_changed_configuration_changes_the_stack(cloudformation, stack, config, configure) -> None:
    stack(config)
    in_vpc = configure(aws={"vpc": {"subnets": ["subnet-1"], "security_group_ids": ["sg-1"]}})
    plan = plan_stack(cloudformation, in_vpc, ACCOUNT)
    assert "parameter InVpc: false -> true" in plan.changes
    apply_plan(cloudformation, plan)
    assert plan_stack(cloudformation, in_vpc, ACCOUNT).changes == []


def test_an_expiry_that_was_set_once_stays(cloudformation, stack, config, configure) -> None:
    stack(config)
    apply_plan(cloudformation, plan_stack(cloudformation, config, ACCOUNT, expiration_days=90))
    in_vpc = configure(aws={"vpc": {"subnets": ["subnet-1"], "security_group_ids": ["sg-1"]}})
    apply_plan(cloudformation, plan_stack(cloudformation, in_vpc, ACCOUNT))
    (found,) = cloudformation.describe_stacks(StackName=config.pipeline.name)["Stacks"]
    values = {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in found["Parameters"]}
    assert (values["ExecutionExpirationDays"], values["InVpc"]) == ("90", "true")


def test_results_are_not_deleted_while_the_cache_points_at_them(cloudformation, stack, config, configure) -> None:
    with pytest.raises(UserError, match=r"EXPIRATION_DAYS=30 would delete .* Give EXPIRATION_DAYS=31 or more"):
        plan_stack(cloudformation, config, ACCOUNT, expiration_days=30)
    assert plan_stack(cloudformation, config, ACCOUNT, expiration_days=31).changes
    assert plan_stack(cloudformation, configure(caching={"enabled": False}), ACCOUNT, expiration_days=1).changes
    stack(config)
    apply_plan(cloudformation, plan_stack(cloudformation, config, ACCOUNT, expiration_days=90))
    with pytest.raises(UserError, match=r"EXPIRATION_DAYS=90 would delete .* P4M, up to 124 days"):
        plan_stack(cloudformation, configure(caching={"expire_after": "P4M"}), ACCOUNT)


def test_a_plan_that_is_declined_leaves_no_change_set(cloudformation, stack, config) -> None:
    stack(config)
    plan = plan_stack(cloudformation, config, ACCOUNT, expiration_days=90)
    discard(cloudformation, plan)
    assert not cloudformation.list_change_sets(StackName=plan.stack)["Summaries"]


def test_a_bucket_of_the_users_own_is_used_and_not_made(aws, stack, configure) -> None:
    aws.client("s3").create_bucket(Bucket="lake")
    outputs = stack(configure(aws={"bucket": "lake"}))
    assert outputs["BucketName"] == "lake"
    assert [bucket["Name"] for bucket in aws.client("s3").list_buckets()["Buckets"]] == ["lake"]


def test_naming_the_stacks_own_bucket_does_not_make_the_stack_give_it_up(configure, config) -> None:
    bucket = conventional_resources(config, ACCOUNT).bucket
    assert stack_parameters(configure(aws={"bucket": bucket}), ACCOUNT)["ExistingBucket"] == ""


def test_names_reach_the_policies(configure) -> None:
    config = configure(registry={"group": "claims"}, deploy={"endpoint_name": "claims-" + "x" * 40})
    parameters = stack_parameters(config, ACCOUNT)
    assert parameters["ModelPackageGroup"] == "claims"
    assert parameters["EndpointNamePrefix"] == "claims-" + "x" * 26


@pytest.mark.parametrize(("section", "key"), [("pipeline", "name"), ("registry", "group"), ("deploy", "endpoint_name")])
def test_a_name_that_no_bucket_or_policy_can_have_is_a_sentence(configure, section, key) -> None:
    with pytest.raises(UserError, match=rf"{section}.{key}: 'Claims' has capitals"):
        stack_parameters(configure(**{section: {key: "Claims"}}), ACCOUNT)


@pytest.mark.parametrize(
    ("status", "sentence"),
    [("ROLLBACK_COMPLETE", "earlier attempt failed.*delete it"), ("UPDATE_IN_PROGRESS", "somebody is changing it")],
)
def test_a_stack_that_cannot_be_changed_is_a_sentence(cloudformation, config, status, sentence) -> None:
    stack = {"StackName": "s", "CreationTime": "2026-01-01T00:00:00Z", "StackStatus": status}
    with Stubber(cloudformation) as stubber:
        stubber.add_response("describe_stacks", {"Stacks": [stack]})
        with pytest.raises(UserError, match=sentence):
            plan_stack(cloudformation, config, ACCOUNT)


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("insurance-123456789012-us-east-1 already exists", ""),
        (
            "User: arn:aws:sts::1:assumed-role/Engineer/me is not authorized to perform: iam:CreateRole on resource: x",
            ". CloudFormation uses your permissions: ask an administrator to make the stack "
            "(docs/operations.md, 'Your own permissions')",
        ),
    ],
)
def test_a_failed_creation_says_which_resource_and_why(cloudformation, reason, remedy) -> None:
    stack = {"StackName": "s", "CreationTime": "2026-01-01T00:00:00Z", "StackStatus": "DELETE_COMPLETE"}
    events = [
        ("Bucket", "CREATE_FAILED", reason),
        ("JobRole", "CREATE_FAILED", "Resource creation cancelled"),
        ("EventsRole", "CREATE_COMPLETE", ""),
    ]
    common = {"StackId": "arn:s", "StackName": "s", "EventId": "e", "Timestamp": "2026-01-01T00:00:00Z"}
    with Stubber(cloudformation) as stubber:
        stubber.add_response("create_stack", {"StackId": "arn:s"}, {"StackName": "s", "OnFailure": "DELETE"})
        stubber.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": "s"})
        stubber.add_response(
            "describe_stack_events",
            {
                "StackEvents": [
                    common | {"LogicalResourceId": name, "ResourceStatus": status, "ResourceStatusReason": reason}
                    for name, status, reason in events
                ]
            },
            {"StackName": ANY},
        )
        with pytest.raises(UserError) as raised:
            apply_plan(cloudformation, StackPlan("s", None, {"StackName": "s"}, []))
    assert str(raised.value).endswith(f"could not create the stack s: Bucket: {reason}{remedy}")
