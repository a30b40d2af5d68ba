"""The table of SageMaker operations, and the one way to call them.

The HTTP gateway and the pipeline interpreter both go through ``call``: a step starts its job with the same
request, and meets the same checks and errors, as an AWS client does.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

from local.aws.shapes import validate_request
from local.core.errors import ServiceError, not_implemented, validation_error

if TYPE_CHECKING:
    from local.context import Context

Request = dict[str, Any]
Response = dict[str, Any]
Handler = Callable[["Context", Request], Response | None]

_handlers: dict[str, Handler] = {}


@cache
def service_model() -> ServiceModel:
    """Botocore's model of the SageMaker API."""
    return botocore.session.get_session().get_service_model("sagemaker")


def operation(name: str) -> Callable[[Handler], Handler]:
    """Register a function as the implementation of an operation of SageMaker's API.

    The function gets a request that its input shape admits. It returns the response's members, timestamps as
    seconds since the epoch; what the output shape does not have is left out of the answer.

    Raises:
        KeyError: SageMaker has no such operation, or it is registered already.
    """
    if name not in service_model().operation_names or name in _handlers:
        raise KeyError(name)

    def register(handler: Handler) -> Handler:
        _handlers[name] = handler
        return handler

    return register


def implemented_operations() -> list[str]:
    """Names of the operations that the service has."""
    return sorted(_handlers)


def call(context: Context, name: str, request: Request) -> Response:
    """Carry out an operation.

    Args:
        context: the running service.
        name: the operation, for example ``CreatePipeline``.
        request: its members as JSON has them.

    Returns:
        The response as JSON has it, holding members of the output shape only.

    Raises:
        ServiceError: the operation's own error, a ValidationException, or "not implemented".
    """
    if name not in service_model().operation_names:
        raise ServiceError("UnknownOperationException", f"SageMaker has no operation {name}")
    handler = _handlers.get(name)
    if handler is None:
        raise not_implemented("sagemaker", name)
    model: OperationModel = service_model().operation_model(name)
    if not isinstance(request, dict):
        raise validation_error("the request's body is not a JSON object")
    if model.input_shape is not None:
        validate_request(model.input_shape, request)
    response = handler(context, request) or {}
    return {} if model.output_shape is None else shaped(model.output_shape, response)


def shaped(shape: Shape, value: Any) -> Any:
    """Keep what a shape has, drop absent members, turn times into seconds since the epoch."""
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
