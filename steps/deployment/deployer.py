"""Creates, updates and rolls back endpoints.

Names contain the package's version and a hash of the endpoint's settings, so every call is idempotent. What must be
known of earlier calls is in the endpoint's tags.

Several calls may run at once. SageMaker accepts one change of an endpoint at a time and refuses the others. A refused
call reads the endpoint again and retries.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from deployment.aws_refusals import ExpectedRefusal, says, sentence
from deployment.endpoint_names import Target, name_of, version_of
from deployment.endpoint_scaling import Scaling
from deployment.endpoint_tags import FAILED_TAG, GOOD_TAG, LATEST_TAG, OWNER_TAG, WAITING_TAG, EndpointTags
from deployment.package_metadata import is_execution_of, registering_execution, target_of
from deployment.registered_model import find_registered
from deployment.served_models import ServedModels, find_endpoint, pending_config

if TYPE_CHECKING:
    from types_boto3_sagemaker.type_defs import (
        DescribeEndpointOutputTypeDef,
        DescribeModelPackageOutputTypeDef,
        TagTypeDef,
    )

LONGEST_WAIT_FOR_DELETION_SECONDS = 90
POLL_SECONDS, MAX_POLL_SECONDS = 0.25, 5.0
LOST_RACE_PHRASES = ("already existing", "in-progress", "could not find endpoint", 'could not find model "')
MAX_LOST_RACES = 10
"""How often a call retries after another call was faster."""

CHANGING = ("Creating", "Updating", "SystemUpdating", "RollingBack")
"""The states of an endpoint that is in service again later."""

FAILED = "Failed"
"""The outcome of a verification that found something else than the model."""

NOTHING = "none"
"""Replaces a missing name, because an output parameter of a Lambda step must not be empty."""


class DeploymentError(Exception):
    """The endpoint was not deployed; the message says why and what to do."""


class VerificationError(DeploymentError):
    """The endpoint does not serve the model as it should."""


class EndpointBusyError(DeploymentError):
    """The endpoint is being changed to another configuration."""


class LostRaceError(EndpointBusyError):
    """Another call changed the endpoint, its configuration or its model first."""


class Deployer:
    """Creates, updates and rolls back endpoints.

    Attributes:
        options: the deployment's options, from the function's environment variable DEPLOYMENT.
        owner: this function's name, with which it tags every resource that it creates.
        deadline: value of ``time.monotonic()`` at which all waits end.
    """

    def __init__(self, options: dict[str, Any], owner: str, deadline: float) -> None:
        patient = Config(retries={"mode": "standard", "max_attempts": 5})
        # Lambda always sets AWS_REGION.
        region = os.environ["AWS_REGION"]
        self.sagemaker = boto3.client("sagemaker", region_name=region, config=patient)
        scaling = boto3.client("application-autoscaling", region_name=region, config=patient)
        self.scaling = Scaling(scaling, options["autoscaling"])
        self.options = options
        self.owner = owner
        self.deadline = deadline
        self.tags: list[TagTypeDef] = [{"Key": key, "Value": value} for key, value in options["tags"].items()]
        self.tags.append({"Key": OWNER_TAG, "Value": owner})
        self.models = ServedModels(self.sagemaker, options, self.tags)
        self.endpoint_tags = EndpointTags(self.sagemaker)

    def answer(self, event: dict[str, Any]) -> dict[str, str]:
        """Handle an event of one of the six kinds in the module's docstring."""
        if event.get("detail-type") == "SageMaker Model Package State Change":
            return self.deploy_approved(event["detail"]["ModelPackageArn"])
        if event.get("detail-type") == "SageMaker Endpoint State Change":
            return self.take_into_service(event["detail"]["EndpointName"])
        if "find_in_group" in event:
            return find_registered(self.sagemaker, event)
        if "confirm" in event:
            return self.confirm(event)
        if "rollback" in event:
            return self.roll_back(event["rollback"])
        return self.deploy_in_step(event)

    def deploy_in_step(self, event: dict[str, Any]) -> dict[str, str]:
        """Deploy an execution's package. If the endpoint is changing until the deadline, let the package wait.

        Raises:
            EndpointBusyError: the package cannot wait, because another pipeline registered it, or because its
                metadata has other settings than the execution.
        """
        target = Target(
            model_package_arn=event["model_package_arn"],
            endpoint_name=event["endpoint_name"],
            instance_type=event["instance_type"],
            instance_count=int(event["instance_count"]),
        )
        package = self._package(target.model_package_arn)
        try:
            return self.deploy(target, package, wait=True)
        except LostRaceError:
            raise
        except EndpointBusyError:
            endpoint = find_endpoint(self.sagemaker, target.endpoint_name)
            may_wait = self._registered(package) and target_of(target.model_package_arn, package) == target
            if endpoint is None or endpoint["EndpointStatus"] not in CHANGING or not may_wait:
                raise
        return self._defer(target, package)

    def deploy_approved(self, model_package_arn: str) -> dict[str, str]:
        """Deploy a package that a person approved; if the endpoint is busy, defer it until it is in service again.

        Pipelines may share a model package group. Each one's function receives every approval, and deploys only what
        its own pipeline registered.

        Raises:
            DeploymentError: the package's metadata does not name an execution or an endpoint.
        """
        package = self._package(model_package_arn)
        execution, target = registering_execution(package), target_of(model_package_arn, package)
        if target is None or not execution:
            raise DeploymentError(
                f"{model_package_arn} does not name in its customer metadata the execution that registered it and the "
                "endpoint it is for: this pipeline did not register it. Nothing was deployed."
            )
        if not self._registered(package):
            reason = f"{execution} registered {model_package_arn}: it is another pipeline's."
            return _answer(target.endpoint_name, "", "Ignored") | {"reason": reason}
        try:
            return self.deploy(target, package)
        except EndpointBusyError:
            return self._defer(target, package)

    def _defer(self, target: Target, package: DescribeModelPackageOutputTypeDef) -> dict[str, str]:
        """Let a package wait until the busy endpoint is in service again.

        Raises:
            EndpointBusyError: the endpoint is gone.
        """
        endpoint = find_endpoint(self.sagemaker, target.endpoint_name)
        if endpoint is None:
            raise EndpointBusyError(f"{target.endpoint_name} was deleted meanwhile: try again.")
        self.endpoint_tags.write(endpoint, WAITING_TAG, target.model_package_arn)
        # If the endpoint came into service before it had the tag, no later event would deploy the package.
        try:
            answer = self.deploy(target, package)
        except EndpointBusyError:
            return _answer(target.endpoint_name, name_of(target, self.options), "Deferred")
        self.endpoint_tags.wait_no_more(endpoint, target.model_package_arn)
        return answer

    def take_into_service(self, endpoint_name: str) -> dict[str, str]:
        """Deploy the package that waits for the endpoint, or else register its autoscaling."""
        endpoint = find_endpoint(self.sagemaker, endpoint_name)
        if endpoint is None or endpoint["EndpointStatus"] != "InService":
            return _answer(endpoint_name, "", "Ignored")
        tags = self.endpoint_tags.read(endpoint)
        if tags.get(OWNER_TAG) != self.owner:
            return _answer(endpoint_name, "", "Ignored")
        if WAITING_TAG in tags:
            try:
                answer = self.deploy_approved(tags[WAITING_TAG])
            except EndpointBusyError:
                raise
            except DeploymentError:
                self.endpoint_tags.wait_no_more(endpoint, tags[WAITING_TAG])
                raise
            if answer["status"] != "Deferred":
                self.endpoint_tags.wait_no_more(endpoint, tags[WAITING_TAG])
            return answer
        self.scaling.agree(endpoint_name)
        return _answer(endpoint_name, endpoint["EndpointConfigName"], "InService")

    def roll_back(self, endpoint_name: str) -> dict[str, str]:
        """Roll an endpoint back to its last known good configuration."""
        endpoint = find_endpoint(self.sagemaker, endpoint_name)
        if endpoint is None:
            raise DeploymentError(f"There is no endpoint {endpoint_name} to roll back.")
        self._require_ours(endpoint)
        good = self.endpoint_tags.read(endpoint).get(GOOD_TAG)
        if _is_heading_for(endpoint, good):
            return _answer(endpoint_name, str(good), "Deploying")
        if endpoint["EndpointStatus"] not in ("InService", "UpdateRollbackFailed"):
            raise _busy(endpoint)
        if good is None or good == endpoint["EndpointConfigName"]:
            raise DeploymentError(
                f"{endpoint_name} serves {endpoint['EndpointConfigName']}, and nothing older is kept to return to."
            )
        self.endpoint_tags.write(endpoint, LATEST_TAG, good)
        self._update(endpoint, good)
        return _answer(endpoint_name, good, "Deploying")

    def confirm(self, event: dict[str, Any]) -> dict[str, str]:
        """Keep an endpoint unless its verification failed: then roll it back, and fail the step.

        Returns:
            ``status``: the verification's outcome.

        Raises:
            DeploymentError: the verification failed. The message says why, and what serves now.
        """
        if event["outcome"] != FAILED:
            return {"status": event["outcome"]}
        state = self._go_back(event["confirm"], event["endpoint_config_name"])
        raise VerificationError(f"{event['message']} {state}")

    def _go_back(self, endpoint_name: str, failed_config_name: str) -> str:
        """Roll back from a configuration that failed its verification, if an earlier one exists.

        Returns:
            a sentence about the endpoint's state.
        """
        endpoint = find_endpoint(self.sagemaker, endpoint_name)
        if endpoint is None:
            return f"There is no endpoint {endpoint_name} any more."
        self._require_ours(endpoint)
        status, config_name = endpoint["EndpointStatus"], endpoint["EndpointConfigName"]
        if status == "InService" and config_name != failed_config_name:
            return f"{endpoint_name} serves {config_name}."
        if status == "Failed":
            return f"{endpoint_name} is Failed and serves nothing: the next deployment makes it anew."
        self.endpoint_tags.write(endpoint, FAILED_TAG, failed_config_name)
        if status == "InService" and self.endpoint_tags.read(endpoint).get(GOOD_TAG) in (None, failed_config_name):
            return (
                f"Nothing older is kept to go back to: {endpoint_name} stays in service with {failed_config_name} and "
                "is billed. 'make delete LEVEL=endpoint' deletes it."
            )
        try:
            good = self.roll_back(endpoint_name)["endpoint_config_name"]
        except (DeploymentError, ClientError) as error:
            reason = sentence(error) if isinstance(error, ClientError) else str(error)
            return f"{endpoint_name} is {status} and did not go back: {reason}"
        return f"{endpoint_name} goes back to {good}, which served before."

    def deploy(self, target: Target, package: DescribeModelPackageOutputTypeDef, wait: bool = False) -> dict[str, str]:
        """Create or update the endpoint for a package, if it is approved.

        Args:
            target: the package, the endpoint and its instances.
            package: the model package's description.
            wait: whether to wait, until the deadline, for an endpoint that is being changed. A change to a newer
                version is not awaited, because it supersedes this one.

        Raises:
            EndpointBusyError: the endpoint is being changed to another configuration.
        """
        name = name_of(target, self.options)
        approval = package.get("ModelApprovalStatus")
        if approval == "PendingManualApproval":
            return _answer(target.endpoint_name, name, "AwaitingApproval")
        if approval != "Approved":
            return _answer(target.endpoint_name, name, "Rejected")
        if package["ModelPackageStatus"] != "Completed":
            raise DeploymentError(
                f"{target.model_package_arn} is {package['ModelPackageStatus']}, not Completed: it cannot be served."
            )
        pause, lost_races = POLL_SECONDS, 0
        while True:
            try:
                return self._deploy_once(target, name)
            except EndpointBusyError as busy:
                lost_races += isinstance(busy, LostRaceError)
                if wait and self._is_superseded(target, name):
                    return _answer(target.endpoint_name, name, "Superseded")
                again = isinstance(busy, LostRaceError) or wait
                if not again or lost_races > MAX_LOST_RACES or time.monotonic() + pause > self.deadline:
                    raise
            time.sleep(pause)
            pause = min(pause * 1.5, MAX_POLL_SECONDS)

    def _deploy_once(self, target: Target, name: str) -> dict[str, str]:
        """Deploy, unless the endpoint serves the configuration already.

        Raises:
            EndpointBusyError: the endpoint is being changed to another configuration.
            LostRaceError: another call was faster; a retry may succeed.
        """
        endpoint = find_endpoint(self.sagemaker, target.endpoint_name)
        if endpoint:
            self._require_ours(endpoint)
            if settled := self._settled(endpoint, name):
                return settled
        if endpoint and endpoint["EndpointStatus"] in ("Failed", "OutOfService", "Deleting"):
            self._delete(endpoint)
            endpoint = None
        try:
            if endpoint:
                # First, so that another call's clean-up stops before it deletes what this one deploys.
                self.endpoint_tags.write(endpoint, LATEST_TAG, name)
            # Another call's clean-up may have deleted them since the last attempt.
            self.models.create(target, name)
            if endpoint is None:
                self.sagemaker.create_endpoint(
                    EndpointName=target.endpoint_name,
                    EndpointConfigName=name,
                    Tags=[*self.tags, {"Key": LATEST_TAG, "Value": name}],
                )
            else:
                self._update(endpoint, name)
                self.endpoint_tags.remember(endpoint, name)
        except ClientError as error:
            if not says(error, *LOST_RACE_PHRASES):
                raise
            raise LostRaceError(
                f"{target.endpoint_name} was not changed, perhaps because another call changes it: {sentence(error)}"
            ) from error
        self.models.clean_up(
            target.endpoint_name,
            {name, *self.endpoint_tags.kept(endpoint)},
            lambda: self.endpoint_tags.is_latest(target.endpoint_name, name),
        )
        return _answer(target.endpoint_name, name, "Deploying", endpoint["EndpointConfigName"] if endpoint else None)

    def _is_superseded(self, target: Target, name: str) -> bool:
        """Return whether the endpoint is being changed to a newer version of the same models."""
        endpoint = find_endpoint(self.sagemaker, target.endpoint_name)
        if endpoint is None or endpoint["EndpointStatus"] not in ("Creating", "Updating"):
            return False
        coming = version_of(pending_config(endpoint), target.endpoint_name)
        ours = version_of(name, target.endpoint_name)
        return coming is not None and ours is not None and coming > ours

    def _settled(self, endpoint: DescribeEndpointOutputTypeDef, name: str) -> dict[str, str] | None:
        """Return the answer if there is nothing to do, or else None.

        Raises:
            EndpointBusyError: the endpoint is being changed to another configuration.
        """
        status = endpoint["EndpointStatus"]
        if _is_heading_for(endpoint, name):
            replaced = endpoint["EndpointConfigName"] if status == "Updating" else None
            return _answer(endpoint["EndpointName"], name, "Deploying", replaced)
        if status in CHANGING:
            raise _busy(endpoint)
        if status == "InService" and endpoint["EndpointConfigName"] == name:
            self.scaling.agree(endpoint["EndpointName"])
            return _answer(endpoint["EndpointName"], name, "InService")
        return None

    def _require_ours(self, endpoint: DescribeEndpointOutputTypeDef) -> None:
        if self.endpoint_tags.read(endpoint).get(OWNER_TAG) != self.owner:
            raise DeploymentError(
                f"The endpoint {endpoint['EndpointName']} is not this pipeline's and stays as it is: use another name, "
                f"or hand it over by tagging it {OWNER_TAG}={self.owner}."
            )

    def _registered(self, package: DescribeModelPackageOutputTypeDef) -> bool:
        """Return whether an execution of this pipeline registered a package."""
        return is_execution_of(self.options["pipeline_name"], registering_execution(package))

    def _package(self, arn: str) -> DescribeModelPackageOutputTypeDef:
        try:
            return self.sagemaker.describe_model_package(ModelPackageName=arn)
        except ClientError as error:
            if says(error, "does not exist", "not found", "could not find"):
                raise DeploymentError(f"There is no model package {arn}: was it deleted?") from error
            raise

    def _update(self, endpoint: DescribeEndpointOutputTypeDef, config_name: str) -> None:
        """Update an endpoint in place. The old instances serve until the new ones take over."""
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
        # SageMaker refuses to change the instance type of a variant with autoscaling.
        scaled = self.scaling.stop(name)
        if scaled and self.options["autoscaling"]:
            request["RetainAllVariantProperties"] = True
            request["ExcludeRetainedVariantProperties"] = [{"VariantPropertyType": "DataCaptureConfig"}]
        try:
            self.sagemaker.update_endpoint(**request)
        except ClientError:
            if scaled:
                self.scaling.agree(name)
            raise

    def _delete(self, endpoint: DescribeEndpointOutputTypeDef) -> None:
        """Delete an endpoint that cannot be updated, and wait until its name is free again.

        Raises:
            EndpointBusyError: it is still being deleted.
            LostRaceError: another call has created it again.
        """
        name = endpoint["EndpointName"]
        if endpoint["EndpointStatus"] != "Deleting":
            self.scaling.stop(name)
            with ExpectedRefusal("could not find", "in-progress"):
                self.sagemaker.delete_endpoint(EndpointName=name)
        latest = min(self.deadline, time.monotonic() + LONGEST_WAIT_FOR_DELETION_SECONDS)
        while (found := find_endpoint(self.sagemaker, name)) is not None:
            if found["EndpointStatus"] not in ("Failed", "OutOfService", "Deleting"):
                raise LostRaceError(f"Another call has made {name} anew.")
            if time.monotonic() > latest:
                raise EndpointBusyError(f"{name} is still being deleted: try again in a few minutes.")
            time.sleep(1)


def _answer(endpoint_name: str, name: str, status: str, replaced: str | None = None) -> dict[str, str]:
    return {
        "endpoint_name": endpoint_name,
        "endpoint_config_name": name,
        "model_name": name,
        "replaced_config_name": replaced or NOTHING,
        "status": status,
    }


def _is_heading_for(endpoint: DescribeEndpointOutputTypeDef, config_name: str | None) -> bool:
    if endpoint["EndpointStatus"] not in ("Creating", "Updating"):
        return False
    return pending_config(endpoint) == config_name


def _busy(endpoint: DescribeEndpointOutputTypeDef) -> EndpointBusyError:
    return EndpointBusyError(
        f"{endpoint['EndpointName']} is {endpoint['EndpointStatus']} and cannot be changed now: "
        "retry when it is InService ('aws sagemaker wait endpoint-in-service' waits for it)."
    )
