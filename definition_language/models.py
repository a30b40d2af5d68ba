"""Botocore's models of AWS's services."""

from __future__ import annotations

from functools import cache

import botocore.session
from botocore.model import ServiceModel, StructureShape


@cache
def service_model(service: str) -> ServiceModel:
    """Return the model of a service, by its name in boto3."""
    return botocore.session.get_session().get_service_model(service)


def input_shape(service: str, operation: str) -> StructureShape:
    """Return the shape of an operation's request.

    Raises:
        botocore.model.OperationNotFoundError: the service has no such operation.
    """
    shape = service_model(service).operation_model(operation).input_shape
    assert shape is not None
    return shape
