"""The Lambda function against moto's SageMaker and Application Auto Scaling.

moto has no UpdateEndpoint, deletes at once and is always InService: ``Account`` puts the documented transitions
in its place, so that the states that AWS goes through can be met.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import boto3
import botocore.loaders
import botocore.session
import deploy_endpoint
import pytest
from deployment import deployer
from deployment.deployer import MAX_LOST_RACES, DeploymentError, VerificationError
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sagemaker.models import sagemaker_backends

from pipeline.config.models import AutoscalingSection, ServerlessSection, VpcSection
from pipeline.definition.resources import conventional_resources
from pipeline.operate.deployment_options import deployment_options
from pipeline.operate.deployment_requests import deployment_requests
from tests.pauses import replace_pauses

if TYPE_CHECKING:
    from types_boto3_sagemaker.type_defs import ModelPackageContainerDefinitionTypeDef

REGION = "us-east-1"
OPTIONS: dict[str, Any] = {
    "pipeline_name": "Insurance",
    "role_arn": "arn:aws:iam::123456789012:role/insurance-job-us-east-1",
    "serverless": None,
    "autoscaling": None,
    "data_capture": None,
    "rollback_alarms": [],
    "kms_key_arn": None,
    "vpc": None,
    "tags": {"project": "insurance"},
}
EXECUTION = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/insurance/execution/abc"
METADATA = {
    "pipeline_execution_arn": EXECUTION,
    "endpoint_name": "insurance",
    "endpoint_instance_type": "ml.m5.large",
    "endpoint_instance_count": "1",
}
RESOURCE = "endpoint/insurance/variant/AllTraffic"
SCALING = {"min_instances": 1, "max_instances": 4, "invocations_per_instance": 800}


# Service models are read once for all tests: reading them takes longer than a test.
SERVICE_MODELS = botocore.loaders.create_loader()


class Account:
    """An AWS account as moto has it, and what SageMaker does that moto does not."""

    def __init__(self) -> None:
        session = botocore.session.get_session()
        session.register_component("data_loader", SERVICE_MODELS)
        boto3.setup_default_session(region_name=REGION, botocore_session=session)
        self.calls: list[str] = []
        self.requests: dict[str, dict[str, Any]] = {}
        self.refusals: dict[str, tuple[str, str]] = {}
        self.meanwhile: dict[str, Callable[[], None]] = {}
        assert boto3.DEFAULT_SESSION is not None
        events = boto3.DEFAULT_SESSION.events
        events.register("provide-client-params.*.*", self._record)
        events.register("before-call.*.*", self._refuse)
        events.register("before-call.sagemaker.UpdateEndpoint", self._update_endpoint)
        self.sagemaker = boto3.client("sagemaker")
        self.autoscaling = boto3.client("application-autoscaling")
        self.sagemaker.create_model_package_group(ModelPackageGroupName="insurance")

    def _record(self, params, model, **_) -> None:
        self.calls.append(model.name)
        self.requests[model.name] = params

    def _refuse(self, model, **_):
        self.meanwhile.get(model.name, lambda: None)()
        if model.name not in self.refusals:
            return None
        code, message = self.refusals.pop(model.name)
        return types.SimpleNamespace(status_code=400), {"Error": {"Code": code, "Message": message}}

    def _update_endpoint(self, **_):
        request = self.requests["UpdateEndpoint"]
        self.endpoint(request["EndpointName"]).endpoint_status = "Updating"
        self.pending = request["EndpointConfigName"]
        self.endpoint(request["EndpointName"]).pending_deployment_summary = {"EndpointConfigName": self.pending}
        return types.SimpleNamespace(status_code=200), {}

    def endpoint(self, name="insurance"):
        return sagemaker_backends[DEFAULT_ACCOUNT_ID][REGION].endpoints[name]

    def settle(self, config_name=None, name="insurance") -> None:
        """The endpoint comes into service, with a configuration if one is named."""
        endpoint = self.endpoint(name)
        endpoint.endpoint_status = "InService"
        endpoint.endpoint_config_name = config_name or endpoint.endpoint_config_name
        endpoint.pending_deployment_summary = None

    def register(self, approval="Approved", **metadata):
        container: ModelPackageContainerDefinitionTypeDef = {
            "Image": "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1"
        }
        return self.sagemaker.create_model_package(
            ModelPackageGroupName="insurance",
            InferenceSpecification={
                "Containers": [container],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
            ModelApprovalStatus=approval,
            CustomerMetadataProperties=METADATA | metadata,
        )["ModelPackageArn"]

    def configs(self):
        pages = self.sagemaker.get_paginator("list_endpoint_configs").paginate()
        return {found["EndpointConfigName"] for page in pages for found in page["EndpointConfigs"]}

    def models(self):
        pages = self.sagemaker.get_paginator("list_models").paginate()
        return {found["ModelName"] for page in pages for found in page["Models"]}

    def tags(self, name="insurance"):
        tags = self.sagemaker.list_tags(ResourceArn=self.endpoint(name).arn)["Tags"]
        return {tag["Key"]: tag["Value"] for tag in tags}

    def targets(self):
        found = self.autoscaling.describe_scalable_targets(ServiceNamespace="sagemaker")
        return {target["ResourceId"]: target for target in found["ScalableTargets"]}


@pytest.fixture
def account(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "insurance-deploy")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    configure(monkeypatch)
    with mock_aws():
        yield Account()
    boto3.DEFAULT_SESSION = None


def configure(monkeypatch, **options) -> None:
    monkeypatch.setenv("DEPLOYMENT", json.dumps(OPTIONS | options))


def invoke(event, seconds=60):
    context = types.SimpleNamespace(get_remaining_time_in_millis=lambda: seconds * 1000)
    return deploy_endpoint.handler(event, context)


def deploy(arn, count="1", instance_type="ml.m5.large", endpoint_name="insurance", **rest):
    return invoke(
        {
            "model_package_arn": arn,
            "endpoint_name": endpoint_name,
            "instance_type": instance_type,
            "instance_count": count,
        },
        **rest,
    )


def approve(arn):
    return invoke(
        {
            "detail-type": "SageMaker Model Package State Change",
            "detail": {"ModelPackageArn": arn, "ModelApprovalStatus": "Approved"},
        }
    )


def come_into_service(name="insurance"):
    return invoke(
        {
            "detail-type": "SageMaker Endpoint State Change",
            "detail": {"EndpointName": name, "EndpointStatus": "IN_SERVICE"},
        }
    )


def test_the_first_package_makes_model_config_and_endpoint(account) -> None:
    answer = deploy(account.register())
    assert answer["status"] == "Deploying"
    assert all(isinstance(value, str) for value in answer.values())
    config = account.sagemaker.describe_endpoint_config(EndpointConfigName=answer["endpoint_config_name"])
    (variant,) = config["ProductionVariants"]
    assert (variant["InstanceType"], variant["InitialInstanceCount"]) == ("ml.m5.large", 1)
    assert variant["ModelName"] == answer["model_name"]
    model = account.sagemaker.describe_model(ModelName=answer["model_name"])
    assert model["Containers"][0]["ModelPackageName"].endswith("/insurance/1")
    assert model["ExecutionRoleArn"] == OPTIONS["role_arn"]
    assert account.tags() == {
        "project": "insurance",
        "deployed-by": "insurance-deploy",
        "latest-deployment": answer["endpoint_config_name"],
    }


def test_the_same_call_twice_changes_nothing(account) -> None:
    arn = account.register()
    first = deploy(arn)
    account.calls.clear()
    second = deploy(arn)
    assert second == first | {"status": "InService"}
    assert not [call for call in account.calls if not call.startswith(("Describe", "List"))]


def test_the_same_call_during_its_own_update_says_that_it_is_deploying(account) -> None:
    deploy(account.register())
    newer = account.register()
    assert deploy(newer)["status"] == "Deploying"
    account.calls.clear()
    assert deploy(newer)["status"] == "Deploying"
    assert "UpdateEndpoint" not in account.calls


@pytest.mark.parametrize(
    ("approval", "status"), [("PendingManualApproval", "AwaitingApproval"), ("Rejected", "Rejected")]
)
def test_a_package_that_is_not_approved_is_not_deployed(account, approval, status) -> None:
    assert deploy(account.register(approval))["status"] == status
    assert not account.models()
    assert not account.sagemaker.list_endpoints()["Endpoints"]


def test_an_approval_in_studio_deploys_to_the_endpoint_that_the_pipeline_meant(account) -> None:
    arn = account.register("PendingManualApproval")
    account.sagemaker.update_model_package(
        ModelPackageArn=arn,
        ModelApprovalStatus="Approved",
        CustomerMetadataProperties=METADATA | {"endpoint_instance_count": "2"},
    )
    answer = approve(arn)
    assert answer["status"] == "Deploying"
    assert answer["endpoint_name"] == "insurance"
    assert account.endpoint().production_variants[0]["CurrentInstanceCount"] == 2


def test_the_event_of_a_package_that_the_pipeline_approved_agrees_with_its_own_step(account) -> None:
    arn = account.register()
    assert approve(arn) == deploy(arn) | {"status": "Deploying"}


@pytest.mark.parametrize("metadata", [{"endpoint_instance_count": "several"}, {"pipeline_execution_arn": "none"}])
def test_a_package_without_the_pipelines_metadata_is_refused_with_a_reason(account, metadata) -> None:
    arn = account.register(**metadata)
    with pytest.raises(DeploymentError, match="did not register it"):
        approve(arn)


def test_settings_that_no_endpoint_can_have_are_refused_with_a_reason(account) -> None:
    # Studio and the AWS CLI start executions with any values.
    with pytest.raises(DeploymentError, match=r"would refuse.*InitialInstanceCount, value: 0, valid min value: 1"):
        deploy(account.register(), count="0")


@pytest.mark.parametrize("name", ["insurance-2", "2-insurance"])
def test_the_package_of_a_pipeline_that_shares_the_group_is_left_to_that_pipeline(account, name) -> None:
    theirs = EXECUTION.replace("/insurance/", f"/{name}/")
    arn = account.register(pipeline_execution_arn=theirs)
    answer = approve(arn)
    assert (answer["status"], answer["endpoint_config_name"]) == ("Ignored", "")
    assert theirs in answer["reason"]
    assert not account.models()
    assert not account.sagemaker.list_endpoints()["Endpoints"]


def test_the_package_of_a_pipeline_that_shares_the_group_does_not_wait_for_the_endpoint(account) -> None:
    deploy(account.register())
    deploy(account.register())
    theirs = account.register(pipeline_execution_arn=EXECUTION.replace("/insurance/", "/another/"))
    with pytest.raises(DeploymentError, match=r"insurance is Updating.*retry when"):
        deploy(theirs, seconds=10.2)
    assert "waiting-model-package" not in account.tags()


def test_an_approval_during_an_update_is_deployed_afterwards(account) -> None:
    first = deploy(account.register())
    second = deploy(account.register())
    third = account.register()
    assert approve(third)["status"] == "Deferred"
    account.settle(second["endpoint_config_name"])
    answer = come_into_service()
    assert (answer["status"], answer["model_name"].startswith("insurance-v3-")) == ("Deploying", True)
    assert "waiting-model-package" not in account.tags()
    assert account.tags()["last-known-good"] == second["endpoint_config_name"]
    assert first["endpoint_config_name"] not in account.configs()


def test_an_older_package_waits_no_more_once_a_newer_one_is_deployed(account) -> None:
    deploy(account.register())
    second = deploy(account.register())
    approve(account.register())
    account.settle(second["endpoint_config_name"])
    deploy(account.register())
    assert "waiting-model-package" not in account.tags()


def test_a_new_package_updates_in_place_and_keeps_only_the_one_before(account) -> None:
    packages = [account.register() for _ in range(4)]
    names = []
    for arn in packages:
        names.append(deploy(arn)["endpoint_config_name"])
        account.settle(names[-1])
    assert account.calls.count("CreateEndpoint") == 1
    assert account.calls.count("UpdateEndpoint") == 3
    assert account.configs() == account.models() == set(names[-2:])


def test_two_that_clean_up_at_once_both_succeed(account) -> None:
    for _ in range(2):
        account.settle(deploy(account.register())["endpoint_config_name"])
    for operation in ("DeleteEndpointConfig", "DeleteModel"):
        account.refusals[operation] = ("ValidationException", f"Could not find what {operation} is to delete.")
    assert deploy(account.register())["status"] == "Deploying"
    assert not account.refusals


def test_configurations_of_other_endpoints_are_not_cleaned_up(account) -> None:
    account.sagemaker.create_model(ModelName="insurance-v1-by-hand", ExecutionRoleArn=OPTIONS["role_arn"])
    other = deploy(account.register(), endpoint_name="insurance-v2")
    for _ in range(3):
        account.settle(deploy(account.register())["endpoint_config_name"])
    assert other["endpoint_config_name"] in account.configs()
    assert {"insurance-v1-by-hand", other["model_name"]} <= account.models()


def test_an_update_that_was_rolled_back_does_not_become_the_last_known_good(account) -> None:
    good = deploy(account.register())["endpoint_config_name"]
    bad = deploy(account.register())["endpoint_config_name"]
    account.settle(good)
    better = deploy(account.register())["endpoint_config_name"]
    assert account.tags()["last-known-good"] == good
    assert account.configs() == {good, better}
    assert bad not in account.models()


def test_an_endpoint_that_is_changing_to_something_else_is_refused_with_a_sentence(account) -> None:
    deploy(account.register())
    deploy(account.register())
    with pytest.raises(DeploymentError, match=r"insurance is Updating.*retry when"):
        # Not what the package's metadata says, so no later call could deploy it so.
        deploy(account.register(), count="2", seconds=10.2)


def test_a_package_waits_for_an_endpoint_that_is_changing_longer_than_a_step_may_take(account) -> None:
    deploy(account.register())
    deploy(account.register())
    late = account.register()
    assert deploy(late, seconds=10.2)["status"] == "Deferred"
    assert account.tags()["waiting-model-package"] == late


@pytest.mark.parametrize("status", ["Failed", "OutOfService"])
def test_an_endpoint_that_failed_is_made_again(account, status) -> None:
    deploy(account.register())
    account.endpoint().endpoint_status = status
    answer = deploy(account.register())
    assert answer["status"] == "Deploying"
    assert account.endpoint().endpoint_config_name == answer["endpoint_config_name"]
    assert account.configs() == {answer["endpoint_config_name"]}


def test_an_endpoint_whose_deletion_takes_long_is_a_sentence(account, monkeypatch) -> None:
    deploy(account.register())
    account.endpoint().endpoint_status = "Deleting"
    replace_pauses(monkeypatch, deployer)
    with pytest.raises(DeploymentError, match="still being deleted"):
        deploy(account.register(), seconds=10.2)


def test_two_that_create_the_same_endpoint_at_once_both_succeed(account) -> None:
    arn = account.register()
    first = deploy(arn)
    other = account.endpoint()
    other.endpoint_status = "Creating"
    del sagemaker_backends[DEFAULT_ACCOUNT_ID][REGION].endpoints["insurance"]

    def the_other_one_was_faster() -> None:
        sagemaker_backends[DEFAULT_ACCOUNT_ID][REGION].endpoints["insurance"] = other

    account.meanwhile["CreateEndpoint"] = the_other_one_was_faster
    account.refusals["CreateEndpoint"] = (
        "ValidationException",
        'Cannot create already existing endpoint "arn:aws:sagemaker:us-east-1:123456789012:endpoint/insurance".',
    )
    assert deploy(arn) == first


def test_models_and_configs_left_by_an_interrupted_call_are_used(account) -> None:
    arn = account.register()
    account.refusals["CreateEndpoint"] = ("ThrottlingException", "Rate exceeded")
    with pytest.raises(DeploymentError, match="Rate exceeded"):
        deploy(arn)
    for operation, kind in [("CreateModel", "model"), ("CreateEndpointConfig", "endpoint configuration")]:
        account.refusals[operation] = ("ValidationException", f"Cannot create already existing {kind} X.")
    assert deploy(arn)["status"] == "Deploying"


def test_a_package_that_is_not_there_is_a_sentence(account) -> None:
    account.refusals["DescribeModelPackage"] = ("ValidationException", "ModelPackage arn:x does not exist.")
    with pytest.raises(DeploymentError, match="There is no model package arn:x"):
        deploy("arn:x")


def test_a_package_whose_own_creation_failed_is_a_sentence(account) -> None:
    arn = account.register()
    package = sagemaker_backends[DEFAULT_ACCOUNT_ID][REGION].model_packages[arn]
    package.model_package_status = "Failed"
    with pytest.raises(DeploymentError, match="is Failed, not Completed"):
        deploy(arn)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("ResourceLimitExceeded", "quota.*Service Quotas"),
        ("AccessDeniedException", "role may not call CreateEndpoint"),
        ("ValidationException", "CreateEndpoint was refused"),
    ],
)
def test_what_aws_refuses_is_a_sentence(account, code, sentence) -> None:
    account.refusals["CreateEndpoint"] = (code, "The limit 'ml.m5.large for endpoint usage' is 0 Instances.")
    with pytest.raises(DeploymentError, match=sentence):
        deploy(account.register())


def test_every_option_reaches_the_configuration(account, monkeypatch) -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    configure(
        monkeypatch,
        data_capture={"percentage": 20, "s3_uri": "s3://bucket/insurance/data-capture"},
        kms_key_arn=key,
        vpc={"subnets": ["subnet-1"], "security_group_ids": ["sg-1"]},
    )
    deploy(account.register(), count="3", instance_type="ml.c5.large")
    config = account.requests["CreateEndpointConfig"]
    assert config["KmsKeyId"] == config["DataCaptureConfig"]["KmsKeyId"] == key
    assert config["DataCaptureConfig"]["InitialSamplingPercentage"] == 20
    assert config["ProductionVariants"][0]["InitialInstanceCount"] == 3
    vpc = account.requests["CreateModel"]["VpcConfig"]
    assert vpc == {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}


@pytest.mark.parametrize("serverless", [None, ServerlessSection()])
def test_what_the_function_sends_is_what_publishing_checks_beforehand(account, monkeypatch, config, serverless) -> None:
    vpc = VpcSection(subnets=["subnet-1"], security_group_ids=["sg-1"])
    key = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    scaling = None if serverless else AutoscalingSection()
    deploy_section = config.deploy.model_copy(
        update={
            "serverless": serverless,
            "autoscaling": scaling,
            "data_capture_percentage": 5,
            "rollback_alarms": ["insurance-errors"],
        }
    )
    aws = config.aws.model_copy(update={"vpc": vpc, "kms_key_arn": key})
    config = config.model_copy(update={"aws": aws, "deploy": deploy_section})
    resources = conventional_resources(config)
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", resources.deploy_function_name)
    configure(monkeypatch, **deployment_options(config, resources))
    name = config.deploy.endpoint_name
    settings = {"count": str(deploy_section.instance_count), "instance_type": deploy_section.instance_type}
    deploy(account.register(endpoint_name=name), endpoint_name=name, **settings)
    come_into_service(name)
    sent = dict(account.requests)
    deploy(account.register(endpoint_name=name), endpoint_name=name, **settings)
    update = account.requests["UpdateEndpoint"]
    for member in ("RetainAllVariantProperties", "ExcludeRetainedVariantProperties"):
        update.pop(member, None)
    sent["UpdateEndpoint"] = update
    for request in deployment_requests(config, resources):
        assert _without_names(sent[request.operation]) == _without_names(request.members), request.operation


def _without_names(value):
    """A request without the names that the function makes up."""
    if isinstance(value, dict):
        made_up = ("ModelName", "EndpointConfigName", "ModelPackageName")
        value = value | {"Value": "*"} if value.get("Key") == "latest-deployment" else value
        return {name: "*" if name in made_up else _without_names(item) for name, item in value.items()}
    return [_without_names(item) for item in value] if isinstance(value, list) else value


def test_a_serverless_endpoint_has_no_instances(account, monkeypatch) -> None:
    configure(monkeypatch, serverless={"memory_megabytes": 2048, "max_concurrency": 5})
    deploy(account.register())
    (variant,) = account.requests["CreateEndpointConfig"]["ProductionVariants"]
    assert variant["ServerlessConfig"] == {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    assert "InstanceType" not in variant


def test_another_option_is_another_configuration(account, monkeypatch) -> None:
    arn = account.register()
    first = deploy(arn)["endpoint_config_name"]
    account.settle()
    assert deploy(arn, count="2")["endpoint_config_name"] != first


def test_updates_roll_back_on_the_alarms_that_are_named(account, monkeypatch) -> None:
    configure(monkeypatch, rollback_alarms=["insurance-errors"])
    deploy(account.register())
    deploy(account.register())
    deployment = account.requests["UpdateEndpoint"]["DeploymentConfig"]
    assert deployment["AutoRollbackConfiguration"] == {"Alarms": [{"AlarmName": "insurance-errors"}]}
    assert deployment["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]["WaitIntervalInSeconds"] == 300


def test_autoscaling_is_registered_once_the_endpoint_is_in_service(account, monkeypatch) -> None:
    configure(monkeypatch, autoscaling=SCALING)
    deploy(account.register())
    assert not account.targets()
    assert come_into_service()["status"] == "InService"
    target = account.targets()[RESOURCE]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 4)
    (policy,) = account.autoscaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 800


def test_an_update_stops_autoscaling_first_and_keeps_the_instances_it_had(account, monkeypatch) -> None:
    configure(monkeypatch, autoscaling=SCALING)
    deploy(account.register())
    come_into_service()
    deploy(account.register())
    assert not account.targets()
    assert account.calls.index("DeregisterScalableTarget") < account.calls.index("UpdateEndpoint")
    assert account.requests["UpdateEndpoint"]["RetainAllVariantProperties"] is True


def test_a_refused_update_leaves_autoscaling_on(account, monkeypatch) -> None:
    configure(monkeypatch, autoscaling=SCALING)
    deploy(account.register())
    come_into_service()
    account.refusals["UpdateEndpoint"] = ("ValidationException", "Alarm insurance-errors does not exist.")
    with pytest.raises(DeploymentError, match="insurance-errors"):
        deploy(account.register())
    assert RESOURCE in account.targets()


def test_autoscaling_that_is_configured_no_more_ends(account, monkeypatch) -> None:
    configure(monkeypatch, autoscaling=SCALING)
    arn = account.register()
    deploy(arn)
    come_into_service()
    configure(monkeypatch)
    assert deploy(arn)["status"] == "InService"
    assert not account.targets()


def test_endpoints_that_others_made_are_left_alone(account, monkeypatch) -> None:
    configure(monkeypatch, autoscaling=SCALING)
    config = deploy(account.register())["endpoint_config_name"]
    account.sagemaker.create_endpoint(EndpointName="insurance-theirs", EndpointConfigName=config)
    assert come_into_service("insurance-theirs")["status"] == "Ignored"
    assert come_into_service("gone")["status"] == "Ignored"
    assert not account.targets()


def test_an_endpoint_that_others_made_is_neither_updated_nor_rolled_back(account) -> None:
    config = deploy(account.register())["endpoint_config_name"]
    account.sagemaker.create_endpoint(EndpointName="insurance-theirs", EndpointConfigName=config)
    with pytest.raises(DeploymentError, match=r"not this pipeline's.*deployed-by=insurance-deploy"):
        deploy(account.register(), endpoint_name="insurance-theirs")
    with pytest.raises(DeploymentError, match="not this pipeline's"):
        invoke({"rollback": "insurance-theirs"})
    assert account.endpoint("insurance-theirs").endpoint_config_name == config


def test_rollback_returns_to_the_configuration_before(account) -> None:
    first = deploy(account.register())["endpoint_config_name"]
    second = deploy(account.register())["endpoint_config_name"]
    account.settle(second)
    answer = invoke({"rollback": "insurance"})
    assert answer["status"] == "Deploying"
    assert answer["endpoint_config_name"] == account.pending == first
    assert invoke({"rollback": "insurance"}) == answer


def test_a_second_rollback_does_not_return_to_what_was_left(account) -> None:
    first = deploy(account.register())["endpoint_config_name"]
    account.settle(deploy(account.register())["endpoint_config_name"])
    invoke({"rollback": "insurance"})
    account.settle(first)
    with pytest.raises(DeploymentError, match="nothing older"):
        invoke({"rollback": "insurance"})


def test_a_rollback_without_an_endpoint_or_during_an_update_is_a_sentence(account) -> None:
    with pytest.raises(DeploymentError, match="There is no endpoint insurance"):
        invoke({"rollback": "insurance"})
    deploy(account.register())
    deploy(account.register())
    with pytest.raises(DeploymentError, match="insurance is Updating"):
        invoke({"rollback": "insurance"})


def test_names_fit_into_what_aws_allows_for_the_longest_endpoint_name(account) -> None:
    longest = "e" * 63
    answer = deploy(account.register(), endpoint_name=longest)
    assert len(answer["model_name"]) <= 63
    assert deploy(account.register(), endpoint_name="e" * 62)["model_name"][:40] != answer["model_name"][:40]


IN_PROGRESS = 'Cannot update in-progress endpoint "arn:aws:sagemaker:us-east-1:123456789012:endpoint/insurance".'


@pytest.fixture
def pauses(monkeypatch):
    """What happens while the function pauses, one entry a pause; it must not pause more often."""
    happenings: list[Callable[[], None]] = []
    replace_pauses(monkeypatch, deployer, lambda _: happenings.pop(0)())
    return happenings


def test_the_pipelines_step_waits_for_an_endpoint_that_is_being_changed(account, pauses) -> None:
    older = account.register()
    deploy(account.register())
    returning = deploy(older)["endpoint_config_name"]
    pauses[:] = [lambda: None, lambda: account.settle(returning)]
    answer = deploy(account.register())
    assert answer["status"] == "Deploying"
    assert answer["replaced_config_name"] == returning
    assert account.pending == answer["endpoint_config_name"]
    assert not pauses


def test_a_step_whose_package_is_older_than_the_one_being_deployed_is_superseded(account) -> None:
    deploy(account.register())
    older, newer = account.register(), account.register()
    coming = deploy(newer)["endpoint_config_name"]
    account.calls.clear()
    assert deploy(older)["status"] == "Superseded"
    assert account.pending == coming
    assert "UpdateEndpoint" not in account.calls


def test_a_call_that_another_one_overtook_with_the_same_package_agrees_with_it(account, pauses) -> None:
    first = deploy(account.register())["endpoint_config_name"]
    arn = account.register()
    overtaken: list[bool] = []

    def the_other_one_was_faster() -> None:
        if not overtaken:
            overtaken.append(True)
            account.meanwhile.clear()
            assert approve(arn)["status"] == "Deploying"
            account.refusals["UpdateEndpoint"] = ("ValidationException", IN_PROGRESS)

    account.meanwhile["UpdateEndpoint"] = the_other_one_was_faster
    pauses[:] = [lambda: None]
    answer = deploy(arn)
    assert answer["status"] == "Deploying"
    assert answer["replaced_config_name"] == first
    assert account.tags()["last-known-good"] == first


def test_a_configuration_that_another_call_cleaned_up_is_made_again(account, pauses) -> None:
    deploy(account.register())
    arn = account.register()

    def clean_up() -> None:
        account.meanwhile.clear()
        name = account.requests["CreateEndpointConfig"]["EndpointConfigName"]
        account.sagemaker.delete_endpoint_config(EndpointConfigName=name)
        account.sagemaker.delete_model(ModelName=name)
        account.refusals["UpdateEndpoint"] = ("ValidationException", f'Could not find endpoint configuration "{name}".')

    account.meanwhile["UpdateEndpoint"] = clean_up
    pauses[:] = [lambda: None]
    answer = deploy(arn)
    assert answer["status"] == "Deploying"
    assert answer["endpoint_config_name"] in account.configs() & account.models()


def test_what_is_refused_again_and_again_is_a_sentence_with_aws_words(account, pauses) -> None:
    deploy(account.register())
    gone = 'Could not find endpoint configuration "insurance-v1".'

    def refuse() -> None:
        account.refusals["UpdateEndpoint"] = ("ValidationException", gone)

    account.meanwhile["UpdateEndpoint"] = refuse
    pauses[:] = [lambda: None] * MAX_LOST_RACES
    with pytest.raises(DeploymentError, match=r"another call changes it.*Could not find endpoint conf"):
        deploy(account.register())
    assert not pauses


def test_an_endpoint_that_another_call_made_anew_is_not_deleted_again(account, pauses) -> None:
    deploy(account.register())
    account.endpoint().endpoint_status = "Failed"
    arn = account.register()

    def made_anew() -> None:
        account.meanwhile.clear()
        account.endpoint().endpoint_status = "Creating"
        account.endpoint().endpoint_config_name = "insurance-by-hand"
        account.refusals["DeleteEndpoint"] = ("ValidationException", IN_PROGRESS)

    account.meanwhile["DeleteEndpoint"] = made_anew
    pauses[:] = [account.settle]
    answer = deploy(arn)
    assert answer["status"] == "Deploying"
    assert answer["replaced_config_name"] == "insurance-by-hand"
    assert account.calls.count("CreateEndpoint") == 1
    assert account.calls.count("DeleteEndpoint") == 1


def test_an_approval_that_comes_as_the_update_ends_is_deployed_at_once(account) -> None:
    deploy(account.register())
    second = deploy(account.register())["endpoint_config_name"]

    def come_into_service_first() -> None:
        # Its event has been and gone: nothing else would give the package its turn.
        account.meanwhile.clear()
        account.settle(second)

    account.meanwhile["AddTags"] = come_into_service_first
    answer = approve(account.register())
    assert answer["status"] == "Deploying"
    assert account.pending == answer["endpoint_config_name"]
    assert "waiting-model-package" not in account.tags()


def test_a_package_that_was_rejected_while_it_waited_waits_no_more(account) -> None:
    deploy(account.register())
    second = deploy(account.register())["endpoint_config_name"]
    third = account.register()
    assert approve(third)["status"] == "Deferred"
    account.sagemaker.update_model_package(
        ModelPackageArn=third, ModelApprovalStatus="Rejected", CustomerMetadataProperties=METADATA
    )
    account.settle(second)
    assert come_into_service()["status"] == "Rejected"
    assert "waiting-model-package" not in account.tags()


def test_a_package_that_was_deleted_while_it_waited_is_told_once(account) -> None:
    deploy(account.register())
    second = deploy(account.register())["endpoint_config_name"]
    third = account.register()
    approve(third)
    account.settle(second)
    account.refusals["DescribeModelPackage"] = ("ValidationException", f"ModelPackage {third} does not exist.")
    with pytest.raises(DeploymentError, match="There is no model package"):
        come_into_service()
    assert come_into_service()["status"] == "InService"


def test_cleaning_up_ends_when_another_call_deploys(account) -> None:
    for _ in range(3):
        account.settle(deploy(account.register())["endpoint_config_name"])
    before = account.configs()

    def another_deployment() -> None:
        endpoint = account.endpoint()
        endpoint.endpoint_status, endpoint.pending_deployment_summary = "Updating", {"EndpointConfigName": "another"}

    account.meanwhile["ListModels"] = another_deployment
    answer = deploy(account.register())
    assert account.configs() == before | {answer["endpoint_config_name"]}


def test_cleaning_up_ends_when_another_call_is_about_to_deploy(account) -> None:
    for _ in range(3):
        account.settle(deploy(account.register())["endpoint_config_name"])
    before = account.configs()

    def another_call_begins() -> None:
        del account.meanwhile["ListModels"]
        tag = {"Key": "latest-deployment", "Value": "another"}
        account.sagemaker.add_tags(ResourceArn=account.endpoint().arn, Tags=[tag])

    account.meanwhile["ListModels"] = another_call_begins
    answer = deploy(account.register())
    assert account.configs() == before | {answer["endpoint_config_name"]}


def confirm(config_name, outcome="Failed"):
    """Return the reason for which ConfirmEndpoint fails."""
    event = {"confirm": "insurance", "endpoint_config_name": config_name, "outcome": outcome, "message": "It differs."}
    with pytest.raises(VerificationError) as failure:
        invoke(event)
    return str(failure.value)


@pytest.mark.parametrize("outcome", ["Verified", "Superseded", "AwaitingApproval"])
def test_an_endpoint_that_did_not_fail_its_verification_stays(account, outcome) -> None:
    served = deploy(account.register())["endpoint_config_name"]
    account.calls.clear()
    event = {"confirm": "insurance", "endpoint_config_name": served, "outcome": outcome, "message": ""}
    assert invoke(event) == {"status": outcome}
    assert account.calls == type(account.calls)()


def test_an_endpoint_that_failed_its_verification_goes_back_to_what_served_before(account) -> None:
    good = deploy(account.register())["endpoint_config_name"]
    bad = deploy(account.register())["endpoint_config_name"]
    account.settle(bad)
    reason = confirm(bad)
    assert reason == f"It differs. insurance goes back to {good}, which served before."
    assert account.pending == good


def test_a_first_deployment_that_failed_its_verification_stays_and_says_how_to_delete_it(account) -> None:
    only = deploy(account.register())["endpoint_config_name"]
    reason = confirm(only)
    assert f"insurance stays in service with {only}" in reason
    assert "make delete LEVEL=endpoint" in reason
    assert "UpdateEndpoint" not in account.calls


def test_a_configuration_that_failed_its_verification_never_becomes_the_last_known_good(account) -> None:
    failed = deploy(account.register())["endpoint_config_name"]
    confirm(failed)
    second = deploy(account.register())["endpoint_config_name"]
    account.settle(second)
    assert "last-known-good" not in account.tags()
    assert "Nothing older is kept" in confirm(second)


def test_a_configuration_that_is_deployed_anew_may_become_the_last_known_good(account) -> None:
    arn = account.register()
    good = deploy(account.register())["endpoint_config_name"]
    again = deploy(arn)["endpoint_config_name"]
    account.settle(again)
    confirm(again)
    account.settle(good)
    account.settle(deploy(arn)["endpoint_config_name"])
    deploy(account.register())
    assert account.tags()["last-known-good"] == again


def test_a_deployment_that_another_one_replaced_is_not_taken_back(account) -> None:
    deploy(account.register())
    bad = deploy(account.register())["endpoint_config_name"]
    account.settle("insurance-v9-0123456789")
    account.calls.clear()
    assert confirm(bad).endswith(" insurance serves insurance-v9-0123456789.")
    assert "UpdateEndpoint" not in account.calls
    assert "failed-verification" not in account.tags()


@pytest.mark.parametrize(
    ("status", "words"), [("Failed", "serves nothing"), ("Updating", "is Updating and did not go back")]
)
def test_an_endpoint_that_cannot_go_back_says_why(account, status, words) -> None:
    bad = deploy(account.register())["endpoint_config_name"]
    account.endpoint().endpoint_status = status
    assert words in confirm(bad)


def test_an_endpoint_that_is_gone_cannot_go_back(account) -> None:
    assert "no endpoint insurance" in confirm("insurance-v1-0123456789")
