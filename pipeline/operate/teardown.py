"""Finds the resources that the project created on AWS, and deletes them in a valid order.

A name alone does not prove ownership. So endpoints, their configurations and models must have the tag of the function
that made them, and model packages must name the pipeline that registered them. Deletion is idempotent: after an
interruption, the next run deletes the rest.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, WaiterError

from pipeline.config.models import Config
from pipeline.definition.resources import Resources, stack_name
from pipeline.errors import UserError
from pipeline.operate.aws_errors import is_gone
from pipeline.operate.stack import failures_of_deletion
from pipeline.operate.stored_objects import StoredObjects
from pipeline.operate.triggers import remove_rule, rule_names

if TYPE_CHECKING:
    from boto3 import Session
    from types_boto3_application_autoscaling.type_defs import DeregisterScalableTargetRequestTypeDef
    from types_boto3_sagemaker import SageMakerClient
    from types_boto3_sagemaker.type_defs import WaiterConfigTypeDef

LEVELS = ("endpoint", "pipeline", "all")
"""Levels of deletion: the endpoint, which costs by the hour; everything except data; everything."""

OWNER_TAG = "deployed-by"
"""The tag that steps/deploy_endpoint.py puts on everything it makes; its value is the function's name."""

_BUCKET = "Bucket"
"""The bucket's logical ID in infra/bootstrap.yaml."""

_MADE_FOR_ENDPOINT = re.compile(r".+-v\d+-[0-9a-f]{10}")
_WAIT: WaiterConfigTypeDef = {"Delay": 3, "MaxAttempts": 400}


@dataclass(frozen=True)
class OwnedResource:
    """A resource that the project created.

    Attributes:
        kind: the kind of resource, for messages.
        name: its name.
        delete: deletes it and waits until it is gone; AWS's error if it is gone already. If it returns a text, this
            says what is kept.
    """

    kind: str
    name: str
    delete: Callable[[], Any]


def find_owned_resources(config: Config, resources: Resources, session: Session, level: str) -> list[OwnedResource]:
    """Return the resources to delete, in a valid order of deletion.

    Args:
        config: the configuration.
        resources: bucket, roles and function.
        session: a ``boto3.Session`` of the account.
        level: one of ``LEVELS``.
    """
    finder = _Finder(config, resources, session)
    if level == "endpoint":
        return [*finder.endpoints()]
    owned = [
        *finder.rules(),
        *finder.running_executions(),
        *finder.pipeline(),
        *finder.endpoints(),
        *finder.endpoint_configs(),
        *finder.models(),
        *finder.packages(),
        *finder.function(),
    ]
    if level == "all":
        owned += [*finder.log_groups(), *finder.objects(), *finder.stack()]
    return owned


def find_deployers(config: Config, resources: Resources, session: Session) -> list[str]:
    """Return what can deploy an endpoint again by itself: running executions, and rules that start executions."""
    finder = _Finder(config, resources, session)
    starting = rule_names(config)[-2:]
    return [
        *(f"{rule.kind} {rule.name}" for rule in finder.rules() if rule.name in starting),
        *(f"{execution.kind} {execution.name}" for execution in finder.running_executions()),
    ]


def delete_resources(owned: list[OwnedResource], say: Callable[[str], None]) -> list[str]:
    """Delete resources one after the other. A failure does not stop the others.

    Args:
        owned: the result of ``find_owned_resources``.
        say: called with a sentence after each deletion.

    Returns:
        The failures, one sentence each.
    """
    failures = []
    for resource in owned:
        try:
            kept = resource.delete()
        except (ClientError, WaiterError, UserError) as error:
            if not is_gone(error):
                failures.append(f"{resource.kind} {resource.name}: {_reason(error)}")
                continue
            kept = None
        remark = f" except {kept}" if isinstance(kept, str) else ""
        say(f"deleted {resource.kind} {resource.name}{remark}")
    return failures


def _reason(error: ClientError | WaiterError | UserError) -> str:
    if isinstance(error, ClientError):
        return error.response["Error"].get("Message") or str(error)
    return f"it is not gone yet: {error}" if isinstance(error, WaiterError) else str(error)


class _Finder:
    """Finds the resources that the project created, one method for each kind.

    Lists are read to the end first: deleting while paging would skip some.
    """

    def __init__(self, config: Config, resources: Resources, session: Session) -> None:
        self.config = config
        self.resources = resources
        self.name = config.pipeline.name
        self.sagemaker = session.client("sagemaker")
        self.scaling = session.client("application-autoscaling")
        self.events = session.client("events")
        self.functions = session.client("lambda")
        self.logs = session.client("logs")
        self.s3 = session.client("s3")
        self.cloudformation = session.client("cloudformation")

    def rules(self) -> Iterator[OwnedResource]:
        for name in rule_names(self.config):
            if self._exists(self.events.describe_rule, Name=name):
                yield OwnedResource("EventBridge rule", name, partial(remove_rule, self.events, name))

    def running_executions(self) -> Iterator[OwnedResource]:
        if not self._exists(self.sagemaker.describe_pipeline, PipelineName=self.name):
            return
        pages = self.sagemaker.get_paginator("list_pipeline_executions").paginate(PipelineName=self.name)
        for execution in (found for page in pages for found in page["PipelineExecutionSummaries"]):
            if execution["PipelineExecutionStatus"] in ("Executing", "Stopping"):
                arn = execution["PipelineExecutionArn"]
                yield OwnedResource("running execution", arn, partial(_stop, self.sagemaker, arn))

    def pipeline(self) -> Iterator[OwnedResource]:
        if self._exists(self.sagemaker.describe_pipeline, PipelineName=self.name):
            yield OwnedResource("pipeline", self.name, partial(self.sagemaker.delete_pipeline, PipelineName=self.name))

    def endpoints(self) -> Iterator[OwnedResource]:
        pages = [*self.sagemaker.get_paginator("list_endpoints").paginate()]
        for endpoint in (found for page in pages for found in page["Endpoints"]):
            if self._is_ours(endpoint["EndpointArn"]):
                name = endpoint["EndpointName"]
                yield OwnedResource("endpoint", name, partial(self._delete_endpoint, name))

    def endpoint_configs(self) -> Iterator[OwnedResource]:
        pages = [*self.sagemaker.get_paginator("list_endpoint_configs").paginate()]
        for found in (found for page in pages for found in page["EndpointConfigs"]):
            name, delete = found["EndpointConfigName"], self.sagemaker.delete_endpoint_config
            if _MADE_FOR_ENDPOINT.fullmatch(name) and self._is_ours(found["EndpointConfigArn"]):
                yield OwnedResource("endpoint configuration", name, partial(delete, EndpointConfigName=name))

    def models(self) -> Iterator[OwnedResource]:
        pages = [*self.sagemaker.get_paginator("list_models").paginate()]
        for found in (found for page in pages for found in page["Models"]):
            name, delete = found["ModelName"], self.sagemaker.delete_model
            if _MADE_FOR_ENDPOINT.fullmatch(name) and self._is_ours(found["ModelArn"]):
                yield OwnedResource("model", name, partial(delete, ModelName=name))

    def packages(self) -> Iterator[OwnedResource]:
        """Yield the packages that this pipeline registered, and their group unless it contains other packages."""
        group = self.config.registry.group
        if not self._exists(self.sagemaker.describe_model_package_group, ModelPackageGroupName=group):
            return
        others = False
        mark = f":pipeline/{self.name}/".lower()
        pages = [*self.sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)]
        for found in (found for page in pages for found in page["ModelPackageSummaryList"]):
            arn = found["ModelPackageArn"]
            metadata = self.sagemaker.describe_model_package(ModelPackageName=arn).get("CustomerMetadataProperties", {})
            if mark in metadata.get("pipeline_execution_arn", "").lower():
                delete = self.sagemaker.delete_model_package
                yield OwnedResource("model package", arn, partial(delete, ModelPackageName=arn))
            else:
                others = True
        if not others:
            delete_group = partial(self.sagemaker.delete_model_package_group, ModelPackageGroupName=group)
            yield OwnedResource("model package group", group, delete_group)

    def function(self) -> Iterator[OwnedResource]:
        name = self.resources.deploy_function_name
        if self._exists(self.functions.get_function_configuration, FunctionName=name):
            yield OwnedResource("Lambda function", name, partial(self.functions.delete_function, FunctionName=name))

    def log_groups(self) -> Iterator[OwnedResource]:
        """Yield the log groups of the function and the endpoint; the whole account shares those of jobs."""
        for name in (
            f"/aws/lambda/{self.resources.deploy_function_name}",
            f"/aws/sagemaker/Endpoints/{self.config.deploy.endpoint_name}",
        ):
            found = self.logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
            if name in [group["logGroupName"] for group in found]:
                yield OwnedResource("log group", name, partial(self.logs.delete_log_group, logGroupName=name))

    def objects(self) -> Iterator[OwnedResource]:
        stored = StoredObjects(self.s3, self.resources.bucket, f"{self.name}/")
        if count := stored.count():
            yield OwnedResource("objects", f"{stored.uri} ({count} with their old versions)", stored.delete)

    def stack(self) -> Iterator[OwnedResource]:
        name = stack_name(self.config)
        try:
            (stack,) = self.cloudformation.describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if is_gone(error):
                return
            raise
        parameters = {item["ParameterKey"]: item["ParameterValue"] for item in stack.get("Parameters", [])}
        if parameters.get("PipelineName") == self.name:
            yield OwnedResource(
                "CloudFormation stack (bucket and roles)", name, partial(self._delete_stack, name, stack["StackId"])
            )

    def _delete_endpoint(self, name: str) -> None:
        target: DeregisterScalableTargetRequestTypeDef = {
            "ServiceNamespace": "sagemaker",
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
            "ResourceId": f"endpoint/{name}/variant/AllTraffic",
        }
        registered = self.scaling.describe_scalable_targets(
            ServiceNamespace=target["ServiceNamespace"],
            ScalableDimension=target["ScalableDimension"],
            ResourceIds=[target["ResourceId"]],
        )
        if registered["ScalableTargets"]:
            self.scaling.deregister_scalable_target(**target)
        self.sagemaker.delete_endpoint(EndpointName=name)
        self.sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=name, WaiterConfig=_WAIT)

    def _delete_stack(self, name: str, stack_id: str) -> str | None:
        """Delete the stack, without its bucket if this contains objects that others put there."""
        if not (reasons := self._failed_deletions(name, stack_id, [])):
            return None
        bucket = self.resources.bucket
        others = self._other_objects(bucket) if [*reasons] == [_BUCKET] else []
        if others:
            reasons = self._failed_deletions(name, stack_id, [_BUCKET])
        if reasons:
            raise UserError("; ".join(f"{resource}: {reason}" for resource, reason in reasons.items()))
        return (
            f"the bucket {bucket}, which contains objects of others, such as {', '.join(others)}. "
            "Before the next 'make bootstrap', empty and delete it"
        )

    def _failed_deletions(self, name: str, stack_id: str, retained: list[str]) -> dict[str, str]:
        """Try to delete the stack.

        Args:
            name: its name.
            stack_id: its ARN.
            retained: logical IDs of resources to keep, which AWS allows only after a failure.

        Returns:
            Why resources could not be deleted, by their logical IDs.
        """
        retain: dict[str, Any] = {"RetainResources": retained} if retained else {}
        self.cloudformation.delete_stack(StackName=name, **retain)
        try:
            self.cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack_id, WaiterConfig=_WAIT)
        except WaiterError as error:
            return failures_of_deletion(self.cloudformation, stack_id) or {name: str(error)}
        return {}

    def _other_objects(self, bucket: str) -> list[str]:
        """Return the first few keys of a bucket, those of old versions too."""
        found = self.s3.list_object_versions(Bucket=bucket, MaxKeys=5)
        keys = [item["Key"] for item in [*found.get("Versions", []), *found.get("DeleteMarkers", [])]]
        return sorted(set(keys))

    def _is_ours(self, arn: str) -> bool:
        pages = self.sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
        tags = {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}
        return tags.get(OWNER_TAG) == self.resources.deploy_function_name

    @staticmethod
    def _exists(describe: Callable[..., Any], **arguments: str) -> bool:
        try:
            describe(**arguments)
        except ClientError as error:
            if is_gone(error):
                return False
            raise
        return True


def _stop(sagemaker: SageMakerClient, execution_arn: str) -> None:
    """Stop an execution and wait, because a pipeline with running executions cannot be deleted."""
    for attempt in range(_WAIT["MaxAttempts"]):
        status = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution_arn)["PipelineExecutionStatus"]
        if status == "Executing":
            sagemaker.stop_pipeline_execution(PipelineExecutionArn=execution_arn, ClientRequestToken=str(uuid.uuid4()))
        elif status != "Stopping":
            return
        time.sleep(min(attempt, _WAIT["Delay"]))
    raise WaiterError("execution_stopped", "Max attempts exceeded", {})
