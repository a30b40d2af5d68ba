"""Finds the resources that the project created on AWS, and deletes them in a valid order.

Deletion is idempotent: after an interruption, the next run deletes the rest.
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

from pipeline.definition.resources import stack_name
from pipeline.errors import UserError
from pipeline.operate.aws_errors import answer_of, is_gone
from pipeline.operate.ownership import Ownership, endpoint_log_group
from pipeline.operate.stack_deletion import StackDeletion, is_stack_of
from pipeline.operate.stored_objects import StoredObjects
from pipeline.operate.triggers import remove_rule, rule_names

if TYPE_CHECKING:
    from boto3 import Session
    from types_boto3_application_autoscaling.type_defs import DeregisterScalableTargetRequestTypeDef
    from types_boto3_sagemaker import SageMakerClient
    from types_boto3_sagemaker.type_defs import WaiterConfigTypeDef

LEVELS = ("endpoint", "pipeline", "all")
"""Levels of deletion: the endpoint, which costs by the hour; everything except data; everything."""

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


def find_owned_resources(ownership: Ownership, session: Session, level: str) -> list[OwnedResource]:
    """Return the resources to delete, in a valid order of deletion.

    Args:
        ownership: tells which resources are the pipeline's.
        session: a ``boto3.Session`` of the account.
        level: one of ``LEVELS``.
    """
    finder = _Finder(ownership, session)
    if level == "endpoint":
        return [*finder.endpoints()]
    everything = level == "all"
    owned = [
        *finder.rules(),
        *finder.running_executions(),
        *finder.pipeline(),
        *finder.endpoints(),
        *finder.endpoint_configs(),
        *finder.models(),
        # Before the packages: after an interruption, only they still name the endpoints.
        *(finder.endpoint_log_groups() if everything else ()),
        *finder.packages(),
        *finder.function(),
    ]
    if everything:
        owned += [*finder.function_log_group(), *finder.objects(), *finder.stack()]
    return owned


def find_deployers(ownership: Ownership, session: Session) -> list[str]:
    """Return what can deploy an endpoint again by itself: running executions, and rules that start executions."""
    finder = _Finder(ownership, session)
    starting = rule_names(ownership.config)[-2:]
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
    """Finds the resources that the project created, one method for each kind."""

    def __init__(self, ownership: Ownership, session: Session) -> None:
        self.ownership = ownership
        self.config, self.resources = ownership.config, ownership.resources
        self.name = self.config.pipeline.name
        self.sagemaker = session.client("sagemaker")
        self.scaling = session.client("application-autoscaling")
        self.events = session.client("events")
        self.functions = session.client("lambda")
        self.logs = session.client("logs")
        self.s3 = session.client("s3")
        self.cloudformation = session.client("cloudformation")

    def rules(self) -> Iterator[OwnedResource]:
        for name in rule_names(self.config):
            if answer_of(self.events.describe_rule, Name=name):
                yield OwnedResource("EventBridge rule", name, partial(remove_rule, self.events, name))

    def running_executions(self) -> Iterator[OwnedResource]:
        if not answer_of(self.sagemaker.describe_pipeline, PipelineName=self.name):
            return
        pages = self.sagemaker.get_paginator("list_pipeline_executions").paginate(PipelineName=self.name)
        for execution in (found for page in pages for found in page["PipelineExecutionSummaries"]):
            if execution["PipelineExecutionStatus"] in ("Executing", "Stopping"):
                arn = execution["PipelineExecutionArn"]
                yield OwnedResource("running execution", arn, partial(_stop, self.sagemaker, arn))

    def pipeline(self) -> Iterator[OwnedResource]:
        if answer_of(self.sagemaker.describe_pipeline, PipelineName=self.name):
            yield OwnedResource("pipeline", self.name, partial(self.sagemaker.delete_pipeline, PipelineName=self.name))

    def endpoints(self) -> Iterator[OwnedResource]:
        for endpoint in self.ownership.endpoints:
            if endpoint.is_ours:
                yield OwnedResource("endpoint", endpoint.name, partial(self._delete_endpoint, endpoint.name))

    def endpoint_configs(self) -> Iterator[OwnedResource]:
        pages = [*self.sagemaker.get_paginator("list_endpoint_configs").paginate()]
        for found in (found for page in pages for found in page["EndpointConfigs"]):
            name, delete = found["EndpointConfigName"], self.sagemaker.delete_endpoint_config
            if _MADE_FOR_ENDPOINT.fullmatch(name) and self.ownership.is_ours(found["EndpointConfigArn"]):
                yield OwnedResource("endpoint configuration", name, partial(delete, EndpointConfigName=name))

    def models(self) -> Iterator[OwnedResource]:
        pages = [*self.sagemaker.get_paginator("list_models").paginate()]
        for found in (found for page in pages for found in page["Models"]):
            name, delete = found["ModelName"], self.sagemaker.delete_model
            if _MADE_FOR_ENDPOINT.fullmatch(name) and self.ownership.is_ours(found["ModelArn"]):
                yield OwnedResource("model", name, partial(delete, ModelName=name))

    def packages(self) -> Iterator[OwnedResource]:
        """Yield the packages that this pipeline registered, and their group unless it contains other packages."""
        group, packages = self.config.registry.group, self.ownership.packages
        for package in packages:
            if package.is_ours:
                delete = partial(self.sagemaker.delete_model_package, ModelPackageName=package.arn)
                yield OwnedResource("model package", package.arn, delete)
        if self.ownership.has_group and all(package.is_ours for package in packages):
            delete_group = partial(self.sagemaker.delete_model_package_group, ModelPackageGroupName=group)
            yield OwnedResource("model package group", group, delete_group)

    def function(self) -> Iterator[OwnedResource]:
        name = self.resources.deploy_function_name
        if answer_of(self.functions.get_function_configuration, FunctionName=name):
            yield OwnedResource("Lambda function", name, partial(self.functions.delete_function, FunctionName=name))

    def endpoint_log_groups(self) -> Iterator[OwnedResource]:
        """Yield the log groups of the endpoints, also of those that only packages still name."""
        for name in self.ownership.endpoint_names:
            yield from self._log_group(endpoint_log_group(name))

    def function_log_group(self) -> Iterator[OwnedResource]:
        """Yield the function's log group. The whole account shares those of jobs."""
        yield from self._log_group(self.resources.deploy_function_log_group)

    def objects(self) -> Iterator[OwnedResource]:
        stored = StoredObjects(self.s3, self.resources.bucket, f"{self.name}/")
        if count := stored.count():
            yield OwnedResource("objects", f"{stored.uri} ({count} with their old versions)", stored.delete)

    def stack(self) -> Iterator[OwnedResource]:
        name = stack_name(self.config)
        answer = answer_of(self.cloudformation.describe_stacks, StackName=name)
        for stack in answer["Stacks"] if answer else []:
            if is_stack_of(self.name, stack):
                delete = StackDeletion(self.cloudformation, self.s3, name, stack["StackId"], self.resources.bucket)
                yield OwnedResource("CloudFormation stack (bucket and roles)", name, delete)

    def _log_group(self, name: str) -> Iterator[OwnedResource]:
        found = self.logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        if name in [group["logGroupName"] for group in found]:
            yield OwnedResource("log group", name, partial(self.logs.delete_log_group, logGroupName=name))

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
