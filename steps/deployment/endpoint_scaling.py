"""Autoscaling of the endpoint's variant, by Application Auto Scaling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypedDict

from deployment.endpoint_names import VARIANT

if TYPE_CHECKING:
    from types_boto3_application_autoscaling import ApplicationAutoScalingClient

POLICY = "invocations-per-instance"


class _Scalable(TypedDict):
    """What autoscaling changes, as its API names it."""

    ServiceNamespace: Literal["sagemaker"]
    ScalableDimension: Literal["sagemaker:variant:DesiredInstanceCount"]


SCALING: _Scalable = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}


class Scaling:
    """Applies the autoscaling of the deployment's options.

    Attributes:
        autoscaling: boto3's client.
        options: ``min_instances``, ``max_instances`` and ``invocations_per_instance``, or None for no autoscaling.
    """

    def __init__(self, autoscaling: ApplicationAutoScalingClient, options: dict[str, Any] | None) -> None:
        self.autoscaling = autoscaling
        self.options = options

    def agree(self, endpoint_name: str) -> None:
        """Apply the options to an endpoint in service."""
        scaling = self.options
        if not scaling:
            self.stop(endpoint_name)
            return
        resource = _scalable_resource(endpoint_name)
        self.autoscaling.register_scalable_target(
            ResourceId=resource, MinCapacity=scaling["min_instances"], MaxCapacity=scaling["max_instances"], **SCALING
        )
        self.autoscaling.put_scaling_policy(
            PolicyName=POLICY,
            PolicyType="TargetTrackingScaling",
            ResourceId=resource,
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": float(scaling["invocations_per_instance"]),
                "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
            },
            **SCALING,
        )

    def stop(self, endpoint_name: str) -> bool:
        """Deregister the endpoint's variant with its policies and alarms; return whether it was registered."""
        resource = _scalable_resource(endpoint_name)
        found = self.autoscaling.describe_scalable_targets(ResourceIds=[resource], **SCALING)
        if not found["ScalableTargets"]:
            return False
        self.autoscaling.deregister_scalable_target(ResourceId=resource, **SCALING)
        return True


def _scalable_resource(endpoint_name: str) -> str:
    return f"endpoint/{endpoint_name}/variant/{VARIANT}"
