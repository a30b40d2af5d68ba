"""Botocore's model of SageMaker, and responses in the shapes of such models."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape


@cache
def service_model() -> ServiceModel:
    """Return botocore's model of the SageMaker API."""
    return botocore.session.get_session().get_service_model("sagemaker")


def shaped(shape: Shape, value: Any) -> Any:
    """Return a value in the form of a shape.

    Members that the shape lacks and members that are None are left out. Times become seconds since the epoch.
    """
    if isinstance(shape, StructureShape):
        return {
            name: shaped(member, value[name]) for name, member in shape.members.items() if value.get(name) is not None
        }
    if isinstance(shape, ListShape):
        return [shaped(shape.member, item) for item in value]
    if isinstance(shape, MapShape):
        return {name: shaped(shape.value, item) for name, item in value.items()}
    if isinstance(value, datetime):
        return value.timestamp()
    return value
