"""The requests that the deploying function will send, so that they can be checked before publishing.

A test compares them with the requests that the function sends.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from definition_language.requests import Request
from pipeline.config.models import Config
from pipeline.definition.resources import Resources
from pipeline.operate.deployment_options import deployment_options

_VARIANT = "AllTraffic"
_SCALED = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}


def deployment_requests(config: Config, resources: Resources) -> Iterator[Request]:
    """Yield the requests of a first deployment and of an update, with placeholders for generated names."""
    options = deployment_options(config, resources)
    endpoint = {"EndpointName": config.deploy.endpoint_name, "EndpointConfigName": "made-by-the-function"}
    tags = [{"Key": key, "Value": value} for key, value in options["tags"].items()]
    tags.append({"Key": "deployed-by", "Value": resources.deploy_function_name})
    yield Request("sagemaker", "CreateModel", _model(options, resources) | {"Tags": tags})
    yield Request("sagemaker", "CreateEndpointConfig", _endpoint_config(config, options) | {"Tags": tags})
    latest = {"Key": "latest-deployment", "Value": "made-by-the-function"}
    yield Request("sagemaker", "CreateEndpoint", endpoint | {"Tags": [*tags, latest]})
    yield Request("sagemaker", "UpdateEndpoint", endpoint | _rollback(options["rollback_alarms"]))
    if options["autoscaling"]:
        yield from _scaling(config.deploy.endpoint_name, options["autoscaling"])


def _model(options: dict[str, Any], resources: Resources) -> dict[str, Any]:
    vpc = options["vpc"]
    return {
        "ModelName": "made-by-the-function",
        "Containers": [{"ModelPackageName": resources.arn("sagemaker", "model-package/group/1")}],
        "ExecutionRoleArn": options["role_arn"],
        **({"VpcConfig": {"Subnets": vpc["subnets"], "SecurityGroupIds": vpc["security_group_ids"]}} if vpc else {}),
    }


def _endpoint_config(config: Config, options: dict[str, Any]) -> dict[str, Any]:
    serverless, capture, key = options["serverless"], options["data_capture"], options["kms_key_arn"]
    variant: dict[str, Any] = {"VariantName": _VARIANT, "ModelName": "made-by-the-function"}
    if serverless:
        memory, concurrency = serverless["memory_megabytes"], serverless["max_concurrency"]
        variant["ServerlessConfig"] = {"MemorySizeInMB": memory, "MaxConcurrency": concurrency}
    else:
        variant["InstanceType"] = config.deploy.instance_type
        variant["InitialInstanceCount"] = config.deploy.instance_count
        variant["InitialVariantWeight"] = 1.0
    members: dict[str, Any] = {"EndpointConfigName": "made-by-the-function", "ProductionVariants": [variant]}
    if key:
        members["KmsKeyId"] = key
    if capture:
        members["DataCaptureConfig"] = {
            "EnableCapture": True,
            "InitialSamplingPercentage": capture["percentage"],
            "DestinationS3Uri": capture["s3_uri"],
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]},
            **({"KmsKeyId": key} if key else {}),
        }
    return members


def _rollback(alarms: list[str]) -> dict[str, Any]:
    if not alarms:
        return {}
    policy = {
        "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 300},
        "TerminationWaitInSeconds": 60,
    }
    named = {"Alarms": [{"AlarmName": alarm} for alarm in alarms]}
    return {"DeploymentConfig": {"BlueGreenUpdatePolicy": policy, "AutoRollbackConfiguration": named}}


def _scaling(endpoint_name: str, scaling: dict[str, Any]) -> Iterator[Request]:
    resource = _SCALED | {"ResourceId": f"endpoint/{endpoint_name}/variant/{_VARIANT}"}
    bounds = {"MinCapacity": scaling["min_instances"], "MaxCapacity": scaling["max_instances"]}
    yield Request("application-autoscaling", "RegisterScalableTarget", resource | bounds)
    tracking = {
        "TargetValue": float(scaling["invocations_per_instance"]),
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
    }
    policy = {
        "PolicyName": "invocations-per-instance",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": tracking,
    }
    yield Request("application-autoscaling", "PutScalingPolicy", resource | policy)
