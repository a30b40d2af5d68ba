"""Lambda function: put an approved model package behind an endpoint, and return at once.

It is called with one of four events:

* by the pipeline's DeployEndpoint step: ``model_package_arn``, ``endpoint_name``, ``instance_type``,
  ``instance_count``;
* by EventBridge when a person approves a package: the endpoint is then the one that the pipeline wrote into
  the package's metadata;
* by EventBridge when an endpoint has come into service: only then can its autoscaling be registered, and a
  package that was approved while the endpoint was busy gets its turn;
* by ``make rollback``: ``rollback``, the name of the endpoint to return to its last known good configuration.

The function never waits for an endpoint: a Lambda step is cut off after 10 minutes, an endpoint may take longer.
Names are derived from the package's version and everything that shapes the endpoint, so the same call made
twice changes nothing. Two tags on the endpoint are its memory: which configuration last served well, and which
package waits.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

OWNER_TAG = "deployed-by"
GOOD_TAG = "last-known-good"
WAITING_TAG = "waiting-model-package"
VARIANT = "AllTraffic"
POLICY = "invocations-per-instance"
SCALING = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}
LONGEST_STEM = 40
LONGEST_WAIT_FOR_DELETION_SECONDS = 90


class DeploymentError(Exception):
    """The endpoint was not deployed; the text says why and what to do."""


class EndpointBusyError(DeploymentError):
    """The endpoint is being changed already, to something else."""


@dataclass(frozen=True)
class Target:
    """What to serve, where, and on how many of which instances."""

    model_package_arn: str
    endpoint_name: str
    instance_type: str
    instance_count: int


def handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    """Answer one event.

    Returns:
        ``endpoint_name``, ``endpoint_config_name``, ``model_name`` and ``status``: ``Deploying``, ``InService``
        (it serves exactly this already), ``AwaitingApproval``, ``Rejected``; for EventBridge also ``Deferred``
        (the package waits for its turn) and ``Ignored`` (not this function's endpoint).

    Raises:
        DeploymentError: nothing was deployed.
    """
    deployer = Deployer(
        options=json.loads(os.environ["DEPLOYMENT"]),
        owner=os.environ["AWS_LAMBDA_FUNCTION_NAME"],
        deadline=time.monotonic() + context.get_remaining_time_in_millis() / 1000 - 10,
    )
    try:
        answer = deployer.answer(event)
    except ClientError as error:
        raise DeploymentError(_sentence(error)) from error
    print(json.dumps(answer))
    return answer


class Deployer:
    """Everything that is done to endpoints, with the clients and the options that it takes.

    Attributes:
        options: the static options of the deployment, the function's environment variable DEPLOYMENT.
        owner: this function's name, the mark on everything it makes.
        deadline: ``time.monotonic()`` after which no wait goes on.
    """

    def __init__(self, options: dict[str, Any], owner: str, deadline: float) -> None:
        patient = Config(retries={"mode": "standard", "max_attempts": 5})
        # Lambda always sets AWS_REGION.
        region = os.environ["AWS_REGION"]
        self.sagemaker = boto3.client("sagemaker", region_name=region, config=patient)
        self.autoscaling = boto3.client("application-autoscaling", region_name=region, config=patient)
        self.options = options
        self.owner = owner
        self.deadline = deadline
        self.tags = [{"Key": key, "Value": value} for key, value in options["tags"].items()]
        self.tags.append({"Key": OWNER_TAG, "Value": owner})

    def answer(self, event: dict[str, Any]) -> dict[str, str]:
        """Do what an event asks for; see the module's text for the four kinds."""
        if event.get("detail-type") == "SageMaker Model Package State Change":
            return self.deploy_approved(event["detail"]["ModelPackageArn"])
        if event.get("detail-type") == "SageMaker Endpoint State Change":
            return self.take_into_service(event["detail"]["EndpointName"])
        if "rollback" in event:
            return self.roll_back(event["rollback"])
        target = Target(
            model_package_arn=event["model_package_arn"],
            endpoint_name=event["endpoint_name"],
            instance_type=event["instance_type"],
            instance_count=int(event["instance_count"]),
        )
        return self.deploy(target, self._package(target.model_package_arn))

    def deploy_approved(self, model_package_arn: str) -> dict[str, str]:
        """Deploy a package that was approved in Studio; a busy endpoint gets it when it is in service again."""
        package = self._package(model_package_arn)
        metadata = package.get("CustomerMetadataProperties", {})
        try:
            target = Target(
                model_package_arn=model_package_arn,
                endpoint_name=metadata["endpoint_name"],
                instance_type=metadata["endpoint_instance_type"],
                instance_count=int(metadata["endpoint_instance_count"]),
            )
        except (KeyError, ValueError) as error:
            raise DeploymentError(
                f"{model_package_arn} does not say which endpoint it is for ({error} in its customer metadata): "
                "this pipeline did not register it. Nothing was deployed."
            ) from error
        try:
            return self.deploy(target, package)
        except EndpointBusyError:
            endpoint = self._endpoint(target.endpoint_name)
            if endpoint is None:
                raise
            self._tag(endpoint, WAITING_TAG, model_package_arn)
            return _answer(target.endpoint_name, self._name(target), "Deferred")

    def take_into_service(self, endpoint_name: str) -> dict[str, str]:
        """Finish what could not be done before the endpoint was in service."""
        endpoint = self._endpoint(endpoint_name)
        if endpoint is None or endpoint["EndpointStatus"] != "InService":
            return _answer(endpoint_name, "", "Ignored")
        tags = self._tags(endpoint)
        if tags.get(OWNER_TAG) != self.owner:
            return _answer(endpoint_name, "", "Ignored")
        if WAITING_TAG in tags:
            return self.deploy_approved(tags[WAITING_TAG])
        self._agree_on_scaling(endpoint_name)
        return _answer(endpoint_name, endpoint["EndpointConfigName"], "InService")

    def roll_back(self, endpoint_name: str) -> dict[str, str]:
        """Return an endpoint to the configuration that served before the present one."""
        endpoint = self._endpoint(endpoint_name)
        if endpoint is None:
            raise DeploymentError(f"There is no endpoint {endpoint_name} to roll back.")
        self._require_ours(endpoint)
        good = self._tags(endpoint).get(GOOD_TAG)
        if _is_heading_for(endpoint, good):
            return _answer(endpoint_name, str(good), "Deploying")
        if endpoint["EndpointStatus"] not in ("InService", "UpdateRollbackFailed"):
            raise _busy(endpoint)
        if good is None or good == endpoint["EndpointConfigName"]:
            raise DeploymentError(
                f"{endpoint_name} serves {endpoint['EndpointConfigName']}, and nothing older is kept to return to."
            )
        self._update(endpoint, good)
        return _answer(endpoint_name, good, "Deploying")

    def deploy(self, target: Target, package: dict[str, Any]) -> dict[str, str]:
        """Create or update the endpoint for a package, if it is approved."""
        name = self._name(target)
        approval = package.get("ModelApprovalStatus")
        if approval == "PendingManualApproval":
            return _answer(target.endpoint_name, name, "AwaitingApproval")
        if approval != "Approved":
            return _answer(target.endpoint_name, name, "Rejected")
        if package["ModelPackageStatus"] != "Completed":
            raise DeploymentError(
                f"{target.model_package_arn} is {package['ModelPackageStatus']}, not Completed: it cannot be served."
            )
        endpoint = self._endpoint(target.endpoint_name)
        if endpoint:
            self._require_ours(endpoint)
            if settled := self._settled(endpoint, name):
                return settled
        if endpoint and endpoint["EndpointStatus"] in ("Failed", "OutOfService", "Deleting"):
            self._delete(endpoint)
            endpoint = None
        self._create_model(target, name)
        self._create_endpoint_config(target, name)
        try:
            if endpoint is None:
                self.sagemaker.create_endpoint(
                    EndpointName=target.endpoint_name, EndpointConfigName=name, Tags=self.tags
                )
            else:
                self._update(endpoint, name)
                self._remember(endpoint)
        except ClientError as error:
            # The approval's event and the pipeline's step may both be deploying the same package.
            if not _says(error, "already existing", "in-progress"):
                raise
            endpoint = self._endpoint(target.endpoint_name)
            if endpoint and (settled := self._settled(endpoint, name)):
                return settled
            raise
        self._clean_up(target.endpoint_name, {name, *self._kept(endpoint)})
        return _answer(target.endpoint_name, name, "Deploying")

    def _settled(self, endpoint: dict[str, Any], name: str) -> dict[str, str] | None:
        """The answer when there is nothing left to do, None when there is.

        Raises:
            EndpointBusyError: the endpoint is being changed to something else.
        """
        status = endpoint["EndpointStatus"]
        if _is_heading_for(endpoint, name):
            return _answer(endpoint["EndpointName"], name, "Deploying")
        if status in ("Creating", "Updating", "SystemUpdating", "RollingBack"):
            raise _busy(endpoint)
        if status == "InService" and endpoint["EndpointConfigName"] == name:
            self._agree_on_scaling(endpoint["EndpointName"])
            return _answer(endpoint["EndpointName"], name, "InService")
        return None

    def _require_ours(self, endpoint: dict[str, Any]) -> None:
        if self._tags(endpoint).get(OWNER_TAG) != self.owner:
            raise DeploymentError(
                f"The endpoint {endpoint['EndpointName']} is not this pipeline's and stays as it is: use another name, "
                f"or hand it over by tagging it {OWNER_TAG}={self.owner}."
            )

    def _package(self, arn: str) -> dict[str, Any]:
        try:
            package: dict[str, Any] = self.sagemaker.describe_model_package(ModelPackageName=arn)
        except ClientError as error:
            if _says(error, "does not exist", "not found", "could not find"):
                raise DeploymentError(f"There is no model package {arn}: was it deleted?") from error
            raise
        return package

    def _endpoint(self, name: str) -> dict[str, Any] | None:
        try:
            endpoint: dict[str, Any] = self.sagemaker.describe_endpoint(EndpointName=name)
        except ClientError as error:
            if _says(error, "could not find"):
                return None
            raise
        return endpoint

    def _name(self, target: Target) -> str:
        """The name of the model and of the endpoint configuration: the same input gives the same name."""
        shape = [
            target.model_package_arn,
            target.instance_type,
            target.instance_count,
            *(self.options[key] for key in ("role_arn", "serverless", "data_capture", "kms_key_arn", "vpc")),
        ]
        digest = hashlib.sha256(json.dumps(shape, sort_keys=True).encode()).hexdigest()[:10]
        version = target.model_package_arn.rpartition("/")[2]
        return f"{_stem(target.endpoint_name)}-v{version}-{digest}"

    def _create_model(self, target: Target, name: str) -> None:
        request: dict[str, Any] = {
            "ModelName": name,
            "Containers": [{"ModelPackageName": target.model_package_arn}],
            "ExecutionRoleArn": self.options["role_arn"],
            "Tags": self.tags,
        }
        if vpc := self.options["vpc"]:
            request["VpcConfig"] = {"Subnets": vpc["subnets"], "SecurityGroupIds": vpc["security_group_ids"]}
        with _ExpectedRefusal("already existing"):
            self.sagemaker.create_model(**request)

    def _create_endpoint_config(self, target: Target, name: str) -> None:
        variant: dict[str, Any] = {"VariantName": VARIANT, "ModelName": name}
        if serverless := self.options["serverless"]:
            variant["ServerlessConfig"] = {
                "MemorySizeInMB": serverless["memory_megabytes"],
                "MaxConcurrency": serverless["max_concurrency"],
            }
        else:
            variant["InstanceType"] = target.instance_type
            variant["InitialInstanceCount"] = target.instance_count
            variant["InitialVariantWeight"] = 1.0
        request: dict[str, Any] = {"EndpointConfigName": name, "ProductionVariants": [variant], "Tags": self.tags}
        if key := self.options["kms_key_arn"]:
            request["KmsKeyId"] = key
        if capture := self.options["data_capture"]:
            request["DataCaptureConfig"] = {
                "EnableCapture": True,
                "InitialSamplingPercentage": capture["percentage"],
                "DestinationS3Uri": capture["s3_uri"],
                "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
                "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]},
                **({"KmsKeyId": key} if key else {}),
            }
        with _ExpectedRefusal("already existing"):
            self.sagemaker.create_endpoint_config(**request)

    def _update(self, endpoint: dict[str, Any], config_name: str) -> None:
        """Replace what an endpoint serves, in place: the old fleet serves until the new one has taken over."""
        name = endpoint["EndpointName"]
        request: dict[str, Any] = {"EndpointName": name, "EndpointConfigName": config_name}
        if alarms := self.options["rollback_alarms"]:
            request["DeploymentConfig"] = {
                "BlueGreenUpdatePolicy": {
                    "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 300},
                    "TerminationWaitInSeconds": 60,
                },
                "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm} for alarm in alarms]},
            }
        # SageMaker refuses to change the instance type of a variant that scales by itself.
        scaled = self._stop_scaling(name)
        if scaled and self.options["autoscaling"]:
            request["RetainAllVariantProperties"] = True
            request["ExcludeRetainedVariantProperties"] = [{"VariantPropertyType": "DataCaptureConfig"}]
        try:
            self.sagemaker.update_endpoint(**request)
        except ClientError:
            if scaled:
                self._agree_on_scaling(name)
            raise

    def _remember(self, endpoint: dict[str, Any]) -> None:
        """Note on an endpoint that is being updated what it served, and that no older package waits any more."""
        if endpoint["EndpointStatus"] == "InService":
            self._tag(endpoint, GOOD_TAG, endpoint["EndpointConfigName"])
        self.sagemaker.delete_tags(ResourceArn=endpoint["EndpointArn"], TagKeys=[WAITING_TAG])

    def _delete(self, endpoint: dict[str, Any]) -> None:
        """Remove an endpoint that cannot be updated; its name is free again within seconds."""
        name = endpoint["EndpointName"]
        if endpoint["EndpointStatus"] != "Deleting":
            self._stop_scaling(name)
            self.sagemaker.delete_endpoint(EndpointName=name)
        latest = min(self.deadline, time.monotonic() + LONGEST_WAIT_FOR_DELETION_SECONDS)
        while self._endpoint(name) is not None:
            if time.monotonic() > latest:
                raise EndpointBusyError(f"{name} is still being deleted: try again in a few minutes.")
            time.sleep(1)

    def _kept(self, endpoint: dict[str, Any] | None) -> set[str]:
        """Configurations that the endpoint may have to return to."""
        if endpoint is None:
            return set()
        return {endpoint["EndpointConfigName"], self._tags(endpoint).get(GOOD_TAG, "")}

    def _clean_up(self, endpoint_name: str, kept: set[str]) -> None:
        """Delete the configurations and models made for this endpoint before, but for those to keep."""
        stem = _stem(endpoint_name)
        mine = re.compile(re.escape(stem) + r"-v\d+-[0-9a-f]{10}")
        for page in self.sagemaker.get_paginator("list_endpoint_configs").paginate(NameContains=stem):
            for name in (found["EndpointConfigName"] for found in page["EndpointConfigs"]):
                if mine.fullmatch(name) and name not in kept:
                    with _ExpectedRefusal("could not find"):
                        self.sagemaker.delete_endpoint_config(EndpointConfigName=name)
        for page in self.sagemaker.get_paginator("list_models").paginate(NameContains=stem):
            for name in (found["ModelName"] for found in page["Models"]):
                if mine.fullmatch(name) and name not in kept:
                    with _ExpectedRefusal("could not find"):
                        self.sagemaker.delete_model(ModelName=name)

    def _agree_on_scaling(self, endpoint_name: str) -> None:
        """Make the autoscaling of an endpoint in service what the options say."""
        scaling = self.options["autoscaling"]
        if not scaling:
            self._stop_scaling(endpoint_name)
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

    def _stop_scaling(self, endpoint_name: str) -> bool:
        """Deregister the endpoint's variant, and with it policies and alarms; whether it was registered."""
        resource = _scalable_resource(endpoint_name)
        found = self.autoscaling.describe_scalable_targets(ResourceIds=[resource], **SCALING)
        if not found["ScalableTargets"]:
            return False
        self.autoscaling.deregister_scalable_target(ResourceId=resource, **SCALING)
        return True

    def _tags(self, endpoint: dict[str, Any]) -> dict[str, str]:
        pages = self.sagemaker.get_paginator("list_tags").paginate(ResourceArn=endpoint["EndpointArn"])
        return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}

    def _tag(self, endpoint: dict[str, Any], key: str, value: str) -> None:
        self.sagemaker.add_tags(ResourceArn=endpoint["EndpointArn"], Tags=[{"Key": key, "Value": value}])


class _ExpectedRefusal:
    """Lets a call pass that finds its work done by another one: a name says what the resource holds."""

    def __init__(self, phrase: str) -> None:
        self._phrase = phrase

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: Any) -> bool:
        return isinstance(error, ClientError) and _says(error, self._phrase)


def _answer(endpoint_name: str, name: str, status: str) -> dict[str, str]:
    return {"endpoint_name": endpoint_name, "endpoint_config_name": name, "model_name": name, "status": status}


def _stem(endpoint_name: str) -> str:
    """The start of the names that belong to one endpoint, short enough for the rest to fit into 63 characters."""
    if len(endpoint_name) <= LONGEST_STEM:
        return endpoint_name
    return f"{endpoint_name[:33]}-{hashlib.sha256(endpoint_name.encode()).hexdigest()[:6]}"


def _scalable_resource(endpoint_name: str) -> str:
    return f"endpoint/{endpoint_name}/variant/{VARIANT}"


def _is_heading_for(endpoint: dict[str, Any], config_name: str | None) -> bool:
    if endpoint["EndpointStatus"] not in ("Creating", "Updating"):
        return False
    pending = endpoint.get("PendingDeploymentSummary", endpoint)
    return bool(pending["EndpointConfigName"] == config_name)


def _busy(endpoint: dict[str, Any]) -> EndpointBusyError:
    return EndpointBusyError(
        f"{endpoint['EndpointName']} is {endpoint['EndpointStatus']} and cannot be changed now: "
        "retry when it is InService ('aws sagemaker wait endpoint-in-service' waits for it)."
    )


def _says(error: ClientError, *phrases: str) -> bool:
    message = error.response["Error"].get("Message", "").lower()
    return any(phrase in message for phrase in phrases)


def _sentence(error: ClientError) -> str:
    """What AWS refused, as a sentence that says what to do; it becomes the failed step's reason."""
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    if code == "ResourceLimitExceeded":
        return (
            f"A quota of this AWS account is used up: {message} Raise it under Service Quotas, Amazon SageMaker, or "
            "choose another deploy.instance_type, or set deploy.serverless."
        )
    if code in ("AccessDenied", "AccessDeniedException"):
        return f"The function's role may not call {error.operation_name}: {message} See infra/bootstrap.yaml."
    return f"{error.operation_name} was refused ({code}): {message}"
