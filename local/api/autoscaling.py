"""Application Auto Scaling: moto keeps scalable targets and policies, and this module checks them.

Targets are production variants with instances. Nothing is scaled. Scheduled actions are refused, because nothing would
run them; so are other services and the other dimensions of SageMaker.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from local.api.moto.checks import check_request
from local.api.moto.requests import own_head
from local.api.moto.services import MotoServices, operation_name
from local.aws.wire import HttpResponse, RequestHead, json_document
from local.core.arns import resource_key
from local.core.errors import ServiceError, not_implemented, validation_error
from local.records import resources as records
from local.records.kinds import ENDPOINT
from local.storage.store import Store

_SERVICE = "application-autoscaling"
_INSTANCES = "sagemaker:variant:DesiredInstanceCount"
_OTHER_DIMENSIONS = (
    "sagemaker:variant:DesiredProvisionedConcurrency",
    "sagemaker:inference-component:DesiredCopyCount",
)
_VARIANT = re.compile(r"endpoint/([^/]+)/variant/([^/]+)")
_METRICS = ("SageMakerVariantConcurrentRequestsPerModelHighResolution", "SageMakerVariantInvocationsPerInstance")
"""The predefined metrics of variants with instances.
https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-policy.html
"""
_CONFIGURATIONS = {
    "StepScaling": "StepScalingPolicyConfiguration",
    "TargetTrackingScaling": "TargetTrackingScalingPolicyConfiguration",
}

Request = dict[str, Any]


@dataclass(frozen=True)
class AutoScaling:
    """Application Auto Scaling's operations.

    Attributes:
        moto: Keeps the scalable targets and policies.
        store: Has the endpoints.
        region: The service's region.
    """

    moto: MotoServices
    store: Store
    region: str

    def answer(self, head: RequestHead, body: bytes) -> HttpResponse:
        """Answer a request to Application Auto Scaling.

        Raises:
            ServiceError: The request is not valid, its target does not exist, or it would have no effect here.
        """
        name = operation_name(head, body)
        check_request(_SERVICE, name, head, body)
        if name == "PutScheduledAction":
            raise not_implemented(_SERVICE, name)
        request = {member: value for member, value in json_document(body).items() if value is not None}
        if name == "RegisterScalableTarget":
            self._check_target(name, request)
        elif name == "PutScalingPolicy":
            self._check_policy(name, request)
        elif name == "DeleteScalingPolicy":
            self._check_policy_exists(request)
        elif name == "DeregisterScalableTarget":
            self._delete_policies(request)
        return self.moto.answer(head, body)

    def scaled_variants(self, endpoint_name: str) -> set[str]:
        """Return the names of an endpoint's variants that are scalable targets."""
        return set(self._registered(endpoint_name).values())

    def deregister(self, endpoint_name: str) -> None:
        """Deregister the variants of a deleted endpoint, as AWS does.

        Source: https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-delete-with-scaling.html
        """
        for resource in self._registered(endpoint_name):
            target = {"ServiceNamespace": "sagemaker", "ScalableDimension": _INSTANCES, "ResourceId": resource}
            self._delete_policies(target)
            self._send("DeregisterScalableTarget", target)

    def _registered(self, endpoint_name: str) -> dict[str, str]:
        """Return the variants of an endpoint that are scalable targets, by the targets' resource ids."""
        if not self.moto.has_changed(_SERVICE):
            return {}
        with self.moto.backend(_SERVICE, self.region) as autoscaling:
            matches = [_VARIANT.fullmatch(resource) for resource in autoscaling.targets.get(_INSTANCES, {})]
        key = resource_key(endpoint_name)
        return {match[0]: match[2] for match in matches if match and resource_key(match[1]) == key}

    def _check_target(self, name: str, request: Request) -> None:
        self._check_variant(*_variant_of(name, request))
        known = self._target(request)
        least = request.get("MinCapacity", known and known.min_capacity)
        most = request.get("MaxCapacity", known and known.max_capacity)
        if least is None or most is None:
            raise validation_error("MinCapacity and MaxCapacity are required to register a new scalable target.")
        if least < 0:
            raise validation_error("Minimum capacity must be greater than or equal to 0")
        if most < least:
            raise validation_error("Maximum capacity cannot be less than minimum capacity")

    def _check_variant(self, endpoint_name: str, variant_name: str) -> None:
        endpoint = records.find(self.store, ENDPOINT, self.region, endpoint_name)
        deployments = (endpoint, endpoint.get("PendingDeploymentSummary", {}))
        variants = [variant for part in deployments for variant in part.get("ProductionVariants", ())]
        named = [variant for variant in variants if variant["VariantName"] == variant_name]
        if not named:
            message = f'Could not find production variant {variant_name} of endpoint "{endpoint["EndpointArn"]}".'
            raise validation_error(message)
        if not any("DesiredInstanceCount" in variant for variant in named):
            raise validation_error(f"Production variant {variant_name} is serverless: it has no {_INSTANCES}.")

    def _check_policy(self, name: str, request: Request) -> None:
        _variant_of(name, request)
        if self._target(request) is None:
            raise _not_found(f"No scalable target registered for {_place(request)}")
        known = [policy for policy in self._policies(request) if policy.policy_name == request["PolicyName"]]
        kind = request.get("PolicyType", known[0].policy_type if known else None)
        if kind is None:
            raise validation_error("PolicyType is required to create a scaling policy.")
        if kind not in _CONFIGURATIONS:
            raise validation_error(f"PolicyType {kind} is not supported for service namespace sagemaker.")
        for other, member in _CONFIGURATIONS.items():
            if (member in request) != (other == kind) and not (known and other == kind):
                need = "is required" if other == kind else "is not allowed"
                raise validation_error(f"{member} {need} if PolicyType is {kind}.")
        if kind == "TargetTrackingScaling" and _CONFIGURATIONS[kind] in request:
            _check_metric(request[_CONFIGURATIONS[kind]])

    def _check_policy_exists(self, request: Request) -> None:
        if request["PolicyName"] not in [policy.policy_name for policy in self._policies(request)]:
            raise _not_found(f"No scaling policy found for {_place(request)}, policy name: {request['PolicyName']}")

    def _delete_policies(self, request: Request) -> None:
        """Delete the policies of a target that is deregistered, as AWS does and moto does not."""
        if self._target(request) is None:
            raise _not_found(f"No scalable target found for {_place(request)}")
        for policy in self._policies(request):
            self._send("DeleteScalingPolicy", {**request, "PolicyName": policy.policy_name})

    def _send(self, operation: str, request: Request) -> None:
        head = own_head(_SERVICE, self.region, f"AnyScaleFrontendService.{operation}", "1.1")
        self.moto.answer(head, json.dumps(request).encode())

    def _target(self, request: Request) -> Any:
        """Return moto's record of the request's scalable target, or None."""
        with self.moto.backend(_SERVICE, self.region) as autoscaling:
            return autoscaling.targets.get(request["ScalableDimension"], {}).get(request["ResourceId"])

    def _policies(self, request: Request) -> list[Any]:
        """Return moto's records of the policies of the request's scalable target."""
        with self.moto.backend(_SERVICE, self.region) as autoscaling:
            return [policy for policy in autoscaling.policies.values() if _is_of_target(policy, request)]


def _is_of_target(policy: Any, request: Request) -> bool:
    return (policy.service_namespace, policy.resource_id, policy.scalable_dimension) == (
        request["ServiceNamespace"],
        request["ResourceId"],
        request["ScalableDimension"],
    )


def _variant_of(name: str, request: Request) -> tuple[str, str]:
    """Return the names of the endpoint and the variant that are to be scaled.

    Raises:
        ServiceError: The request is for something else.
    """
    if request["ServiceNamespace"] != "sagemaker":
        raise not_implemented(_SERVICE, f"{name} for {request['ServiceNamespace']}")
    if request["ScalableDimension"] in _OTHER_DIMENSIONS:
        raise not_implemented(_SERVICE, f"{name} for {request['ScalableDimension']}")
    match = _VARIANT.fullmatch(request["ResourceId"])
    if request["ScalableDimension"] != _INSTANCES or match is None:
        raise validation_error("Unsupported service namespace, resource type or scalable dimension")
    return match[1], match[2]


def _check_metric(configuration: dict[str, Any]) -> None:
    predefined = configuration.get("PredefinedMetricSpecification")
    if (predefined is None) == ("CustomizedMetricSpecification" not in configuration):
        raise validation_error(
            "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must be specified."
        )
    if predefined is None:
        return
    if predefined["PredefinedMetricType"] not in _METRICS:
        # The words are AWS's: https://github.com/aws/aws-cdk/issues/29065
        raise validation_error(
            f"Scalable dimension {_INSTANCES} only supports the following predefined metric types: "
            f"{', '.join(_METRICS)}"
        )
    if "ResourceLabel" in predefined:
        raise validation_error("ResourceLabel is only for the metric type ALBRequestCountPerTarget.")


def _place(request: Request) -> str:
    return (
        f"service namespace: {request['ServiceNamespace']}, resource ID: {request['ResourceId']}, "
        f"scalable dimension: {request['ScalableDimension']}"
    )


def _not_found(message: str) -> ServiceError:
    # The words are AWS's: https://github.com/ansible/ansible/issues/40237
    return ServiceError("ObjectNotFoundException", message)
