"""Deleting when something is in the way, and what is found at all; the rest is shown in test_operation.py."""

from __future__ import annotations

from typing import Never

import boto3
import botocore.waiter
import pytest
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber
from moto.sagemaker.models import sagemaker_backends

from pipeline.errors import UserError
from pipeline.operate import teardown
from pipeline.operate.kept import find_kept_resources
from pipeline.operate.ownership import Ownership
from pipeline.operate.stack import apply_plan, plan_stack
from pipeline.operate.stack_deletion import StackDeletion
from pipeline.operate.stored_objects import StoredObjects
from pipeline.operate.teardown import OwnedResource, delete_resources, find_deployers, find_owned_resources
from tests.pauses import replace_pauses

IMAGE = "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1"
ARN = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/insurance/execution/abc"


def refuses(code, message):
    def delete() -> Never:
        raise ClientError({"Error": {"Code": code, "Message": message}}, "DeleteX")

    return delete


def test_what_cannot_be_deleted_does_not_stop_the_others() -> None:
    deleted = []
    owned = [
        OwnedResource("pipeline", "a", refuses("ConflictException", "it has running executions")),
        OwnedResource("model", "b", lambda: deleted.append("b")),
    ]
    assert delete_resources(owned, deleted.append) == ["pipeline a: it has running executions"]
    assert deleted == ["b", "deleted model b"]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("ResourceNotFound", "Pipeline 'a' does not exist."),
        ("ResourceNotFoundException", "Function not found"),
        ("ValidationException", 'Could not find endpoint "arn:aws:sagemaker:...".'),
        ("ValidationException", "ModelPackageGroup arn:aws:sagemaker:... does not exist."),
        ("ValidationError", "Stack with id a does not exist"),
    ],
)
def test_what_somebody_else_deleted_meanwhile_counts_as_deleted(code, message) -> None:
    said: list[str] = []
    assert delete_resources([OwnedResource("thing", "a", refuses(code, message))], said.append) == []
    assert said == ["deleted thing a"]


def test_a_running_execution_is_stopped_and_waited_for(monkeypatch) -> None:
    replace_pauses(monkeypatch, teardown)
    replace_pauses(monkeypatch, botocore.waiter)
    sagemaker = boto3.client("sagemaker", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    with Stubber(sagemaker) as stubber:
        for status in ("Executing", "Stopping", "Stopping", "Stopped"):
            stubber.add_response("describe_pipeline_execution", {"PipelineExecutionStatus": status})
            if status == "Executing":
                stop = {"PipelineExecutionArn": ARN, "ClientRequestToken": ANY}
                stubber.add_response("stop_pipeline_execution", {"PipelineExecutionArn": ARN}, stop)
        teardown._stop(sagemaker, ARN)
        stubber.assert_no_pending_responses()


def test_what_deploys_an_endpoint_again_is_found(aws, config, resources) -> None:
    assert find_deployers(Ownership(config, resources, aws), aws) == []
    events, sagemaker, name = aws.client("events"), aws.client("sagemaker"), config.pipeline.name
    for rule in (f"{name}-approved", f"{name}-schedule", f"{name}-2-schedule"):
        events.put_rule(Name=rule, ScheduleExpression="rate(7 days)")
    sagemaker.create_pipeline(PipelineName=name, PipelineDefinition="{}", RoleArn=resources.pipeline_role_arn)
    assert find_deployers(Ownership(config, resources, aws), aws) == [f"EventBridge rule {name}-schedule"]
    arn = sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]
    # moto's executions succeed at once.
    pipeline = sagemaker_backends[resources.account_id][resources.region].pipelines[name]
    pipeline.pipeline_executions[arn].pipeline_execution_status = "Executing"
    assert find_deployers(Ownership(config, resources, aws), aws) == [
        f"EventBridge rule {name}-schedule",
        f"running execution {arn}",
    ]


def make_endpoint(aws, name: str, **tags: str) -> None:
    """Create an endpoint, without a tag of its own unless one is given."""
    sagemaker, role = aws.client("sagemaker"), "arn:aws:iam::123456789012:role/job"
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer={"Image": IMAGE})
    variant = {"VariantName": "a", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    listed = [{"Key": key.replace("_", "-"), "Value": value} for key, value in tags.items()]
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name, Tags=listed)


def register(aws, group: str, **metadata: str) -> str:
    """Register a model package."""
    specification = {
        "Containers": [{"Image": IMAGE}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["application/json"],
    }
    return aws.client("sagemaker").create_model_package(
        ModelPackageGroupName=group, InferenceSpecification=specification, CustomerMetadataProperties=metadata
    )["ModelPackageArn"]


@pytest.mark.parametrize(
    ("tags", "by"),
    [
        ({"deployed_by": "second-deploy"}, "deployed by second-deploy"),
        ({}, "without the tag deployed-by"),
    ],
)
@pytest.mark.parametrize("level", teardown.LEVELS)
def test_another_owners_endpoint_of_the_same_name_is_kept_and_named(aws, config, resources, level, tags, by) -> None:
    name = config.deploy.endpoint_name
    make_endpoint(aws, name, **tags)
    make_endpoint(aws, f"{name}-2", **tags)
    assert find_owned_resources(Ownership(config, resources, aws), aws, level) == []
    assert find_kept_resources(Ownership(config, resources, aws), aws, level) == [
        f"the endpoint {name}, InService, {by}: it is billed"
    ]


def test_the_own_endpoint_and_one_without_instances_are_not_kept_and_billed(aws, config, resources) -> None:
    name = config.deploy.endpoint_name
    make_endpoint(aws, name, deployed_by=resources.deploy_function_name)
    assert find_kept_resources(Ownership(config, resources, aws), aws, "all") == []
    endpoint = sagemaker_backends[resources.account_id][resources.region].endpoints[name]
    endpoint.tags, endpoint.endpoint_status = [], "Failed"
    assert find_kept_resources(Ownership(config, resources, aws), aws, "all") == [
        f"the endpoint {name}, Failed, without the tag deployed-by"
    ]


def test_a_group_with_packages_of_others_is_kept_and_they_are_counted(aws, config, resources) -> None:
    group, own = config.registry.group, ARN.replace("/insurance/", f"/{config.pipeline.name}/")
    aws.client("sagemaker").create_model_package_group(ModelPackageGroupName=group)
    package = register(aws, group, pipeline_execution_arn=own)

    def owned() -> list[str]:
        return [resource.name for resource in find_owned_resources(Ownership(config, resources, aws), aws, "pipeline")]

    assert owned() == [package, group]
    assert find_kept_resources(Ownership(config, resources, aws), aws, "pipeline") == []
    register(aws, group, pipeline_execution_arn=ARN)
    register(aws, group)
    assert owned() == [package]
    kept = f"the model package group {group}, with 2 packages that this pipeline did not register"
    assert find_kept_resources(Ownership(config, resources, aws), aws, "pipeline") == [kept]
    assert find_kept_resources(Ownership(config, resources, aws), aws, "endpoint") == []


def test_the_log_groups_of_all_own_endpoints_are_deleted_before_the_packages_that_name_them(
    aws, config, resources
) -> None:
    sagemaker, logs, name = aws.client("sagemaker"), aws.client("logs"), config.deploy.endpoint_name
    own = ARN.replace("/insurance/", f"/{config.pipeline.name}/")
    endings = ("", "-found", "-gone", "-of-others", "-taken", "-unknown")
    for ending in endings:
        logs.create_log_group(logGroupName=f"/aws/sagemaker/Endpoints/{name}{ending}")
    logs.create_log_group(logGroupName="/aws/sagemaker/Endpoints/another")
    make_endpoint(aws, f"{name}-found", deployed_by=resources.deploy_function_name)
    make_endpoint(aws, f"{name}-taken", deployed_by="another-deploy")
    sagemaker.create_model_package_group(ModelPackageGroupName=config.registry.group)
    for ending in ("-gone", "-taken"):
        register(aws, config.registry.group, pipeline_execution_arn=own, endpoint_name=f"{name}{ending}")
    register(aws, config.registry.group, pipeline_execution_arn=ARN, endpoint_name=f"{name}-of-others")

    owned = find_owned_resources(Ownership(config, resources, aws), aws, "all")
    groups = [resource.name for resource in owned if resource.kind == "log group"]
    assert groups == [f"/aws/sagemaker/Endpoints/{name}{ending}" for ending in ("", "-found", "-gone")]
    kinds = [resource.kind for resource in owned]
    assert kinds.index("endpoint") < kinds.index("log group") < kinds.index("model package")
    assert [kept for kept in find_kept_resources(Ownership(config, resources, aws), aws, "all") if "log" in kept] == [
        f"/aws/sagemaker/Endpoints/{name}-of-others, /aws/sagemaker/Endpoints/{name}-unknown: "
        "logs of former endpoints, which may be of others"
    ]
    assert "log group" not in [
        item.kind for item in find_owned_resources(Ownership(config, resources, aws), aws, "pipeline")
    ]


def test_the_log_group_of_another_owners_endpoint_of_the_same_name_is_kept(aws, config, resources) -> None:
    name = config.deploy.endpoint_name
    make_endpoint(aws, name, deployed_by="another-deploy")
    aws.client("logs").create_log_group(logGroupName=f"/aws/sagemaker/Endpoints/{name}")
    assert find_owned_resources(Ownership(config, resources, aws), aws, "all") == []


def test_old_versions_and_deleted_objects_are_counted_and_deleted(aws) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="lake")
    s3.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
    for body in (b"1", b"2"):
        s3.put_object(Bucket="lake", Key="insurance/folds.json", Body=body)
    s3.delete_object(Bucket="lake", Key="insurance/folds.json")
    s3.put_object(Bucket="lake", Key="insurance-2/folds.json", Body=b"theirs")
    stored = StoredObjects(s3, "lake", "insurance/")
    assert stored.count() == 3
    stored.delete()
    assert stored.count() == 0
    assert s3.list_objects_v2(Bucket="lake")["KeyCount"] == 1


def test_a_bucket_that_is_not_there_has_no_objects(aws) -> None:
    assert StoredObjects(aws.client("s3"), "nowhere", "insurance/").count() == 0


@pytest.mark.filterwarnings("ignore:Tried to parse AWS..S3..BucketPolicy")
def test_a_stack_of_the_same_name_that_is_another_pipelines_is_left_alone(aws, configure, config, resources) -> None:
    cloudformation = aws.client("cloudformation")
    apply_plan(cloudformation, plan_stack(cloudformation, config, resources.account_id))
    other = configure(pipeline={"name": "another"}, aws={"stack_name": config.pipeline.name})
    assert "CloudFormation" in find_owned_resources(Ownership(config, resources, aws), aws, "all")[-1].kind
    assert find_owned_resources(Ownership(other, resources, aws), aws, "all") == []
    assert find_kept_resources(Ownership(config, resources, aws), aws, "all") == []
    assert find_kept_resources(Ownership(other, resources, aws), aws, "pipeline") == []
    (kept,) = find_kept_resources(Ownership(other, resources, aws), aws, "all")
    assert kept == f"the CloudFormation stack {config.pipeline.name}, which is not of the pipeline another"


def test_an_empty_bucket_that_cannot_be_deleted_is_a_failure_of_now(aws, resources) -> None:
    cloudformation, s3 = aws.client("cloudformation"), aws.client("s3")
    stack = "arn:aws:cloudformation:us-east-1:123456789012:stack/a/1"
    s3.create_bucket(Bucket=resources.bucket)

    def event(name: str, status: str, reason: str) -> dict[str, object]:
        physical = stack if name == "a" else "x"
        of_stack = {"StackId": stack, "StackName": "a", "EventId": "1", "Timestamp": 0, "PhysicalResourceId": physical}
        return of_stack | {"LogicalResourceId": name, "ResourceStatus": status, "ResourceStatusReason": reason}

    with Stubber(cloudformation) as stubber:
        stubber.add_response("delete_stack", {}, {"StackName": "a"})
        described = {"StackName": "a", "CreationTime": 0, "StackStatus": "DELETE_FAILED"}
        stubber.add_response("describe_stacks", {"Stacks": [described]})
        events = [
            event("a", "DELETE_FAILED", "The following resource(s) failed to delete: [Bucket]. "),
            event("Bucket", "DELETE_FAILED", "denied"),
            event("a", "DELETE_IN_PROGRESS", "User Initiated"),
            event("JobRole", "DELETE_FAILED", "an earlier failure"),
        ]
        stubber.add_response("describe_stack_events", {"StackEvents": events})
        with pytest.raises(UserError, match=r"^Bucket: denied$"):
            StackDeletion(cloudformation, s3, "a", stack, resources.bucket)()
        stubber.assert_no_pending_responses()
