"""Reads endpoints: what each serves, is about to serve, and served before. Rolls one back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from pipeline.errors import UserError
from pipeline.operate.rollback import roll_back as ask_function
from studio.aws import Aws
from studio.definitions import Document
from studio.faults import PageError, fault_of
from studio.prices import hourly_dollars
from studio.registry import Package
from studio.status import UNDER_WAY

_T = TypeVar("_T")
_OWNER, _BEFORE, _WAITING = "deployed-by", "last-known-good", "waiting-model-package"
"""Tags of an endpoint, by steps/deployment/deployer.py: the function, what served before, the package that waits."""

_REACTION = timedelta(minutes=2)
"""How long the function may take to begin a deployment after an approval."""


@dataclass(frozen=True)
class Variant:
    """A variant of an endpoint's configuration.

    Attributes:
        record: what DescribeEndpointConfig says.
        package: the ARN of the model package that its model was made from; empty if it was made without one.
        instances: how many run now, or will; 0 if it is serverless.
    """

    record: Document
    package: str
    instances: int

    @property
    def hardware(self) -> str:
        """What it runs on."""
        serverless = self.record.get("ServerlessConfig")
        if serverless:
            most = serverless.get("MaxConcurrency")
            return f"serverless, {serverless['MemorySizeInMB']} MB, up to {most} requests at once"
        return f"{self.instances} x {self.record.get('InstanceType', 'unknown')}"

    @property
    def hourly_dollars(self) -> float | None:
        """What it costs for an hour, if it is known."""
        return hourly_dollars(self.record.get("InstanceType", ""), self.instances)


@dataclass(frozen=True)
class Configuration:
    """An endpoint's configuration.

    Attributes:
        record: what DescribeEndpointConfig says; only its name if it does not exist any more.
        variants: its variants.
    """

    record: Document
    variants: list[Variant]

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.record["EndpointConfigName"])

    @property
    def packages(self) -> list[str]:
        """The ARNs of the model packages that it serves."""
        return list(dict.fromkeys(each.package for each in self.variants if each.package))


@dataclass(frozen=True)
class Endpoint:
    """An endpoint.

    Attributes:
        record: what DescribeEndpoint says.
        tags: its tags.
        serves: the configuration that it serves, or is being created with.
        pending: the configuration that it is being changed to; None if it is not.
        before: the configuration that a rollback returns to; None if there is none.
    """

    record: Document
    tags: dict[str, str]
    serves: Configuration
    pending: Configuration | None
    before: Configuration | None

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.record["EndpointName"])

    @property
    def status(self) -> str:
        """What AWS says."""
        return str(self.record["EndpointStatus"])

    @property
    def under_way(self) -> bool:
        """Whether it is being changed."""
        return self.status in UNDER_WAY

    @property
    def function(self) -> str:
        """The Lambda function that deploys to it; empty if it is not this project's."""
        return self.tags.get(_OWNER, "")

    @property
    def waiting(self) -> str:
        """The ARN of the approved package that waits until the present change has ended; empty if none does."""
        return self.tags.get(_WAITING, "")


@dataclass(frozen=True)
class Deployment:
    """How far a version of a group has come on its way to its endpoint.

    Attributes:
        endpoint: the endpoint; None if it does not exist.
        sentence: what there is to say.
        under_way: whether it will change without the user.
        is_late: whether an approval has not had an effect in time.
    """

    endpoint: Endpoint | None
    sentence: str
    under_way: bool = False
    is_late: bool = False


def read_endpoint(aws: Aws, name: str) -> Endpoint:
    """Read an endpoint with its configurations."""
    answer: Any = aws.sagemaker.describe_endpoint(EndpointName=name)
    record: Document = {key: value for key, value in answer.items() if key != "ResponseMetadata"}
    pages = aws.sagemaker.get_paginator("list_tags").paginate(ResourceArn=record["EndpointArn"])
    tags = {tag["Key"]: tag["Value"] for answer in pages for tag in answer["Tags"]}
    running = {each["VariantName"]: each.get("CurrentInstanceCount") for each in record.get("ProductionVariants") or []}
    pending = (record.get("PendingDeploymentSummary") or {}).get("EndpointConfigName")
    before = tags.get(_BEFORE)
    current = record["EndpointConfigName"]
    return Endpoint(
        record,
        tags,
        serves=_configuration(aws, current, running),
        pending=_configuration(aws, pending, {}) if pending and pending != current else None,
        before=_configuration(aws, before, {}) if before and before != current else None,
    )


def roll_back(aws: Aws, name: str) -> None:
    """Let the project's function return an endpoint to what it served before.

    Raises:
        PageError: there is no such function, or it refuses.
    """
    title = "The endpoint was not rolled back"
    function = read_endpoint(aws, name).function
    if not function:
        sentence = f"{name} has no tag {_OWNER}: no function of this project deploys to it. 'make upsert' makes one."
        raise PageError(title, sentence, 409)
    try:
        ask_function(aws.client("lambda"), function, name)
    except UserError as error:
        raise PageError(title, str(error), 409) from None


def deployment_of(aws: Aws, package: Package) -> Deployment:
    """Return how far a version has come on its way to the endpoint that it names."""
    name, approved = package.endpoint, package.approval == "Approved"
    endpoint = _if_there(lambda: read_endpoint(aws, name))
    if endpoint is not None:
        settled = _stage(endpoint, package.arn)
        if settled is not None:
            return settled
    if approved and _is_expected(package, endpoint):
        return Deployment(endpoint, f"It is approved. {name} has not begun to change yet.", under_way=True)
    state = f"There is no endpoint {name}." if endpoint is None else f"{name} does not serve this version."
    return Deployment(endpoint, state, is_late=approved)


def _is_expected(package: Package, endpoint: Endpoint | None) -> bool:
    """Return whether the function may still begin: it has had little time, and the endpoint has not changed since."""
    approved = package.record.get("LastModifiedTime")
    if approved is None or datetime.now(UTC) - approved > _REACTION:
        return False
    return endpoint is None or endpoint.under_way or endpoint.record["LastModifiedTime"] < approved


def _stage(endpoint: Endpoint, package: str) -> Deployment | None:
    """Return how far a package has come; None if the endpoint has nothing to do with it."""
    name, status = endpoint.name, endpoint.status
    if endpoint.pending is not None and package in endpoint.pending.packages:
        return Deployment(endpoint, f"{name} is being changed to this version, and serves meanwhile.", under_way=True)
    if package == endpoint.waiting:
        return Deployment(endpoint, f"This version follows when {name} has ended its present change.", under_way=True)
    if package not in endpoint.serves.packages:
        return None
    if status == "Creating":
        return Deployment(endpoint, f"{name} is being created with this version.", under_way=True)
    if status == "Failed":
        return Deployment(endpoint, f"{name} has failed with this version: {endpoint.record.get('FailureReason', '')}")
    return Deployment(endpoint, f"{name} serves this version.", under_way=endpoint.under_way)


def _configuration(aws: Aws, name: str, running: dict[str, int | None]) -> Configuration:
    found: Any = _if_there(lambda: aws.sagemaker.describe_endpoint_config(EndpointConfigName=name))
    if found is None:
        return Configuration({"EndpointConfigName": name}, [])
    record = {key: value for key, value in found.items() if key != "ResponseMetadata"}
    variants = [_variant(aws, dict(each), running) for each in record.get("ProductionVariants") or []]
    return Configuration(record, variants)


def _variant(aws: Aws, record: Document, running: dict[str, int | None]) -> Variant:
    model = record.get("ModelName")
    instances = running.get(record["VariantName"]) or record.get("InitialInstanceCount", 0)
    return Variant(record, _package_of(aws, model) if model else "", instances)


def _package_of(aws: Aws, model_name: str) -> str:
    model: Any = _if_there(lambda: aws.sagemaker.describe_model(ModelName=model_name)) or {}
    containers = [model.get("PrimaryContainer") or {}, *(model.get("Containers") or [])]
    return next((each["ModelPackageName"] for each in containers if "ModelPackageName" in each), "")


def _if_there(read: Callable[[], _T]) -> _T | None:
    """Return what is read, or None if AWS says that it does not exist."""
    try:
        return read()
    except ClientError as error:
        if fault_of(error).status != 404:
            raise
        return None
