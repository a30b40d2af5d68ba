"""Says which resources with the configuration's names ``make delete`` keeps, because others made or use them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipeline.config.models import Config
from pipeline.definition.resources import Resources, stack_name
from pipeline.operate.aws_errors import answer_of
from pipeline.operate.ownership import OWNER_TAG, Ownership
from pipeline.operate.stack_deletion import is_stack_of
from pipeline.text import number_of

if TYPE_CHECKING:
    from boto3 import Session

_NOT_BILLED = ("Failed", "OutOfService", "Deleting")
"""States of an endpoint without instances."""


def find_kept_resources(config: Config, resources: Resources, session: Session, level: str) -> list[str]:
    """Return what a deletion keeps because others made it or use it, one phrase each.

    Args:
        config: the configuration.
        resources: bucket, roles and function.
        session: a ``boto3.Session`` of the account.
        level: one of teardown's ``LEVELS``.
    """
    ownership = Ownership(session.client("sagemaker"), config, resources)
    kept = [*_endpoint(config, ownership)]
    if level != "endpoint":
        kept += _group(config, ownership)
    if level == "all":
        kept += _stack(config, session)
    return kept


def _endpoint(config: Config, ownership: Ownership) -> Iterator[str]:
    name = config.deploy.endpoint_name
    for endpoint in ownership.endpoints:
        arn, status = endpoint["EndpointArn"], endpoint["EndpointStatus"]
        if endpoint["EndpointName"] == name and not ownership.is_ours(arn):
            owner = ownership.owner(arn)
            by = f"deployed by {owner}" if owner else f"without the tag {OWNER_TAG}"
            yield f"the endpoint {name}, {status}, {by}" + ("" if status in _NOT_BILLED else ": it is billed")


def _group(config: Config, ownership: Ownership) -> Iterator[str]:
    others = sum(not package.is_ours for package in ownership.packages)
    if others:
        packages = number_of(others, "package")
        yield f"the model package group {config.registry.group}, with {packages} that this pipeline did not register"


def _stack(config: Config, session: Session) -> Iterator[str]:
    name = stack_name(config)
    answer = answer_of(session.client("cloudformation").describe_stacks, StackName=name)
    for stack in answer["Stacks"] if answer else []:
        if not is_stack_of(config.pipeline.name, stack):
            yield f"the CloudFormation stack {name}, which is not of the pipeline {config.pipeline.name}"
