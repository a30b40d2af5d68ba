"""Checks a request to any AWS service against botocore's model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from definition_language.constraints import faults
from definition_language.models import input_shape
from definition_language.sentences import sentence


@dataclass(frozen=True)
class Request:
    """A request to AWS.

    Attributes:
        service: the service's name in boto3, for example ``events``.
        operation: the operation, for example ``PutRule``.
        members: the operation's arguments.
    """

    service: str
    operation: str
    members: dict[str, Any]


def request_faults(request: Request) -> Iterator[str]:
    """Yield the faults for which AWS would refuse a request."""
    shape = input_shape(request.service, request.operation)
    yield from (sentence(fault, request.operation, "AWS") for fault in faults(shape, request.members))
