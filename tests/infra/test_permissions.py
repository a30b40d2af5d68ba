"""Each role may do what its code does, and no more.

What code of this repository calls is read from its source. What SageMaker, Lambda and Spark do with a role besides
is not in our source: it is listed here, with where AWS documents it.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.algorithms.table import ALGORITHMS
from pipeline.definition.resources import conventional_resources
from tests.infra.calls import iam_actions
from tests.infra.conftest import ACCOUNT, REGION, ROOT, configured, made_roles
from tests.infra.policies import Policies

STEPS = ROOT / "steps"
SAGEMAKER = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"

# SageMaker Developer Guide, "How to use SageMaker execution roles": input, output, image, logs and metrics of a job.
# Spark's S3A file system writes a result by copying and deleting a temporary one.
EVERY_JOB = {
    "s3:ListBucket",
    "s3:GetObject",
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:AbortMultipartUpload",
    "ecr:GetAuthorizationToken",
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:DescribeLogStreams",
    "logs:PutLogEvents",
    "cloudwatch:PutMetricData",
}
# The same guide, "Give SageMaker training jobs access to resources in your VPC".
JOBS_IN_VPC = {
    f"ec2:{action}"
    for action in (
        "CreateNetworkInterface",
        "CreateNetworkInterfacePermission",
        "DeleteNetworkInterface",
        "DeleteNetworkInterfacePermission",
        "DescribeDhcpOptions",
        "DescribeNetworkInterfaces",
        "DescribeSecurityGroups",
        "DescribeSubnets",
        "DescribeVpcs",
    )
}
# Lambda Developer Guide: the managed policies AWSLambdaBasicExecutionRole and AWSLambdaVPCAccessExecutionRole.
EVERY_FUNCTION = {"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}
FUNCTIONS_IN_VPC = {
    f"ec2:{action}"
    for action in (
        "AssignPrivateIpAddresses",
        "CreateNetworkInterface",
        "DeleteNetworkInterface",
        "DescribeNetworkInterfaces",
        "DescribeSubnets",
        "UnassignPrivateIpAddresses",
    )
}
# Implied by what the function passes along: a role (ExecutionRoleArn), tags, alarms to roll back on; and "Auto scaling
# prerequisites" of the SageMaker Developer Guide for registering a variant.
DEPLOYING = {
    "iam:PassRole",
    "iam:CreateServiceLinkedRole",
    "cloudwatch:DeleteAlarms",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:PutMetricAlarm",
    "sagemaker:DescribeEndpointConfig",
    "sagemaker:UpdateEndpointWeightsAndCapacities",
}
# What SageMaker Pipelines calls in its role's name for a step of each type: the step's Create operation, the Describe
# and List operations behind the step's properties, Stop when the execution is stopped.
STEP_TYPES = {
    "Processing": {
        "sagemaker:CreateProcessingJob",
        "sagemaker:DescribeProcessingJob",
        "sagemaker:StopProcessingJob",
        "sagemaker:AddTags",
        "iam:PassRole",
    },
    "Training": {
        "sagemaker:CreateTrainingJob",
        "sagemaker:DescribeTrainingJob",
        "sagemaker:StopTrainingJob",
        "sagemaker:AddTags",
        "iam:PassRole",
    },
    "Tuning": {
        "sagemaker:CreateHyperParameterTuningJob",
        "sagemaker:DescribeHyperParameterTuningJob",
        "sagemaker:ListTrainingJobsForHyperParameterTuningJob",
        "sagemaker:StopHyperParameterTuningJob",
        "sagemaker:AddTags",
        "iam:PassRole",
    },
    "RegisterModel": {
        "sagemaker:CreateModelPackage",
        "sagemaker:CreateModelPackageGroup",
        "sagemaker:DescribeModelPackage",
        "sagemaker:DescribeModelPackageGroup",
        "sagemaker:AddTags",
        "ecr:BatchGetImage",
        "s3:GetObject",
    },
    "Lambda": {"lambda:InvokeFunction"},
    "Condition": {"s3:GetObject", "s3:ListBucket"},
    "Fail": set(),
}
WITH_KEY = {"kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey", "kms:CreateGrant"}
# OutputDataConfig.KmsKeyId of the API reference: the execution role of a job that writes under a key.
WRITING_WITH_KEY = {"kms:Encrypt"}


@pytest.fixture(scope="module")
def roles():
    """The policies of a role of the stack that the project's own configuration gives."""
    return made_roles(configured()).__getitem__


@pytest.fixture(scope="module")
def guarded():
    """The same of a stack with a key and a VPC."""
    vpc = {"subnets": ["subnet-1"], "security_group_ids": ["sg-1"]}
    return made_roles(configured(aws={"kms_key_arn": KEY, "vpc": vpc})).__getitem__


def job_calls() -> set[str]:
    return iam_actions(*_job_files())


def _job_files() -> list[Path]:
    jobs = [path for path in STEPS.glob("*.py") if path.name != "deploy_endpoint.py"]
    return [*jobs, *(STEPS / "evaluation").glob("*.py")]


def function_calls() -> set[str]:
    return iam_actions(STEPS / "deploy_endpoint.py", *(STEPS / "deployment").glob("*.py"))


def test_the_source_tells_what_the_steps_call() -> None:
    assert {"sagemaker:DescribeTrainingJob", "sagemaker:InvokeEndpoint", "s3:ListBucket"} <= job_calls()
    assert {"sagemaker:UpdateEndpoint", "sagemaker:ListModels", "sagemaker:ListModelPackages"} <= function_calls()


def test_a_call_that_is_added_is_noticed(tmp_path: Path) -> None:
    step = tmp_path / "step.py"
    step.write_text(
        "import boto3\nlake = boto3.client('s3')\nlake.upload_file('a', 'b', 'c')\n"
        "boto3.client('sagemaker').get_paginator('list_endpoints')\n"
    )
    assert iam_actions(step) == {"s3:PutObject", "s3:AbortMultipartUpload", "sagemaker:ListEndpoints"}


def test_jobs_may_do_what_they_do_and_no_more(roles) -> None:
    assert roles("job").actions() == job_calls() | EVERY_JOB


def test_the_function_may_do_what_it_does_and_no_more(roles) -> None:
    assert roles("lambda").actions() == function_calls() | EVERY_FUNCTION | DEPLOYING


def test_the_pipeline_may_do_what_its_steps_are_and_no_more(roles) -> None:
    # Of the definition only the types of its steps matter here; its own tests pin that these are all.
    types = {"Processing", "Training", "Tuning", "RegisterModel", "Lambda", "Condition", "Fail"}
    assert roles("pipeline").actions() == set().union(*(STEP_TYPES[name] for name in types))


def test_eventbridge_may_start_this_pipeline_only(roles, config) -> None:
    events = roles("events")
    assert events.actions() == {"sagemaker:StartPipelineExecution"}
    assert events.allow("sagemaker:StartPipelineExecution", f"{SAGEMAKER}:pipeline/{config.pipeline.name}")
    assert not events.allow("sagemaker:StartPipelineExecution", f"{SAGEMAKER}:pipeline/another")


def test_a_key_and_a_vpc_add_what_they_need_and_no_more(guarded) -> None:
    function = function_calls() | EVERY_FUNCTION | DEPLOYING
    assert guarded("job").actions() == job_calls() | EVERY_JOB | WITH_KEY | WRITING_WITH_KEY | JOBS_IN_VPC
    assert guarded("lambda").actions() == function | WITH_KEY | FUNCTIONS_IN_VPC
    assert guarded("pipeline").actions() >= WITH_KEY
    assert guarded("job").allow("kms:Decrypt", KEY)
    assert guarded("job").allow("kms:Encrypt", KEY)
    assert not guarded("job").allow("kms:Decrypt", KEY.replace("1111", "9999"))
    assert not guarded("job").allow("kms:CreateGrant", KEY, kms_GrantIsForAWSResource="false")


def test_no_role_has_a_wildcard_in_an_action(guarded) -> None:
    for kind in ("job", "pipeline", "lambda", "events"):
        assert not [action for action in guarded(kind).actions() if "*" in action]


# Actions that AWS's Service Authorization Reference gives no resource to limit them to.
WITHOUT_RESOURCE = {
    "ecr:GetAuthorizationToken",
    "cloudwatch:PutMetricData",
    "cloudwatch:DescribeAlarms",
    "sagemaker:ListEndpointConfigs",
    "sagemaker:ListModelPackages",
    "sagemaker:ListModels",
    "application-autoscaling:DescribeScalableTargets",
}


@pytest.mark.parametrize("kind", ["job", "pipeline", "lambda", "events"])
def test_every_action_that_can_be_is_limited_to_resources_of_the_pipeline(roles, kind) -> None:
    for statement in roles(kind).statements:
        if statement["Resource"] == "*":
            actions = statement["Action"]
            assert set(actions if isinstance(actions, list) else [actions]) <= WITHOUT_RESOURCE


@pytest.mark.parametrize("repository", [algorithm.repository for algorithm in ALGORITHMS.values()])
def test_jobs_pull_and_registration_resolves_the_image_of_each_algorithm(roles, repository) -> None:
    image = f"arn:aws:ecr:us-east-1:999999999999:repository/{repository}"
    assert all(roles("job").allow(f"ecr:{action}", image) for action in ("BatchGetImage", "GetDownloadUrlForLayer"))
    assert roles("pipeline").allow("ecr:BatchGetImage", image)
    assert not roles("job").allow("ecr:BatchGetImage", image.replace(repository, "another"))


def test_the_job_role_can_be_passed_to_sagemaker_only(roles, config) -> None:
    job = conventional_resources(config, ACCOUNT).job_role_arn
    for kind in ("pipeline", "lambda"):
        assert roles(kind).allow("iam:PassRole", job, iam_PassedToService="sagemaker.amazonaws.com")
        assert not roles(kind).allow("iam:PassRole", job, iam_PassedToService="ec2.amazonaws.com")
        assert not roles(kind).allow(
            "iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/admin", iam_PassedToService="sagemaker.amazonaws.com"
        )


def test_jobs_write_results_and_scores_only(roles, config) -> None:
    bucket = f"arn:aws:s3:::{conventional_resources(config, ACCOUNT).bucket}"
    name, job = config.pipeline.name, roles("job")
    assert job.allow("s3:PutObject", f"{bucket}/{name}/executions/abc/folds/vc1/test/part-0.csv")
    assert job.allow("s3:GetObject", f"{bucket}/{name}/code/0f/make_folds.py")
    assert job.allow("s3:GetObject", f"{bucket}/{name}/batch/0f/input/part-00000.csv")
    assert job.allow("s3:PutObject", f"{bucket}/{name}/batch/0f/output/part-00000.csv.out")
    assert not job.allow("s3:DeleteObject", f"{bucket}/{name}/batch/0f/input/part-00000.csv")
    for key in (f"{name}/code/0f/make_folds.py", f"{name}/data/0f/insurance.csv", "another/executions/abc/x"):
        assert not job.allow("s3:PutObject", f"{bucket}/{key}")
        assert not job.allow("s3:DeleteObject", f"{bucket}/{key}")
    assert not job.allow("s3:GetObject", "arn:aws:s3:::another-bucket/key")


def test_jobs_read_the_input_that_the_configuration_names() -> None:
    job = made_roles(configured(dataset={"input": "s3://lake/claims/2026"}))["job"]
    assert job.allow("s3:GetObject", "arn:aws:s3:::lake/claims/2026/part-0.csv")
    assert job.allow("s3:ListBucket", "arn:aws:s3:::lake")
    assert not job.allow("s3:GetObject", "arn:aws:s3:::lake/salaries/2026.csv")
    assert not job.allow("s3:PutObject", "arn:aws:s3:::lake/claims/2026/part-0.csv")


def test_the_function_touches_endpoints_of_its_pipeline_only(roles) -> None:
    function = roles("lambda")
    for action in ("sagemaker:CreateEndpoint", "sagemaker:UpdateEndpoint", "sagemaker:DeleteEndpoint"):
        assert function.allow(action, f"{SAGEMAKER}:endpoint/insurance-cross-validation")
        assert function.allow(action, f"{SAGEMAKER}:endpoint/insurance-cross-validation-trial")
        assert not function.allow(action, f"{SAGEMAKER}:endpoint/fraud")


def test_the_function_may_touch_what_it_makes_for_the_longest_endpoint_name() -> None:
    from deployment.endpoint_names import stem_of

    endpoint = "e" * 30 + "-" + "f" * 32
    function = made_roles(configured(deploy={"endpoint_name": endpoint}))["lambda"]
    made = f"{stem_of(endpoint)}-v1-0123456789"
    assert function.allow("sagemaker:CreateModel", f"{SAGEMAKER}:model/{made}")
    assert function.allow("sagemaker:CreateEndpoint", f"{SAGEMAKER}:endpoint/{endpoint}")


def test_the_pipeline_invokes_its_own_function_only(roles, config) -> None:
    resources = conventional_resources(config, ACCOUNT)
    assert roles("pipeline").allow("lambda:InvokeFunction", resources.deploy_function_arn)
    assert not roles("pipeline").allow("lambda:InvokeFunction", f"{resources.deploy_function_arn}-2")


def test_each_role_can_be_assumed_by_its_own_service_only(aws, stack, config) -> None:
    stack(config)
    iam = aws.client("iam")
    services = {"job": "sagemaker", "pipeline": "sagemaker", "lambda": "lambda", "events": "events"}
    for kind, service in services.items():
        document = iam.get_role(RoleName=f"{config.pipeline.name}-{kind}-{REGION}")["Role"]["AssumeRolePolicyDocument"]
        (statement,) = (json.loads(document) if isinstance(document, str) else document)["Statement"]
        assert statement["Principal"] == {"Service": f"{service}.amazonaws.com"}


def test_policies_are_evaluated_as_iam_does() -> None:
    policies = Policies(
        [
            {"Action": ["a:Get"], "Resource": "arn:x/*"},
            {"Action": "a:Put", "Resource": ["arn:y"], "Condition": {"StringEquals": {"a:b-c": "d"}}},
        ]
    )
    assert policies.allow("a:Get", "arn:x/1")
    assert not policies.allow("a:Get", "arn:y/1")
    assert policies.allow("a:Put", "arn:y", a_b_c="d")
    assert not policies.allow("a:Put", "arn:y", a_b_c="e")
    assert not policies.allow("a:Put", "arn:y")
