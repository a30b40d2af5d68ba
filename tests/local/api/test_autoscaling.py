"""Application Auto Scaling: which targets and policies are refused, in the codes and words of AWS."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from deployment.endpoint_scaling import Scaling

from tests.local.conftest import IMAGE, make_artifact

DIMENSION = "sagemaker:variant:DesiredInstanceCount"
TARGET = {
    "ServiceNamespace": "sagemaker",
    "ScalableDimension": DIMENSION,
    "ResourceId": "endpoint/scaled/variant/AllTraffic",
}
ABSENT = {**TARGET, "ResourceId": "endpoint/scaled/variant/absent"}
BOUNDS = {"MinCapacity": 1, "MaxCapacity": 4}
METRIC = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
TRACKING = {"TargetValue": 800.0, "PredefinedMetricSpecification": METRIC}
POLICY: dict[str, Any] = {
    "PolicyName": "p",
    "PolicyType": "TargetTrackingScaling",
    "TargetTrackingScalingPolicyConfiguration": TRACKING,
    **TARGET,
}
STEPS = {"AdjustmentType": "ChangeInCapacity", "StepAdjustments": [{"ScalingAdjustment": 1}]}
SCHEDULED = {**TARGET, "ScheduledActionName": "a", "Schedule": "nonsense", "ScalableTargetAction": BOUNDS}


@pytest.fixture(scope="module")
def autoscaling(service, tmp_path_factory):
    """A client, beside an endpoint with a variant that has instances, and one without."""
    s3, sagemaker = service.client("s3"), service.client("sagemaker")
    s3.create_bucket(Bucket="models")
    s3.put_object(Bucket="models", Key="m.tar.gz", Body=make_artifact(tmp_path_factory.mktemp("model"), [1.0]))
    container = {"Image": IMAGE, "ModelDataUrl": "s3://models/m.tar.gz"}
    sagemaker.create_model(ModelName="m", PrimaryContainer=container)
    variants: dict[str, dict[str, Any]] = {
        "scaled": {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1},
        "serverless": {"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}},
    }
    for name, members in variants.items():
        variant = {"VariantName": "AllTraffic", "ModelName": "m", **members}
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1})
    return service.client("application-autoscaling", parameter_validation=False)


@pytest.fixture
def target(autoscaling):
    autoscaling.register_scalable_target(**TARGET, **BOUNDS)
    yield
    autoscaling.deregister_scalable_target(**TARGET)


def refusal(autoscaling, operation: str, request: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        getattr(autoscaling, operation)(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({**TARGET, "ResourceId": "endpoint/absent/variant/AllTraffic", **BOUNDS}, 'Could not find endpoint "'),
        ({**ABSENT, **BOUNDS}, "Could not find production variant absent"),
        ({**TARGET, "ResourceId": "endpoint/serverless/variant/AllTraffic", **BOUNDS}, "AllTraffic is serverless"),
        ({**TARGET, "ResourceId": "endpoint/scaled", **BOUNDS}, "Unsupported service namespace"),
        ({**TARGET, "ScalableDimension": "ecs:service:DesiredCount", **BOUNDS}, "Unsupported service namespace"),
        ({**TARGET, "MinCapacity": 5, "MaxCapacity": 4}, "Maximum capacity cannot be less than minimum capacity"),
        ({**TARGET, "MinCapacity": -1, "MaxCapacity": 4}, "Minimum capacity must be greater than or equal to 0"),
        ({**TARGET, "MaxCapacity": 4}, "are required to register a new scalable target"),
    ],
)
def test_a_target_that_cannot_be_scaled_is_refused(autoscaling, request_, words) -> None:
    code, message = refusal(autoscaling, "register_scalable_target", request_)
    assert code == "ValidationException"
    assert words in message
    assert not autoscaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]


def tracking(**members: Any) -> dict[str, Any]:
    return {**POLICY, "TargetTrackingScalingPolicyConfiguration": {"TargetValue": 1.0, **members}}


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (
            tracking(PredefinedMetricSpecification={"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}),
            f"Scalable dimension {DIMENSION} only supports the following predefined metric types: ",
        ),
        (tracking(PredefinedMetricSpecification={**METRIC, "ResourceLabel": "a"}), "ResourceLabel"),
        (tracking(), "Exactly one of PredefinedMetricSpecification"),
        ({**TARGET, "PolicyName": "p"}, "PolicyType is required"),
        ({**TARGET, "PolicyName": "p", "PolicyType": "PredictiveScaling"}, "PredictiveScaling is not supported"),
        ({**TARGET, "PolicyName": "p", "PolicyType": "StepScaling"}, "StepScalingPolicyConfiguration is required"),
        ({**POLICY, "StepScalingPolicyConfiguration": STEPS}, "StepScalingPolicyConfiguration is not allowed"),
    ],
)
def test_a_policy_that_cannot_scale_the_target_is_refused(autoscaling, target, request_, words) -> None:
    code, message = refusal(autoscaling, "put_scaling_policy", request_)
    assert code == "ValidationException"
    assert words in message
    assert not autoscaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]


def test_what_is_not_registered_is_not_found(autoscaling, target) -> None:
    named = {**TARGET, "PolicyName": "absent"}
    place = f"service namespace: sagemaker, resource ID: {ABSENT['ResourceId']}, scalable dimension: {DIMENSION}"
    requests: list[tuple[str, dict[str, Any], str]] = [
        ("put_scaling_policy", {**POLICY, **ABSENT}, f"No scalable target registered for {place}"),
        ("deregister_scalable_target", ABSENT, f"No scalable target found for {place}"),
        ("delete_scaling_policy", named, "No scaling policy found for service namespace: sagemaker, "),
    ]
    for operation, request, words in requests:
        code, message = refusal(autoscaling, operation, request)
        assert code == "ObjectNotFoundException"
        assert message.startswith(words)


def test_what_would_have_no_effect_is_refused_by_name(autoscaling, target) -> None:
    provisioned = "sagemaker:variant:DesiredProvisionedConcurrency"
    requests: list[tuple[str, dict[str, Any], str]] = [
        ("put_scheduled_action", SCHEDULED, "PutScheduledAction"),
        ("register_scalable_target", {**TARGET, "ServiceNamespace": "ecs", **BOUNDS}, "for ecs"),
        ("register_scalable_target", {**TARGET, "ScalableDimension": provisioned, **BOUNDS}, f"for {provisioned}"),
    ]
    for operation, request, words in requests:
        code, message = refusal(autoscaling, operation, request)
        assert code == "NotImplementedException"
        assert message.startswith("not implemented by the local service: application-autoscaling:")
        assert message.endswith(words)
    assert not autoscaling.describe_scheduled_actions(ServiceNamespace="sagemaker")["ScheduledActions"]


def test_a_target_and_its_policies_are_changed_and_deleted(autoscaling, target) -> None:
    autoscaling.put_scaling_policy(**POLICY)
    autoscaling.put_scaling_policy(
        **{**TARGET, "PolicyName": "s", "PolicyType": "StepScaling", "StepScalingPolicyConfiguration": STEPS}
    )
    autoscaling.register_scalable_target(**TARGET, MinCapacity=2)
    code, _ = refusal(autoscaling, "register_scalable_target", {**TARGET, "MinCapacity": 5})
    assert code == "ValidationException"
    [described] = autoscaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (described["MinCapacity"], described["MaxCapacity"]) == (2, 4)
    autoscaling.deregister_scalable_target(**TARGET)
    autoscaling.register_scalable_target(**TARGET, **BOUNDS)
    assert not autoscaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]


def test_the_deploying_function_registers_changes_and_stops_autoscaling(autoscaling) -> None:
    options = {"min_instances": 1, "max_instances": 2, "invocations_per_instance": 800}
    for most in (2, 3):
        Scaling(autoscaling, {**options, "max_instances": most}).agree("scaled")
        [described] = autoscaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
        assert described["MaxCapacity"] == most
    [policy] = autoscaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 800
    assert [Scaling(autoscaling, None).stop("scaled") for _ in range(2)] == [True, False]


def test_a_scaled_variant_keeps_its_instance_type_and_is_deregistered_with_its_endpoint(service, autoscaling) -> None:
    sagemaker = service.client("sagemaker")
    for name in ("ml.m5.large", "ml.m5.xlarge"):
        variant = {"VariantName": "v", "ModelName": "m", "InstanceType": name, "InitialInstanceCount": 1}
        sagemaker.create_endpoint_config(EndpointConfigName=name.replace(".", "-"), ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="ml-m5-large")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="e", WaiterConfig={"Delay": 1})
    target = {**TARGET, "ResourceId": "endpoint/e/variant/v"}
    autoscaling.register_scalable_target(**target, **BOUNDS)
    autoscaling.put_scaling_policy(**{**POLICY, **target})
    with pytest.raises(ClientError, match=r"from ml\.m5\.large to ml\.m5\.xlarge: deregister the variant"):
        sagemaker.update_endpoint(EndpointName="e", EndpointConfigName="ml-m5-xlarge")
    sagemaker.update_endpoint(EndpointName="e", EndpointConfigName="ml-m5-large")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="e", WaiterConfig={"Delay": 1})
    sagemaker.delete_endpoint(EndpointName="e")
    assert not autoscaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert not autoscaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
