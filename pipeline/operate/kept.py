"""Says which resources with the configuration's names ``make delete`` keeps, because others made or use them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipeline.config.models import Config
from pipeline.definition.resources import stack_name
from pipeline.operate.aws_errors import answer_of
from pipeline.operate.ownership import OWNER_TAG, Ownership, endpoint_log_group
from pipeline.operate.stack_deletion import is_stack_of
from pipeline.text import number_of, some_of

if TYPE_CHECKING:
    from boto3 import Session

_NOT_BILLED = ("Failed", "OutOfService", "Deleting")
"""States of an endpoint without instances."""


def find_kept_resources(ownership: Ownership, session: Session, level: str) -> list[str]:
    """Return what a deletion keeps because others made it or use it, one phrase each.

    Args:
        ownership: tells which resources are the pipeline's.
        session: a ``boto3.Session`` of the account.
        level: one of teardown's ``LEVELS``.
    """
    kept = [*_endpoint(ownership)]
    if level != "endpoint":
        kept += _group(ownership)
    if level == "all":
        kept += [*_log_groups(ownership, session), *_stack(ownership.config, session)]
    return kept


def _endpoint(ownership: Ownership) -> Iterator[str]:
    for endpoint in ownership.endpoints:
        if endpoint.name == ownership.config.deploy.endpoint_name and not endpoint.is_ours:
            by = f"deployed by {endpoint.owner}" if endpoint.owner else f"without the tag {OWNER_TAG}"
            bill = "" if endpoint.status in _NOT_BILLED else ": it is billed"
            yield f"the endpoint {endpoint.name}, {endpoint.status}, {by}{bill}"


def _group(ownership: Ownership) -> Iterator[str]:
    others = sum(not package.is_ours for package in ownership.packages)
    if others:
        group, packages = ownership.config.registry.group, number_of(others, "package")
        yield f"the model package group {group}, with {packages} that this pipeline did not register"


def _log_groups(ownership: Ownership, session: Session) -> Iterator[str]:
    """Yield the log groups of former endpoints that may have been started with the parameter EndpointName."""
    prefix = endpoint_log_group(ownership.config.deploy.endpoint_name)
    known = {*ownership.endpoint_names, *(endpoint.name for endpoint in ownership.endpoints)}
    pages = session.client("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
    names = {group["logGroupName"] for page in pages for group in page["logGroups"]}
    former = sorted(names - {endpoint_log_group(name) for name in known})
    if former:
        yield f"{some_of(former)}: logs of former endpoints, which may be of others"


def _stack(config: Config, session: Session) -> Iterator[str]:
    name = stack_name(config)
    answer = answer_of(session.client("cloudformation").describe_stacks, StackName=name)
    for stack in answer["Stacks"] if answer else []:
        if not is_stack_of(config.pipeline.name, stack):
            yield f"the CloudFormation stack {name}, which is not of the pipeline {config.pipeline.name}"
